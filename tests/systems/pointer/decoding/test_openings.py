"""How answers begin when a namer has a say: opinions joined, articles chosen, other answers left alone."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from deixis.engine.policy import Probe
from deixis.regions.shapes import Box, Region
from deixis.systems.pointer.answering import PointerSystem
from deixis.systems.pointer.decoding import openings
from deixis.systems.pointer.decoding.openings import (
    CLASSIFIER_WEIGHT,
    FIRST_WORDS,
    JudgedClaim,
    RegionNames,
    verdict_opening,
    word_opening,
)
from deixis.systems.pointer.decoding.place_grammar import State, forbid
from deixis.systems.pointer.prompts import asks_about_one
from deixis.systems.pointer.region_inputs import region_tensors
from deixis.systems.prompt import Prompt
from deixis.systems.questions import checked_question
from deixis.text.tokenizers.word_pieces.vocabulary import ANSWER, END, PHRASE, PICTURE, REGION, USER
from tests.systems.decoding import decoded, reads_of
from tests.systems.pointer.tiny import noise_picture, tiny_system

NAMES = ("dog", "dogs", "cat", "hat")
BOX = Box(10, 10, 60, 70)


def naming_system(*, seed: int = 5) -> PointerSystem:
    """Return a system whose namer knows four names, and which begins no answer with a place."""
    system = tiny_system(seed=seed, region_namer=True)
    with torch.no_grad():
        system.network.region_namer.bias[ids_of(system, *NAMES)] = 0.0
        system.network.words.bias[PHRASE.id] = -20.0
    return system


def ids_of(system: PointerSystem, *words: str) -> list[int]:
    return [system.vocabulary.pieces.index(word) for word in words]


def prefer(system: PointerSystem, by: float, *words: str) -> None:
    with torch.no_grad():
        system.network.words.bias[ids_of(system, *words)] += by


def say(system: PointerSystem, opinion: Mapping[str, float], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the namer think of every region what ``opinion`` says, in log-probabilities."""
    likely = torch.tensor(list(opinion.values()))

    def think(_: object, masks: Tensor, __: object) -> tuple[Tensor, Tensor]:
        return torch.tensor(ids_of(system, *opinion)), likely.expand(*masks.shape[:2], -1)

    monkeypatch.setattr(system.network, "name_regions", think)


def opening(system: PointerSystem, text: str = "what is {it}?", **regions: Region) -> list[str]:
    question = checked_question(text, regions or {"it": BOX}, noise_picture())
    (said,) = decoded(system, system.prompts([question]), max_new_tokens=2)
    return [system.vocabulary.pieces[token] for token in said.ids]


def test_the_namer_can_overrule_the_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    system = naming_system()
    prefer(system, 8.0, *NAMES)
    for name in NAMES:
        say(system, {other: 0.0 if other == name else -40.0 for other in NAMES}, monkeypatch)
        said = opening(system)
        assert name in (said[0], said[1]) and (said[0] == name or said[0] in ("a", "the"))


def test_the_decoder_can_overrule_the_namer(monkeypatch: pytest.MonkeyPatch) -> None:
    system = naming_system()
    prefer(system, 60.0, "hat")
    say(system, {"dog": 0.0, "hat": -20.0}, monkeypatch)
    assert "hat" in opening(system)


