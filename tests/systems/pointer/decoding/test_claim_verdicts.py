"""Claims about regions: what speaks for them, verdicts and choices, what is left to the decoder."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.english.claim_parser import claimed
from deixis.layers.regions.region_classifier import NEVER, RegionClassifier
from deixis.regions.shapes import Box, Region
from deixis.systems.pointer.answering import PointerSystem
from deixis.systems.pointer.decoding.claim_verdicts import (
    LEAST_LIKELY,
    SORTS,
    ClaimRule,
    Evidence,
    KnownClaim,
    VerdictWords,
    Weighed,
    known_claims,
)
from deixis.systems.pointer.fitting.claim_weights import weighed_all
from deixis.systems.prompt import Prompt
from deixis.systems.questions import checked_question
from deixis.text.tokenizers.word_pieces.vocabulary import ANSWER, END, PHRASE, USER
from tests.systems.pointer.decoding.test_openings import next_words
from tests.systems.pointer.tiny import noise_picture, tiny_system, tiny_vocabulary

NAMES = ("dog", "cat", "hat")
QUALITIES = ("red", "big")
BOX = Box(10, 10, 60, 70)
OFF = ClaimRule(said=0.0, called=0.0, around=0.0, usual=0.0, shift=0.0)
SURE, NEVER_SO = replace(OFF, shift=50.0), replace(OFF, shift=-50.0)
BY_NAME = replace(OFF, called=1.0)

VOCABULARY = tiny_vocabulary()
CLASSIFIER = RegionClassifier(head_width=2, map_width=2, words=len(VOCABULARY), word_width=2)
with torch.no_grad():
    CLASSIFIER.usual_names[::2] = CLASSIFIER.usual_qualities[::3] = CLASSIFIER.bias[::4] = -1.0


def judging_system(rule: ClaimRule = BY_NAME, *, seed: int = 5) -> PointerSystem:
    """Return a system that begins every answer with yes or no, and knows three names and two qualities."""
    system = tiny_system(seed=seed, region_namer=True)
    classifier = system.network.region_namer
    with torch.no_grad():
        classifier.bias[ids_of(system, *NAMES)] = 0.0
        classifier.usual_names[ids_of(system, *NAMES, "red")] = torch.tensor([-1.0, -2.0, -3.0, -6.0])
        classifier.usual_qualities[ids_of(system, *QUALITIES)] = torch.tensor([-1.5, -0.5])
        system.network.words.bias[[PHRASE.id, END.id]] = -20.0
        system.network.words.bias[ids_of(system, "yes", "no")] += 25.0
    system.claim_rules = {"name": rule, "quality": rule}
    return system


def ids_of(system: PointerSystem, *words: str) -> list[int]:
    return [system.vocabulary.pieces.index(word) for word in words]


def prompt_of(system: PointerSystem, text: str, **regions: Region) -> Prompt:
    question = checked_question(text, regions or {"it": BOX}, noise_picture())
    return system.prompts([question])[0]


@torch.inference_mode()
def weighed_by(system: PointerSystem, text: str) -> Weighed:
    """Return what a system makes of what a question claims."""
    ((weighed, _),) = weighed_all(system, [prompt_of(system, text)])
    assert weighed is not None
    return weighed


def answer(system: PointerSystem, text: str) -> str:
    return system.ask(noise_picture(), text, it=BOX, max_new_tokens=6).text.lower()


@torch.inference_mode()
def test_evidence_is_what_the_network_calls_the_region_and_the_picture() -> None:
    """Worked out word by word without a cache."""
    system = judging_system()
    weighed = weighed_by(system, "is {it} a dog?")
    ((said, evidence),) = weighed.each
    (dog,) = ids_of(system, "dog")
    assert said == KnownClaim(tuple(ids_of(system, "a", "dog")), dog) and weighed.sort == "name"
    around = Box(0, 0, 120, 90)
    for region, expected in ((BOX, evidence.called), (around, evidence.around)):
        prompt = prompt_of(system, "what is {it}?", it=region)
        first = next_words(system, prompt, ())
        first[END.id] = -math.inf
        first = first.log_softmax(dim=-1).exp()
        both = first.clone()
        for article in ids_of(system, "a", "the"):
            behind = next_words(system, prompt, (article,))
            both += first[article] * behind.softmax(dim=-1)
            both[article] -= first[article]
        likely = float((both[dog] / both.sum()).log())
        assert expected == pytest.approx(max(likely, LEAST_LIKELY), abs=1e-4)
    assert evidence.usual == -1.0


@pytest.mark.parametrize("seed", [5, 6])
def test_a_verdict_and_what_it_says_agree(seed: int) -> None:
    assert answer(judging_system(SURE, seed=seed), "is {it} a big dog?") == "yes, a big dog."
    no = answer(judging_system(NEVER_SO, seed=seed), "is {it} a dog?")
    assert no.startswith("no, ") and "dog" not in no and any(name in no for name in NAMES)


def test_qualities_are_judged_by_what_a_thing_is_like() -> None:
    assert answer(judging_system(SURE), "is {it} red?") == "yes, red."
    assert answer(judging_system(NEVER_SO), "is {it} red?") == "no, big."


@pytest.mark.parametrize("weight", ["called", "around", "usual", "said"])
def test_every_weight_of_a_rule_counts(weight: str) -> None:
    """Evidence is negative here but for yes against no, which is made so."""
    system = judging_system()
    with torch.no_grad():
        system.network.words.bias[ids_of(system, "no")] += 9.0
    for value, expected in ((1.0, "no, "), (-1.0, "yes, ")):
        rule = replace(OFF, **{weight: value})
        system.claim_rules = {"name": rule}
        assert answer(system, "is {it} a dog?").startswith(expected)


def test_the_likelier_of_a_choice_is_said_in_whatever_order() -> None:
    system = judging_system()
    with torch.no_grad():  # likely enough to tell apart
        system.network.words.bias[ids_of(system, *NAMES)] += 20.0
    evidence: dict[str, Evidence] = {}
    for name in NAMES:
        ((_, evidence[name]),) = weighed_by(system, f"is {{it}} a {name}?").each
    best = max(NAMES, key=lambda name: evidence[name].called)
    other = min(NAMES, key=lambda name: evidence[name].called)
    assert evidence[other].called < evidence[best].called - 0.1
    for first, second in ((best, other), (other, best)):
        assert answer(system, f"is {{it}} a {first} or the {second}?") in (f"a {best}.", f"the {best}.")


@pytest.mark.parametrize(
    "question",
    ["is {it} a picture?", "is {it} a dog or a picture?", "is {it} a red dog or a big dog?", "is {it} dogs?"],
)
def test_what_cannot_be_judged_is_left_to_the_decoder(question: str) -> None:
    system, without = judging_system(SURE), judging_system(SURE)
    without.claim_rules = {}
    assert answer(system, question) == answer(without, question)


def test_an_answer_that_would_not_say_yes_or_no_is_left_alone() -> None:
    system, without = judging_system(SURE), judging_system(SURE)
    without.claim_rules = {}
    for one in (system, without):
        with torch.no_grad():
            one.network.words.bias[ids_of(one, "yes", "no")] -= 60.0
    assert answer(system, "is {it} a dog?") == answer(without, "is {it} a dog?")
    assert answer(system, "is {it} a dog or a cat?") != answer(without, "is {it} a dog or a cat?")


def test_many_questions_at_once_are_answered_as_each_alone() -> None:
    system = judging_system()
    texts = [
        "is {it} a dog?",
        "what is {it}?",
        "is {it} big?",
        "where is the dog?",
        "is {it} a hat or a cat?",
    ]
    boxes = [BOX, Box(0, 0, 20, 20), Box(30, 30, 110, 80), BOX, Box(5, 40, 60, 88)]
    regions = [{"it": box} if "{it}" in text else {} for text, box in zip(texts, boxes, strict=True)]
    together = system.ask(noise_picture(), texts, regions=regions, max_new_tokens=6)
    alone = [
        system.ask(noise_picture(), text, regions=own, max_new_tokens=6)
        for text, own in zip(texts, regions, strict=True)
    ]
    assert [one.text for one in together] == [one.text for one in alone]


def test_a_word_is_a_noun_behind_an_article_else_a_quality() -> None:
    system = judging_system()
    classifier = system.network.region_namer
    for claim, sort in (("a red", "name"), ("red", "quality"), ("dog", "name"), ("a big red", "name")):
        found, said = known_claims([claim], system.vocabulary, classifier)
        assert (found, len(said)) == (sort, 1), claim
    assert known_claims(["red", "a dog"], system.vocabulary, classifier)[1] == []
    assert known_claims([], system.vocabulary, classifier)[1] == []
    assert classifier.usual_names[ids_of(system, "big")[0]] == NEVER
    assert known_claims(["a big"], system.vocabulary, classifier)[1] == []


@given(st.text(max_size=30), st.sampled_from(("is {it} ", "could {it} be a ", "is {it} a dog or ")))
@settings(deadline=None)
def test_whatever_is_claimed_is_judged_or_left_alone(text: str, before: str) -> None:
    claims = claimed(before + text)
    sort, said = known_claims(claims, VOCABULARY, CLASSIFIER)
    assert sort in SORTS and len(said) in (0, len(claims))


def test_only_the_last_question_is_judged() -> None:
    system = judging_system(SURE)
    first = system.ask(noise_picture(), "is {it} a dog?", it=BOX, max_new_tokens=6)
    question = checked_question("is {it} a cat?", {"it": BOX}, noise_picture(), before=[first])
    (prompt,) = system.prompts([question])
    assert prompt.own.claims == ("a cat",) and prompt.ids.count(USER.id) == 2 and prompt.ids[-1] == ANSWER.id
    then = system.ask(noise_picture(), "is {it} a cat?", it=BOX, before=[first], max_new_tokens=6)
    assert then.text.lower() == "yes, a cat."


def test_a_vocabulary_that_has_to_spell_yes_has_no_verdicts() -> None:
    system = judging_system()
    assert VerdictWords.of(system.vocabulary) is not None

    class Spelling:
        def encode(self, text: str) -> list[int]:
            return [20] * len(text)

    assert VerdictWords.of(Spelling()) is None  # type: ignore[arg-type]
