"""Openings of answers: learnt and read back, never text, and nothing of them where a network has none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from deixis.answers.grounded import Answer
from deixis.engine.policy import Delta
from deixis.engine.settings import Settings
from deixis.errors import BadWeights
from deixis.records.dialogue import Dialogue, Turn
from deixis.records.intents import INTENTS
from deixis.regions.shapes import Box
from deixis.systems.pointer.answering import PointerSystem
from deixis.systems.pointer.decoding.learnt_opening import LONGEST, LearntOpening, learnt_opening
from deixis.systems.pointer.decoding.place_grammar import State, forbid, next_state
from deixis.systems.pointer.prompts import dialogue_tokens, opening_ids
from deixis.systems.pointer.weights import load_core, save_network
from deixis.systems.questions import checked_question
from deixis.text.token_sequence import IGNORED
from deixis.text.tokenizers.word_pieces.opening_tokens import NAMES, PIECES
from deixis.text.tokenizers.word_pieces.vocabulary import ANSWER, END, Vocabulary, with_opening
from tests.systems.pointer.tiny import (
    noise_picture,
    saved_system,
    tiny_network,
    tiny_system,
    tiny_vocabulary,
    vocabulary_of,
)

WORDS = vocabulary_of({"intents": True})
OPENING = WORDS.opening
assert OPENING is not None
INTENT = OPENING.intents


def favouring(system: PointerSystem, *pieces: int) -> PointerSystem:
    """Make a system say these tokens wherever the grammar lets it."""
    with torch.no_grad():
        for number, token in enumerate(pieces):
            system.network.words.bias[token] += 60.0 - number
    return system


def reading(ids: list[int]) -> list[Delta]:
    system = tiny_system(intents=True)
    prompt = system.prompts([checked_question("is {it} a dog?", {"it": Box(8, 8, 60, 60)}, noise_picture())])[
        0
    ]
    reader = system.reader(prompt, Settings())
    deltas = [reader.add(token, 0.0, []) for token in ids]
    deltas.append(reader.close("stop"))
    assert not reader.failures, reader.failures
    return deltas


def test_intents_have_one_name_everywhere() -> None:
    assert NAMES == INTENTS


def test_opening_tokens_stand_behind_all_others_and_no_text_is_split_into_them() -> None:
    plain = tiny_vocabulary()
    assert WORDS.pieces == [*plain.pieces, *PIECES] and plain.opening is None
    assert with_opening(WORDS) is WORDS
    typed = " ".join(PIECES)
    assert not OPENING.ids & set(WORDS.encode(typed))
    assert WORDS.encode("a dog? <where>") == plain.encode("a dog? <where>")


def test_a_dialogue_begins_with_what_it_is_meant_to_get() -> None:
    turn = Turn("is this a dog?", "no, a cat.", intent="judge", claims=("a dog", "a cat"))
    tokens = dialogue_tokens(Dialogue("verify", (turn,)), WORDS)
    start = tokens.ids.index(ANSWER.id) + 1
    pieces = [WORDS.pieces[token] for token in tokens.ids[start:]]
    assert pieces[:7] == ["<judge>", "a", "dog", "<or>", "a", "cat", "<claimed>"]
    assert all(label == token for label, token in zip(tokens.labels[start:], tokens.ids[start:], strict=True))


def test_where_nobody_says_what_it_is_meant_to_get_that_is_not_learnt() -> None:
    tokens = dialogue_tokens(Dialogue("own", (Turn("what is this?", "a cat."),)), WORDS)
    start = tokens.ids.index(ANSWER.id) + 1
    assert tokens.ids[start] == INTENT["tell"] and tokens.labels[start] == IGNORED
    assert tokens.labels[start + 1] != IGNORED


@pytest.mark.parametrize(
    "turn", [Turn("where is the dog?", "the dog is here.", intent="where"), Turn("", "dog")]
)
def test_a_vocabulary_without_openings_reads_as_ever(turn: Turn) -> None:
    plain = Turn(turn.question, turn.answer)
    said = [dialogue_tokens(Dialogue("x", (one,)), tiny_vocabulary()) for one in (turn, plain)]
    assert said[0].ids == said[1].ids and said[0].labels == said[1].labels


def test_the_grammar_of_openings() -> None:
    dog = WORDS.encode("dog")[0]
    states = [State.OPENING]
    for token in (INTENT["judge"], dog, OPENING.either, dog, OPENING.claimed, dog, END.id):
        following = next_state(states[-1], token, OPENING)
        assert following is not None
        states.append(following)
    claims = [State.CLAIM_OPEN, State.IN_CLAIM]
    assert states == [State.OPENING, *claims, *claims, State.WORDS, State.WORDS, State.ENDED]
    for state in (State.OPENING, *claims, State.WORDS, State.IN_PHRASE):
        allowed = forbid(torch.zeros(1, len(WORDS)), [state], OPENING)[0].isfinite()
        follows = [next_state(state, token, OPENING) is not None for token in range(len(WORDS))]
        assert allowed.tolist() == follows, state


def test_an_opening_is_no_text_and_a_refusal_is_told() -> None:
    words = WORDS.encode("no, a cat.")
    judged = reading([*opening_ids("judge", ("a dog",), WORDS), *words, END.id])
    assert "".join(delta.text for delta in judged) == "No, a cat."
    assert not any(delta.unanswerable for delta in judged)
    refused = reading([*opening_ids("refuse", (), WORDS), *words, END.id])
    assert any(delta.unanswerable for delta in refused)


def test_an_answer_that_refuses_says_so_in_json() -> None:
    system = favouring(tiny_system(intents=True), INTENT["refuse"])
    answer = system.ask(noise_picture(), "why is the dog here?", max_new_tokens=12)
    assert answer.unanswerable and answer.to_dict()["unanswerable"] is True
    assert Answer.from_json(answer.to_json()).unanswerable
    assert answer.raw is not None and answer.raw.ids[0] == INTENT["refuse"]
    again = system.ask(noise_picture(), "where is the dog?", before=[answer], max_new_tokens=12)
    assert again.unanswerable


@pytest.mark.parametrize("intent", ["where", "name", "tell"])
def test_other_answers_do_not(intent: str) -> None:
    system = favouring(tiny_system(intents=True), INTENT[intent])
    answer = system.ask(noise_picture(), "what is {it}?", it=Box(8, 8, 60, 60), max_new_tokens=12)
    assert not answer.unanswerable and "unanswerable" not in answer.to_dict()
    assert answer.raw is not None and answer.raw.ids[0] == INTENT[intent]


def test_whether_leaves_open_what_where_takes_for_granted() -> None:
    system = tiny_system(intents=True, place_rule={"nowhere": 0.9, "nowhere_if_open": 0.2})
    thresholds = {}
    for intent in ("where", "whether"):
        prompt = system.prompts([checked_question("is there a dog?", {}, noise_picture())])[0]
        policy = system.policy(prompt, Settings())
        logits = torch.zeros(len(WORDS))
        logits[INTENT[intent]] = 9.0
        start = policy.start(logits)
        next(start)
        thresholds[intent] = policy.rule.nowhere
    assert thresholds == {"where": 0.9, "whether": 0.2}


def written(answers: Callable[[list[int]], int], logits: Tensor, question: str) -> LearntOpening:
    """Return the opening that a decoder writes which says ``answers`` of what it has said."""
    system = tiny_system(intents=True)
    trial = learnt_opening(logits, OPENING, system, system.spelling.words(WORDS.encode(question)), argmax)
    try:
        (probe,) = next(trial)
        while True:
            behind = torch.zeros(1, len(WORDS))
            behind[0, answers(list(probe.tokens))] = 9.0
            (probe,) = trial.send(behind)
    except StopIteration as over:
        assert isinstance(over.value, LearntOpening)
        return over.value


def argmax(scores: Tensor) -> int:
    return int(scores.argmax())


def judging() -> Tensor:
    logits = torch.zeros(len(WORDS))
    logits[INTENT["judge"]] = 9.0
    return logits


def test_claims_are_written_by_the_decoder() -> None:
    wanted = opening_ids("judge", ("a dog", "the cat"), WORDS)
    made = written(lambda said: wanted[len(said)], judging(), "is it a dog or the cat?")
    assert made.claims == ("a dog", "the cat") and list(made.ids) == wanted and made.may_name


def test_a_claim_without_an_end_is_none() -> None:
    made = written(lambda said: WORDS.encode("dog")[0], judging(), "cat?")
    assert made.claims == () and made.ids[-1] == OPENING.claimed and len(made.ids) == LONGEST + 1


def test_config_and_vocabulary_agree(tmp_path: Path) -> None:
    saved_system(tmp_path / "both", intents=True)
    network, vocabulary = load_core(tmp_path / "both")
    assert network.config.intents and vocabulary.opening is not None
    save_network(tiny_network(), tiny_vocabulary(), tmp_path / "neither")
    assert load_core(tmp_path / "neither")[1].opening is None
    mixed = tiny_network(intents=True)
    save_network(mixed, Vocabulary(WORDS.tokenizer), tmp_path / "mixed")
    config = tmp_path / "mixed" / "config.json"
    config.write_text(config.read_text().replace('"intents": true', '"intents": false'))
    with pytest.raises(BadWeights, match="intents: False"):
        load_core(tmp_path / "mixed")