def test_both_opinions_are_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against every way to begin, worked out one by one without a cache."""
    for seed in (5, 6, 7):
        system = naming_system(seed=seed)
        prefer(system, 6.0, *NAMES)
        opinion = {"dog": -1.0, "dogs": -0.5, "cat": -3.0, "hat": -1.5}
        say(system, opinion, monkeypatch)
        by_article = ways_to_begin(system)
        whole = {name: math.log(sum(math.exp(p) for p in by_article[name].values())) for name in NAMES}
        best = max(NAMES, key=lambda name: whole[name] + CLASSIFIER_WEIGHT * opinion[name])
        article = max(by_article[best], key=by_article[best].__getitem__)
        expected = [article, best] if article else [best]
        assert opening(system)[: len(expected)] == expected


@torch.inference_mode()
def ways_to_begin(system: PointerSystem) -> dict[str, dict[str, float]]:
    """Return the log-probability of every name behind every article, and behind none ("")."""
    (prompt,) = system.prompts([checked_question("what is {it}?", {"it": BOX}, noise_picture())])
    first = next_words(system, prompt, ())
    first[END.id] = -math.inf
    first = first.log_softmax(dim=-1)
    found: dict[str, dict[str, float]] = {name: {} for name in NAMES}
    for name, token in zip(NAMES, ids_of(system, *NAMES), strict=True):
        found[name][""] = float(first[token])
    for article, token in zip(("a", "the"), ids_of(system, "a", "the"), strict=True):
        behind = next_words(system, prompt, (token,)).log_softmax(dim=-1)
        for name, piece in zip(NAMES, ids_of(system, *NAMES), strict=True):
            found[name][article] = float(first[token] + behind[piece])
    return found


def next_words(system: PointerSystem, prompt: Prompt, said: Sequence[int]) -> Tensor:
    """Return logits (V,) of the word behind a prompt and what is said so far, without any cache."""
    pixels = torch.from_numpy(prompt.encoded[0].view.pixels).permute(2, 0, 1)[None].float() / 255
    row = [PICTURE.id] * system.network.config.picture_tokens + [*prompt.ids, *said]
    tensors = region_tensors([prompt.regions], system.network.config)
    output = system.network(torch.tensor([row]), pixel_values=pixels, **tensors)
    return forbid(output.logits[:, -1], [State.WORDS])[0]


def test_answers_that_begin_with_no_name_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    system, without = naming_system(), naming_system()
    without.network.config.region_namer = False
    for one in (system, without):
        prefer(one, 30.0, "yes")
    say(system, {"dog": 0.0, "cat": -1.0}, monkeypatch)
    assert opening(system)[0] == "yes"
    assert opening(system) == opening(without)


@pytest.mark.parametrize(
    ("chances", "said"),
    [
        ((0.4, 0.3, 0.2, 0.1), [0]),  # a name is likeliest
        ((0.3, 0.25, 0.4, 0.05), [0]),  # a quality is likeliest, but names together are likelier
        ((0.25, 0.2, 0.5, 0.05), None),  # ... than not
        ((0.3, 0.25, 0.05, 0.4), None),  # neither a name nor a quality
    ],
)
def test_a_quality_gives_way_to_names_that_are_likelier_together(
    chances: tuple[float, ...], said: list[int] | None
) -> None:
    opinion = RegionNames(torch.tensor([0, 1]), torch.tensor([-0.7, -0.7]), torch.tensor([2]), articles=(4,))
    bare, behind_an_article = torch.tensor([[*chances, 0.0], [0.0] * 5]).log()
    assert openings.name_opening(torch.stack([bare, behind_an_article]), opinion, openings.likeliest) == said


@pytest.mark.parametrize("text", ["what is near {it} and {at}?", "what is there?"])
def test_questions_about_no_or_several_regions_are_left_alone(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = naming_system()
    prefer(system, 8.0, *NAMES)

    def never(*_: object) -> None:
        raise AssertionError("the namer was asked")

    monkeypatch.setattr(system.network, "name_regions", never)
    regions = {"it": BOX, "at": Box(5, 5, 20, 20)} if "{it}" in text else {}
    prompts = system.prompts([checked_question(text, regions, noise_picture())])
    assert decoded(system, prompts, max_new_tokens=2)


def test_each_question_gets_the_opinion_of_its_own_region() -> None:
    """Batched as alone, with regions of other questions in between."""
    system = naming_system()
    prefer(system, 8.0, *NAMES)
    with torch.no_grad():
        torch.nn.init.normal_(system.network.region_namer.out.weight, std=2.0)
    asked = [
        ("what is {it}?", {"it": BOX}),
        ("what is {a} near {b}?", {"a": Box(0, 0, 9, 9), "b": Box(50, 5, 100, 80)}),
        ("where is the dog?", {}),
        ("look, what is {it}?", {"it": Box(70, 50, 118, 88)}),
    ]
    prompts = system.prompts([checked_question(text, own, noise_picture()) for text, own in asked])
    together = decoded(system, prompts, max_new_tokens=3)
    alone = [decoded(system, [one], max_new_tokens=3)[0] for one in prompts]
    assert [one.ids for one in together] == [one.ids for one in alone]


def test_what_a_prompt_asks_about_is_told_by_its_last_question() -> None:
    region = REGION.id
    assert asks_about_one([USER.id, 20, region, 21, ANSWER.id])
    assert not asks_about_one([USER.id, region, ANSWER.id, 20, USER.id, 21, ANSWER.id])
    assert not asks_about_one([USER.id, region, 20, region, ANSWER.id])


def test_a_namer_that_was_never_fitted_says_nothing() -> None:
    system, without = tiny_system(region_namer=True), tiny_system(region_namer=True)
    without.network.config.region_namer = False
    assert opening(system) == opening(without)
    assert system.network.region_namer.pieces.numel() == 0


def tried(generator: Generator[Sequence[Probe], Tensor, Any], *heard: Tensor) -> tuple[list[Any], Any]:
    """Return the probes that a generator yields, one answer heard for each, and what it returns."""
    probes = []
    try:
        probes.append(next(generator))
        for one in heard:
            probes.append(generator.send(one))
    except StopIteration as over:
        return probes, over.value
    raise AssertionError("it asks for more")


def test_a_sure_first_word_tries_nothing_out() -> None:
    probes, said = tried(word_opening(torch.tensor([0.02, 0.95, 0.03]).log(), openings.likeliest))
    assert (probes, said) == ([], [1])


def test_the_first_word_is_the_one_with_the_likeliest_pair() -> None:
    """Of so many words, each tried out once."""
    size = 40
    scores = torch.full((size,), -9.0)
    likeliest = [20, 21, 22, 23, 24, 25, 26]
    scores[likeliest] = torch.tensor([0.3, 0.25, 0.15, 0.1, 0.08, 0.06, 0.05]).log()
    behind = torch.zeros(FIRST_WORDS, size)
    behind[2, 30] = 20.0  # behind token 22 there is but one word
    behind[0, 31] = 1.0
    probes, said = tried(word_opening(scores, openings.likeliest), behind)
    assert probes == [[Probe((token,)) for token in likeliest[:FIRST_WORDS]]]
    assert said == [22]


@pytest.mark.parametrize(
    ("yes", "no", "odds", "said"),
    [
        (0.6, 0.3, 1.0, [0, 2, 7, 8]),
        (0.6, 0.3, -1.0, [1, 2, 9]),
        (0.6, 0.3, -math.log(2) + 0.01, [0, 2, 7, 8]),  # with the decoder's own yes it is so
        (0.3, 0.6, math.log(2) - 0.01, [1, 2, 9]),
        (0.2, 0.2, 5.0, None),  # the answer would begin with neither
    ],
)
def test_a_verdict_adds_the_decoders_own_yes_to_the_odds(
    yes: float, no: float, odds: float, said: list[int] | None
) -> None:
    claim = JudgedClaim((7, 8), odds, [9], a_choice=False, counts=1.0, yes=0, no=1, comma=2)
    scores = torch.tensor([yes, no, 1 - yes - no]).log()
    assert verdict_opening(scores, claim) == said
    assert verdict_opening(scores, replace(claim, a_choice=True)) == [7, 8]


def test_what_one_question_tries_out_is_read_once_for_many_that_try_the_same() -> None:
    """Asked twice in one batch, a question about one region costs no more probes than asked once."""
    system = naming_system()
    prefer(system, 8.0, *NAMES)
    question = checked_question("what is {it}?", {"it": BOX}, noise_picture())
    forwards = []
    for times in (1, 3):
        prompts = system.prompts([question] * times)
        with reads_of(system.decoder) as read:
            decoded(system, prompts, max_new_tokens=1)
        forwards.append(read[-1])
    assert forwards == [[1, 1], [1, 1]], "one row for each article, whoever asks"
