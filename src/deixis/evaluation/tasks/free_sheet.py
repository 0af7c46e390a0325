"""The sheet of the free task: questions that people would type about photos of a dataset, with what is true.

The sheet is a JSON file beside this module: a header that names the dataset and its split, and one entry a
question. It holds no photos and no captions; coordinates are in pixels of the stored picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, Literal, NoReturn, get_args

from deixis.errors import BadRegion, RecordError
from deixis.evaluation.metrics.answer_kinds import ANSWER_KINDS, AnswerKind
from deixis.evaluation.task import Item, Question
from deixis.evaluation.tasks.sheet_file import rows_in
from deixis.files.json_files import Fields
from deixis.records.record_fields import check_keys, numbers, parse_regions, shown
from deixis.regions.frames import Frame
from deixis.regions.names import names_in
from deixis.regions.shapes import Box

SheetKind = Literal[
    "name", "describe", "where", "where_attributes", "how_many", "is_there", "not_there", "two_turn"
]
SHEET_KINDS: tuple[SheetKind, ...] = get_args(SheetKind)
FIELDS = ("id", "kind", "expects", "picture", "size", "turns", "truth")
EXPECTED: Mapping[str, AnswerKind] = {
    "name": "name",
    "describe": "describe",
    "where": "where",
    "where_attributes": "where",
    "how_many": "how_many",
    "is_there": "yes_no",
}
TRUTHS: Mapping[AnswerKind, str] = {
    "name": "nouns",
    "describe": "nouns",
    "where": "boxes",
    "how_many": "count",
    "yes_no": "present",
}


@dataclass(frozen=True)
class FreeTruth:
    """What is known of one entry: what its last question asks for, and the one thing that it is judged by.

    size: width and height of the stored picture, in whose pixels all coordinates are. nouns: what the thing
    or, for a count, the things may be called. boxes: where it is, any of them. count: how many there are.
    present: whether it is there; also given for a "where" about something that is not there.
    """

    id: str
    kind: SheetKind
    expects: AnswerKind
    size: tuple[int, int]
    nouns: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()
    count: int | None = None
    present: bool | None = None


FreeItem = Item[FreeTruth]


def read_free_sheet() -> list[FreeItem]:
    """Return the entries of the packaged sheet, in its order; RecordError says which field is wrong."""
    file = resources.files("deixis.evaluation.tasks").joinpath("free_sheet.json")
    return parse_free_sheet(file.read_text(encoding="utf-8"), where="free_sheet.json")


def parse_free_sheet(text: str, *, where: str) -> list[FreeItem]:
    """Return the entries of a sheet; RecordError names the entry and the field of what is wrong."""
    return [entry_of(row) for row in rows_in(text, where=where)]


def entry_of(row: Fields) -> FreeItem:
    """Return one entry as an item: its last question, the ones before it, and what is true."""

    def wrong(field: str, message: str) -> NoReturn:
        raise RecordError(f"{row.where}: field {field!r} {message}")

    check_keys(row.values, FIELDS, wrong)
    kind = row.text("kind")
    if kind not in SHEET_KINDS:
        wrong("kind", f"is {kind!r}; expected one of {', '.join(SHEET_KINDS)}")
    size = row.whole_numbers("size")
    if len(size) != 2 or min(size) < 1:
        wrong("size", f"is {shown(list(size))}; expected width and height of the stored picture")
    frame = Frame.original(*size)
    turns = tuple(turn_of(turn, frame) for turn in row.rows("turns"))
    if len(turns) != (2 if kind == "two_turn" else 1):
        wrong("turns", f"has {len(turns)}; expected two for two_turn, one for all other kinds")
    *before, (question, regions) = turns
    return Item(
        row.text("picture"),
        question,
        truth=truth_of(row, kind, frame),
        regions=regions,
        before=tuple(before),
    )


def turn_of(row: Fields, frame: Frame) -> Question:
    """Return a question with its regions, which are those that its words name in braces."""

    def wrong(field: str, message: str) -> NoReturn:
        raise RecordError(f"{row.where}: field {field!r} {message}")

    check_keys(row.values, ("question", "regions"), wrong)
    question = row.text("question")
    if not question.strip():
        wrong("question", "has no words")
    regions = parse_regions(row.values.get("regions"), frame, wrong)
    named = names_in(question)
    if sorted(set(named)) != sorted(name for name, _ in regions):
        wrong("regions", f"has {[name for name, _ in regions]}; the question names {named}")
    return question, regions


def truth_of(row: Fields, kind: SheetKind, frame: Frame) -> FreeTruth:
    """Return what is true of an entry: the one field that answers of the expected kind are judged by."""
    expects = EXPECTED.get(kind) or row.text("expects")
    legal = ("where", "yes_no") if kind == "not_there" else ANSWER_KINDS
    if expects not in legal:
        raise RecordError(f"{row.where}: field 'expects' is {expects!r}; expected one of {', '.join(legal)}")
    if kind in EXPECTED and "expects" in row.values:
        raise RecordError(f"{row.where}: field 'expects' is only for not_there and two_turn; kind is {kind}")
    needed = "present" if kind == "not_there" else TRUTHS[expects]
    values = row.values.get("truth")
    fields = {needed, "nouns"} if needed == "count" else {needed}
    if not isinstance(values, dict) or set(values) != fields:
        names = " and ".join(map(repr, sorted(fields)))
        raise RecordError(f"{row.where}: field 'truth' is {shown(values)}; expected an object with {names}")
    truth = Fields(values, f"{row.where} truth")
    width, height = map(round, frame.size)
    known = FreeTruth(row.text("id"), kind, expects, size=(width, height))
    if "nouns" in fields:
        known = replace(known, nouns=filled(truth.texts("nouns"), truth, "nouns"))
    if needed == "nouns":
        return known
    if needed == "boxes":
        boxes = tuple(box_of(edges, truth, frame) for edges in listed(truth, "boxes"))
        return replace(known, boxes=filled(boxes, truth, "boxes"))
    if needed == "count":
        return replace(known, count=truth.whole("count", least=1))
    present = truth.flag("present")
    if kind in ("is_there", "not_there") and present != (kind == "is_there"):
        raise RecordError(f"{truth.where}: field 'present' is {shown(present)} for kind {kind}")
    return replace(known, present=present)


def listed(fields: Fields, name: str) -> list[Any]:
    """Return a field that is a list; RecordError for any other."""
    value = fields.values[name]
    if not isinstance(value, list):
        raise RecordError(f"{fields.where}: field {name!r} is {shown(value)}; expected a list")
    return value


def filled(values: tuple[Any, ...], fields: Fields, name: str) -> tuple[Any, ...]:
    """Return values of which there is at least one; RecordError for none."""
    if not values:
        raise RecordError(f"{fields.where}: field {name!r} is empty; expected at least one")
    return values


def box_of(edges: Any, fields: Fields, frame: Frame) -> Box:
    """Return a true box; RecordError if it is none, or lies outside the picture."""
    try:
        return Box(*numbers(edges, "x0, y0, x1, y1"), frame=frame).clipped(frame)
    except (RecordError, BadRegion) as fault:
        raise RecordError(f"{fields.where}: field 'boxes' {fault}") from fault
