"""Evaluation items of Ferret-UI: questions about screens, some of which point at an element by its box.

A file is a JSON list in the format of the training records: id, image, image_w, image_h, conversations of
{from, value}, and box_x1y1x2y2 with one list of pixel boxes a turn, for ``<bbox_location0>`` and so on.
The find tasks are scored as referring expressions with IoU > 0.5 (``Overlap(inclusive=False)``).
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from deixis.answers.reading.dialects import thousandth
from deixis.errors import RecordError
from deixis.evaluation.benchmarks.predictions import identifier, paired
from deixis.evaluation.metrics.rules import Rules, check_rules, share
from deixis.evaluation.pointed import PointedQuestion, Pointing
from deixis.files.json_files import Fields
from deixis.files.json_lists import read_json_list

Key = TypeVar("Key", bound=Hashable)
IMAGE_LINE = "<image>\n"
PLACEHOLDER = re.compile(r"<bbox_location(\d{1,6})>")
QUOTES = "\"'“”‘’"


@dataclass(frozen=True)
class ScreenItem:
    """A question about a picture of ``width`` x ``height`` pixels, and the answer that the file gives."""

    id: str
    picture: str
    width: int
    height: int
    question: PointedQuestion
    answer: str | None = None


@dataclass(frozen=True)
class TextScores:
    """The share of answers that are the expected text; parse_failures: answers without any text."""

    n: int
    value: float | None
    parse_failures: int


def read_screen_items(path: Path, *, protocol: Rules = "corrected") -> list[ScreenItem]:
    """Return the items of a file in its order; RecordError names the entry and the field that is wrong."""
    return [screen_item(fields, protocol=protocol) for fields in read_json_list(Path(path))]


def screen_item(fields: Fields, *, protocol: Rules = "corrected") -> ScreenItem:
    """Return one item; RecordError says which field is wrong.

    published: of a question that begins with ``<image>`` on a line of its own only the second line is asked.
    corrected: all of it.
    """
    check_rules(protocol)
    width, height = (fields.whole(side, least=1) for side in ("image_w", "image_h"))
    turns = [(row.text("from"), row.text("value")) for row in fields.rows("conversations")]
    if not turns or turns[0][0] != "human":
        raise RecordError(f"{fields.where}: the first turn is not of 'human'; expected the question there")
    text = turns[0][1]
    if text.startswith(IMAGE_LINE):
        lines = text.removeprefix(IMAGE_LINE)
        text = lines.split("\n")[0] if protocol == "published" else lines
    pointings: dict[str, Pointing] = {}

    def named(match: re.Match[str]) -> str:
        place = box_at(fields, int(match[1]))
        sides = [width, height] * (len(place) // 2)
        name = f"box{int(match[1])}"
        pointings[name] = Pointing(name, tuple(map(thousandth, place, sides)), place)
        return f"{{{name}}}"

    text = PLACEHOLDER.sub(named, text)
    answers = [value for speaker, value in turns[1:2] if speaker == "gpt"]
    return ScreenItem(
        id=identifier(fields, "id"),
        picture=fields.text("image"),
        width=width,
        height=height,
        question=PointedQuestion(text, tuple(pointings.values())),
        answer=answers[0] if answers else None,
    )


def box_at(fields: Fields, index: int) -> tuple[float, ...]:
    """Return box ``index`` of the first turn, or a point of two numbers, in pixels."""
    per_turn: Any = fields.values.get("box_x1y1x2y2")
    try:
        place: Sequence[Any] = per_turn[0][index]
        numbers = tuple(float(number) for number in place)
    except (TypeError, ValueError, IndexError, KeyError):
        numbers = ()
    if len(numbers) not in (2, 4):
        raise RecordError(
            f"{fields.where}: <bbox_location{index}> has no box in the first list of 'box_x1y1x2y2'; "
            "expected x0, y0, x1, y1 in pixels there"
        )
    return numbers


def score_texts(
    expected: Mapping[Key, str], answers: Mapping[Key, str], *, protocol: Rules = "corrected"
) -> TextScores:
    """Return how many answers are the expected text (OCR) or class (icons, widgets), by the same ids.

    published: the very text, but for white space around it. corrected: case, runs of white space, quotation
    marks around it and a full stop behind it don't matter.
    """
    check_rules(protocol)
    right = failures = 0
    for truth, text in paired(expected, answers, of="items"):
        failures += not text.strip()
        right += plain(truth, protocol=protocol) == plain(text, protocol=protocol) and bool(text.strip())
    return TextScores(len(expected), share(right, len(expected)), failures)


def plain(text: str, *, protocol: Rules = "corrected") -> str:
    """Return a text without what doesn't matter for its score.

    >>> plain(' "Sign  In". ')
    'sign in'
    """
    text = text.strip()
    if protocol == "published":
        return text
    return " ".join(text.removesuffix(".").strip(QUOTES).removesuffix(".").casefold().split())
