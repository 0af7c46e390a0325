"""Reports read back from their files, of our tasks and of published benchmarks alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deixis.errors import RecordError, UsageError
from deixis.files.json_files import Fields, read_json

LARGEST_REPORT = 1 << 30
# Lines of a card that say who answered, not what was asked and how it was counted.
OF_THE_SYSTEM = frozenset(("system", "weights", "deixis", "control"))
MOST_SHOWN = 160


@dataclass(frozen=True)
class SavedItem:
    """What came of one question.

    key: the same for the same question of two reports. task: of our own tasks, "" for a benchmark's. numbers:
    what the answer earned, and that alone.
    """

    key: str
    task: str
    question: str
    answer: str
    places: tuple[tuple[float, ...], ...]
    numbers: Mapping[str, float]
    content: Mapping[str, Any]


@dataclass(frozen=True)
class SavedReport:
    """A report of a file: its card, what is said of the run, and its items."""

    path: Path
    protocol: Mapping[str, Any]
    run: Mapping[str, Any]
    items: tuple[SavedItem, ...]
    content: Mapping[str, Any]

    @property
    def system(self) -> str:
        """Who answered, with the fingerprint of the weights where it is known."""
        weights = self.protocol.get("weights")
        return f"{self.protocol['system']}" + (f" ({weights})" if weights else "")

    @property
    def benchmark(self) -> str | None:
        """The name of the benchmark; None for a report of our own tasks."""
        return None if "tasks" in self.content else str(self.protocol.get("name", ""))


def read_report(path: Path) -> SavedReport:
    """Return the report of a file; RecordError says what isn't one."""
    fields = read_json(Path(path), largest=LARGEST_REPORT)
    protocol, items = fields.values.get("protocol"), fields.values.get("items")
    run = fields.values.get("run", {})
    is_report = isinstance(protocol, dict) and "system" in protocol and isinstance(run, dict)
    if not is_report or not ({"tasks", "table"} & set(fields.values)):
        raise RecordError(f"{path} is no report of deixis evaluate --json: it has no protocol with a system")
    if not isinstance(items, list) or not items:
        raise RecordError(f"{path} has no items: it was written by an older version; measure again")
    read = saved_tasks(fields) if "tasks" in fields.values else saved_marks(fields)
    return SavedReport(Path(path), dict(protocol or {}), dict(run or {}), tuple(read), fields.values)


def saved_tasks(fields: Fields) -> list[SavedItem]:
    """Return the items of our own tasks; those with the same words about the same thing are numbered."""
    seen: dict[str, int] = {}
    found = []
    for row in fields.rows("items"):
        told = [row.values.get(name) for name in ("task", "picture", "question", "regions", "before")]
        key = repr(told)
        seen[key] = seen.get(key, 0) + 1
        found.append(
            SavedItem(
                key=f"{key} {seen[key]}",
                task=row.text("task"),
                question=row.text("question"),
                answer=row.text("answer"),
                places=places_of(row),
                numbers=numbers_of(row, row.values.get("numbers")),
                content=row.values,
            )
        )
    return found


def saved_marks(fields: Fields) -> list[SavedItem]:
    """Return the items of a benchmark."""
    found = []
    for row in fields.rows("items"):
        value = row.values.get("value")
        found.append(
            SavedItem(
                key=row.text("item"),
                task="",
                question=row.text("question"),
                answer=row.text("reply"),
                places=places_of(row),
                numbers={} if value is None else numbers_of(row, {"value": value}),
                content=row.values,
            )
        )
    return found


def places_of(row: Fields) -> tuple[tuple[float, ...], ...]:
    """Return the places of an item: x0 y0 x1 y1 in pixels, and maybe the picture's number."""
    places = row.values.get("places", [])
    if not isinstance(places, list) or not all(is_place(place) for place in places):
        raise RecordError(f"{row.where}: field 'places' is {places!r:.80}; expected lists of four numbers")
    return tuple(tuple(map(float, place)) for place in places)


def is_place(place: Any) -> bool:
    """Tell whether a value is a list of four numbers, or five."""
    return (
        isinstance(place, list) and len(place) in (4, 5) and all(type(one) in (int, float) for one in place)
    )


def numbers_of(row: Fields, values: Any) -> dict[str, float]:
    """Return the numbers of an item by their names."""
    if not isinstance(values, dict) or not all(type(one) in (int, float) for one in values.values()):
        raise RecordError(f"{row.where}: field 'numbers' is {values!r:.80}; expected numbers by name")
    return {str(name): float(value) for name, value in values.items()}


def different_lines(
    first: SavedReport, second: SavedReport, *, despite: Sequence[str] = ()
) -> dict[str, tuple[Any, Any]]:
    """Return the lines of two cards that differ and may not; despite: lines that may."""
    passed = OF_THE_SYSTEM | set(despite)
    names = dict.fromkeys([*first.protocol, *second.protocol])
    return {
        name: (first.protocol.get(name), second.protocol.get(name))
        for name in names
        if name not in passed and first.protocol.get(name) != second.protocol.get(name)
    }


def require_comparable(first: SavedReport, second: SavedReport, *, despite: Sequence[str] = ()) -> None:
    """Raise UsageError, with the lines that differ, unless two reports are of the same protocol and items."""
    known = set(first.protocol) | set(second.protocol)
    if unknown := [name for name in despite if name not in known]:
        raise UsageError(f"no card has a line {unknown[0]!r}; they have: {', '.join(sorted(known))}")
    if lines := different_lines(first, second, despite=despite):
        told = "".join(
            f"\n  {name}:"
            f"\n    {first.path}: {one!r:.{MOST_SHOWN}}\n    {second.path}: {other!r:.{MOST_SHOWN}}"
            for name, (one, other) in lines.items()
        )
        raise UsageError(
            f"these reports are not of the same protocol, and numbers of different ones can't be compared. "
            f"Lines that differ:{told}\nMeasure again under one protocol, or name lines that may differ with "
            "--despite"
        )
    if [item.key for item in first.items] != [item.key for item in second.items]:
        raise UsageError(f"{first.path} and {second.path} are not of the same questions in the same order")
