"""Questions that a system refuses are wrong and named; the rest is measured."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from deixis.answers.grounded import Answer
from deixis.data.scene import Scene
from deixis.data.sources.pack import read_pack
from deixis.errors import UsageError
from deixis.evaluation.evaluating import evaluate
from deixis.evaluation.refusals import refusal
from deixis.evaluation.report import item_fields
from deixis.evaluation.runner import ask_about
from deixis.evaluation.tasks import TASKS
from deixis.pictures.opening import Picture
from deixis.regions.shapes import Region
from tests.evaluation.answering import Fake, Truthful, said
from tests.systems.pointer.tiny import noise_picture
from tests.toy.pack import write_toy_pack


class Refusing(Truthful):
    """Knows the truth, and refuses the questions about which it is told so."""

    def __init__(self, scenes: Sequence[Scene], *, refused: frozenset[str]) -> None:
        super().__init__(scenes)
        self.refused = refused

    def answer(self, picture: Picture, question: str, regions: Mapping[str, Region]) -> Answer:
        if question in self.refused:
            raise UsageError("words that this system can't spell: 30°")
        return super().answer(picture, question, regions)


@pytest.fixture
def scenes(tmp_path: Path) -> list[Scene]:
    return read_pack(write_toy_pack(tmp_path, pictures=12), "val")


def test_refused_questions_are_wrong_and_the_rest_is_measured(scenes: list[Scene]) -> None:
    task = TASKS["grounding"]
    items = task.items(scenes, 0)
    refused = frozenset([items[0].question])
    count = sum(item.question in refused for item in items)
    assert 0 < count < len(items)
    report = evaluate(Refusing(scenes, refused=refused), scenes, [task], data="toy", split="val")
    result = report.tasks["grounding"]
    assert result.n == len(items) and result.refused == count and result.parse_failures == 0
    assert result.value == pytest.approx(1 - count / len(items))
    assert report.to_dict()["tasks"]["grounding"]["refused_questions"] == count
    written = report.to_markdown()
    assert f"### Refused questions ({count}), counted as wrong" in written
    assert f"“{items[0].question}” – words that this system can't spell: 30°" in written
    lines = [json.loads(line) for line in report.items_as_lines().splitlines()]
    assert [line["refused"] for line in lines if "refused" in line] == [
        "words that this system can't spell: 30°"
    ] * count
    assert all(not line["numbers"]["any_box"] for line in lines if "refused" in line)


@pytest.mark.parametrize("name", sorted(set(TASKS) - {"free"}))
def test_no_task_takes_a_refusal_for_right(name: str, scenes: list[Scene]) -> None:
    answer = refusal(noise_picture(40, 30), "it can't")
    for item in TASKS[name].items(scenes, 0):
        outcome = TASKS[name].score(answer, item)
        right = [
            outcome.numbers.get(name) for name in ("right", "any_box", "merged", "refused", "absent_right")
        ]
        assert outcome.parse_failed and not any(right)


def test_nothing_refused_is_no_list(scenes: list[Scene]) -> None:
    report = evaluate(Truthful(scenes), scenes, [TASKS["grounding"]], data="toy", split="val")
    assert "Refused" not in report.to_markdown() and report.tasks["grounding"].refused == 0
    assert all("refused" not in item_fields(one) for one in report.asked)


def test_a_system_that_refuses_everything_is_an_error(scenes: list[Scene]) -> None:
    every = frozenset(item.question for item in TASKS["grounding"].items(scenes, 0))
    with pytest.raises(UsageError, match=r"all \d+ questions are refused; the first: words that"):
        evaluate(Refusing(scenes, refused=every), scenes, [TASKS["grounding"]], data="toy", split="val")


def test_what_follows_a_refused_question_is_refused() -> None:
    class Talking(Fake):
        def ask(self, picture: Picture, question: list[str], **more: Any) -> list[Answer]:
            if "30°?" in question:
                raise UsageError("can't spell 30°")
            return [said(picture, "Yes.") for _ in question]

    first, other = ("30°?", ()), ("a dog?", ())
    answers = ask_about(Talking(), noise_picture(40, 30), [(first, other), (other, other)])
    assert [answers[one].text for one in [(first,), (first, other), (other,), (other, other)]] == [
        "",
        "",
        "Yes.",
        "Yes.",
    ]
    assert answers[first, other].parse_failures == ("refused: can't spell 30°",)
