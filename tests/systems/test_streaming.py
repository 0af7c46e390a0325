"""Answers while they are written: cancelling, asking for them too early, leaving them half read."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from deixis.engine.policy import Delta
from deixis.errors import FrameMismatch, UsageError
from deixis.regions.shapes import Point
from deixis.systems.contract import System
from tests.systems.decoding import reads_of
from tests.systems.ferret.tiny import fresh_ferret
from tests.systems.pointer.tiny import noise_picture, tiny_system

PICTURE = noise_picture()
MAKE: dict[str, Callable[[], System]] = {"pointer": tiny_system, "ferret": fresh_ferret}


@pytest.fixture(params=MAKE)
def system(request: pytest.FixtureRequest) -> System:
    return MAKE[request.param]()


def steps_of(system: System, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows with every step of the decoder."""
    stepped: list[int] = []
    step = system.decoder.step

    def noting(store: Any, rows: Sequence[int], vectors: Tensor, **more: Any) -> Tensor:
        stepped.append(len(rows))
        return step(store, rows, vectors, **more)

    monkeypatch.setattr(system.decoder, "step", noting)
    return stepped


def test_a_stream_is_an_iterator_and_then_the_answer(system: System) -> None:
    stream = system.stream(PICTURE, "where is the dog?", max_new_tokens=6)
    assert iter(stream) is stream
    deltas = list(stream)
    assert all(isinstance(delta, Delta) for delta in deltas) and deltas[-1].ended
    assert not any(delta.ended for delta in deltas[:-1])
    answer = stream.answer
    assert answer.text == "".join(delta.text for delta in deltas) and answer.question == "where is the dog?"
    assert answer.pictures == (PICTURE,) and answer.seconds > 0
    assert list(stream) == [] and stream.answer is answer


def test_the_answer_is_not_there_before_the_end(system: System) -> None:
    stream = system.stream(PICTURE, "where is the dog?", max_new_tokens=4, logprobs=True)
    for early in (lambda: None, lambda: next(stream)):
        early()
        with pytest.raises(UsageError, match="still being written; read the stream to its end first"):
            _ = stream.answer
    for _ in stream:
        pass
    assert stream.answer.raw is not None and stream.answer.raw.ids


def test_a_cancelled_answer_ends_at_its_next_token(system: System) -> None:
    whole = system.ask(PICTURE, "where is the dog?", max_new_tokens=20)
    assert whole.raw is not None and len(whole.raw.ids) > 4
    stream = system.stream(PICTURE, "where is the dog?", max_new_tokens=20)
    next(stream)
    next(stream)
    stream.cancel()
    rest = list(stream)
    assert len(rest) == 1 and rest[0].ended
    answer = stream.answer
    assert answer.finish == "cancelled" and answer.raw is not None
    assert answer.raw.ids == whole.raw.ids[:3]
    assert len(answer.parse_failures) == 1 and "was cancelled" in answer.parse_failures[0]


def test_cancelled_before_it_began_it_says_one_token(system: System) -> None:
    stream = system.stream(PICTURE, "where is the dog?", max_new_tokens=20)
    stream.cancel()
    list(stream)
    assert stream.answer.finish == "cancelled" and stream.answer.raw is not None
    assert len(stream.answer.raw.ids) == 1
    stream.cancel()  # over already: nothing happens
    assert stream.answer.finish == "cancelled"


def test_each_delta_costs_one_step(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left half read costs nothing more, and the next question is answered as if it had not been."""
    expected = system.ask(PICTURE, "what is there?", max_new_tokens=6).text
    stepped = steps_of(system, monkeypatch)
    stream = system.stream(PICTURE, "where is the dog?", max_new_tokens=30)
    assert stepped == []
    for count in (1, 2, 3):
        next(stream)
        assert len(stepped) in (count - 1, count)
    done = len(stepped)
    del stream
    gc.collect()
    assert len(stepped) == done
    assert system.ask(PICTURE, "what is there?", max_new_tokens=6).text == expected


def test_two_streams_of_one_system_do_not_meet(system: System) -> None:
    texts = ("where is the dog?", "what is there?")
    whole = [system.ask(PICTURE, text, max_new_tokens=8) for text in texts]
    streams = [system.stream(PICTURE, text, max_new_tokens=8) for text in texts]
    said = ["", ""]
    for _ in range(9):
        for number, stream in enumerate(streams):
            said[number] += next(stream, Delta()).text
    assert said == [answer.text for answer in whole]


def test_mistakes_show_when_it_is_asked_for_not_when_it_is_read(system: System) -> None:
    for wrong, fault in (
        ({"temperature": -1}, UsageError),
        ({"it": Point(3, 3)}, UsageError),
        ({"before": [system.ask(noise_picture(seed=3), "what?", max_new_tokens=1)]}, FrameMismatch),
    ):
        with pytest.raises(fault):
            system.stream(PICTURE, "what is there?", **wrong)  # type: ignore[arg-type]


def test_what_a_stream_read_serves_the_next_question() -> None:
    """Once it is over: it goes on as a dialogue."""
    system = tiny_system()
    stream = system.stream(PICTURE, "where is the dog?", max_new_tokens=6)
    list(stream)
    picture_tokens = system.network.config.picture_tokens
    with reads_of(system.decoder) as read:
        system.ask(PICTURE, "and the hat?", before=[stream.answer], max_new_tokens=4)
    assert sum(read[0]) < 12 < picture_tokens, "picture, question and answer were read already"
    with reads_of(system.decoder) as read:
        list(system.stream(PICTURE, "is it red?", max_new_tokens=4))
    assert sum(read[0]) < 12


def test_a_stream_of_a_saved_system(tmp_path: Path) -> None:
    from deixis.systems import load

    tiny_system().save(tmp_path)
    stream = load(tmp_path, device="cpu").stream(PICTURE, "what?", max_new_tokens=2)
    assert sum(len(delta.text) for delta in stream) == len(stream.answer.text)
