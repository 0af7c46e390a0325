"""Answers that go on and on are shown and drawn with bounded work."""

from __future__ import annotations

import time

import pytest

from deixis.answers.as_text import describe
from deixis.answers.grounded import Answer, Span
from tests.answers.made import answer, place


def endless(text: str, spans: int, *, nowhere: bool = False) -> Answer:
    """An answer that says a text so many times, each of them a phrase."""
    said = tuple(
        Span(start, start + len(text), text, () if nowhere else (place(),), nowhere, 0.5)
        for start in range(0, spans * (len(text) + 1), len(text) + 1)
    )
    failures = ("a phrase has no end",) * spans
    return answer(text=f"{text} " * spans, spans=said, parse_failures=failures, question=text)


@pytest.mark.parametrize(
    "made",
    [
        endless("dog " * 1000, 1),
        endless('"' * 4000, 1),
        endless("d" * 4000, 3),
        endless("dog", 1000),
        endless('"', 1000, nowhere=True),
        endless("a dog\n" * 500, 2),
    ],
    ids=lambda made: repr(made.text[:12]),
)
def test_an_endless_answer(made: Answer) -> None:
    began = time.process_time()
    drawn = made.draw()
    described = describe(made)
    assert time.process_time() - began < 5
    assert drawn.height < 4000 and drawn.width < 2000
    lines = described[len(made.text) :].splitlines()
    assert all(len(line) < 160 for line in lines)
    assert Answer.from_json(made.to_json()) == made
