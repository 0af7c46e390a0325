"""The second sheet of the free task, and that of the unanswerable task: what people ask of a photo at once.

Both are JSON files beside this module, written before anything was trained for such questions. The second
sheet asks for colours, what someone does, wears and holds, yes or no, numbers, the whole picture, and what
nobody can tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Literal, NoReturn, get_args

from deixis.errors import RecordError
from deixis.evaluation.task import Item
from deixis.evaluation.tasks.sheet_file import rows_in
from deixis.files.json_files import Fields
from deixis.records.record_fields import check_keys, parse_regions, shown
from deixis.regions.frames import Frame
from deixis.regions.names import names_in
from deixis.regions.shapes import Region

AskedKind = Literal["colour", "activity", "wearing", "holding", "yes_no", "count", "whole", "refuse"]
ASKED_KINDS: tuple[AskedKind, ...] = get_args(AskedKind)
CANNOT = ("reading", "name", "why", "outside", "verdict", "language", "nonsense")
CAN = (
    "where", "name", "describe", "how_many", "presence", "colour", "doing", "wearing", "relation", "whole",
)  # fmt: skip
Regions = tuple[tuple[str, Region], ...]


@dataclass(frozen=True)
class AskedTruth:
    """What is true of an entry of the second sheet: the one thing that its answer is judged by.

    words: of which an answer has one. yes: the verdict. count: how many. None of them: it can't be answered.
    """

    id: str
    kind: AskedKind
    size: tuple[int, int]
    words: tuple[str, ...] = ()
    yes: bool | None = None
    count: int | None = None

    @property
    def unanswerable(self) -> bool:
        """Whether it can't be answered."""
        return not self.words and self.yes is None and self.count is None


@dataclass(frozen=True)
class AnswerableTruth:
    """Whether a question can be answered, and of which sort it is, see CAN and CANNOT."""

    id: str
    kind: str
    size: tuple[int, int]
    answerable: bool


def read_asked_sheet() -> list[Item[AskedTruth]]:
    """Return the entries of the second sheet of the free task, in order; RecordError says what is wrong."""
    return [asked_entry(row) for row in rows_of("asked_sheet.json")]


def read_unanswerable_sheet() -> list[Item[AnswerableTruth]]:
    """Return the entries of the sheet of the unanswerable task; RecordError says what is wrong."""
    return [answerable_entry(row) for row in rows_of("unanswerable_sheet.json")]


def rows_of(name: str) -> Sequence[Fields]:
    """Return the entries of a packaged sheet."""
    text = resources.files("deixis.evaluation.tasks.skills").joinpath(name).read_text(encoding="utf-8")
    return rows_in(text, where=name)


def asked_entry(row: Fields) -> Item[AskedTruth]:
    """Return an entry of the second sheet as an item."""
    kind = row.text("kind")
    if kind not in ASKED_KINDS:
        raise RecordError(f"{row.where}: field 'kind' is {kind!r}; expected one of {', '.join(ASKED_KINDS)}")
    question, regions, size = question_of(row, ("truth",))
    values = row.values.get("truth")
    known = ("words", "yes", "count", "unanswerable")
    if not isinstance(values, dict) or len(values) != 1 or next(iter(values)) not in known:
        raise RecordError(
            f"{row.where}: field 'truth' is {shown(values)}; expected an object with one of "
            f"{', '.join(known)}"
        )
    truth, field = Fields(values, f"{row.where} truth"), next(iter(values))
    if (field == "unanswerable") != (kind == "refuse"):
        raise RecordError(f"{row.where}: field 'truth' has {field!r}, which does not go with kind {kind}")
    made = AskedTruth(
        row.text("id"),
        kind,
        size,
        words=tuple(word.lower() for word in truth.texts("words")) if field == "words" else (),
        yes=truth.flag("yes") if field == "yes" else None,
        count=truth.whole("count", least=1) if field == "count" else None,
    )
    if made.unanswerable != (field == "unanswerable"):
        raise RecordError(f"{truth.where}: field {field!r} is empty; expected at least one")
    return Item(row.text("picture"), question, truth=made, regions=regions)


def answerable_entry(row: Fields) -> Item[AnswerableTruth]:
    """Return an entry of the unanswerable sheet as an item."""
    answerable, kind = row.flag("answerable"), row.text("kind")
    legal = CAN if answerable else CANNOT
    if kind not in legal:
        raise RecordError(f"{row.where}: field 'kind' is {kind!r}; expected one of {', '.join(legal)}")
    question, regions, size = question_of(row, ("answerable",))
    truth = AnswerableTruth(row.text("id"), kind, size, answerable)
    return Item(row.text("picture"), question, truth=truth, regions=regions)


def question_of(row: Fields, further: Sequence[str]) -> tuple[str, Regions, tuple[int, int]]:
    """Return the question of an entry, what it points at, and the size of its picture."""

    def wrong(field: str, message: str) -> NoReturn:
        raise RecordError(f"{row.where}: field {field!r} {message}")

    check_keys(row.values, ("id", "kind", "picture", "size", "question", "regions", *further), wrong)
    size = row.whole_numbers("size")
    if len(size) != 2 or min(size) < 1:
        wrong("size", f"is {shown(list(size))}; expected width and height of the stored picture")
    question = row.text("question")
    regions = parse_regions(row.values.get("regions", {}), Frame.original(*size), wrong)
    if sorted(set(names_in(question))) != sorted(name for name, _ in regions):
        wrong("regions", f"has {[name for name, _ in regions]}; the question names {names_in(question)}")
    return question, regions, (size[0], size[1])
