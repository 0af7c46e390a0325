"""The report: numbers with their intervals and baselines, and the protocol that they were measured by."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from deixis.data.set_aside import MOST_NAMED
from deixis.evaluation.protocol import ProtocolCard, words_for
from deixis.evaluation.runner import Asked
from deixis.files.writing import write_whole
from deixis.regions.shapes import Box, Mask, Point, Region

HEADER = ("task", "value", "95 % interval", "n", "parse failures", "baselines")
FURTHER_HEADER = ("task", "further number", "value", "95 % interval")
UNDEFINED_CELL = "undefined"


@dataclass(frozen=True)
class TaskResult:
    """The numbers of one task, rates in 0..1: its value, further ones by name, and what comes for free.

    refused: questions that the system refused; they count as wrong. intervals: of the further numbers, as
    ``ci95`` is of the value. A number is NaN where the items do not
    define it, such as a calibration error without any place.
    """

    value: float
    n: int
    ci95: tuple[float, float]
    parse_failures: int
    baselines: Mapping[str, float]
    others: Mapping[str, float]
    refused: int = 0
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the result for JSON; the further numbers stand beside ``value``, undefined ones are None."""
        return {
            "value": defined(self.value),
            "n": self.n,
            "ci95": None if math.isnan(self.value) else list(self.ci95),
            "parse_failures": self.parse_failures,
            "baselines": {name: defined(number) for name, number in self.baselines.items()},
            "refused_questions": self.refused,
            **{name: defined(number) for name, number in self.others.items()},
            "intervals": {
                name: None if math.isnan(interval[0]) else list(interval)
                for name, interval in self.intervals.items()
            },
        }


@dataclass(frozen=True)
class Report:
    """The protocol, the result of every task by name, and every item with its answer.

    run: what may differ between reports that can be compared, such as the time. further: the results of
    other readings of the very same replies, by the reading's name.
    """

    protocol: ProtocolCard
    tasks: Mapping[str, TaskResult]
    asked: tuple[Asked, ...] = ()
    run: Mapping[str, Any] = field(default_factory=dict)
    further: Mapping[str, Mapping[str, TaskResult]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"protocol": …, "run": …, "tasks": {name: …}}`` and what other readings give."""
        content: dict[str, Any] = {
            "protocol": self.protocol.to_dict(),
            "run": dict(self.run),
            "tasks": {name: result.to_dict() for name, result in self.tasks.items()},
        }
        if self.further:
            content["readings"] = {
                reading: {name: result.to_dict() for name, result in results.items()}
                for reading, results in self.further.items()
            }
        return content

    def to_json(self) -> str:
        """Return the report as JSON, with every item at its end, one a line."""
        return with_items(self.to_dict(), self.items_as_lines())

    def to_markdown(self) -> str:
        """Return tables of the results, in columns that line up, and the protocol card below them."""
        headings = {task.name: task.heading for task in self.protocol.tasks}
        named = {headings[name]: result for name, result in self.tasks.items()}
        for reading, results in self.further.items():
            named |= {f"{name}, {reading} reading": result for name, result in results.items()}
        lines = table([HEADER, *(table_row(heading, result) for heading, result in named.items())])
        further = [row for heading, result in named.items() for row in further_rows(heading, result)]
        if further:
            lines += ["", *table([FURTHER_HEADER, *further])]
        run = [f"- **{name}**: {words_for(value)}" for name, value in self.run.items() if value is not None]
        return "\n".join([*lines, "", *self.refused_lines(), self.protocol.to_markdown(), *run])

    def refused_lines(self) -> list[str]:
        """Return a list of the questions that the system refused, each once, with an empty line behind."""
        refused = [asked for asked in self.asked if asked.refused]
        if not refused:
            return []
        each = {(one.task, one.item.question): one.refused for one in refused}
        lines = [f"- {task}: “{question}” – {reason}" for (task, question), reason in each.items()]
        more = [f"- and {len(lines) - MOST_NAMED} more"] if len(lines) > MOST_NAMED else []
        heading = f"### Refused questions ({len(refused)}), counted as wrong"
        return [heading, "", *lines[:MOST_NAMED], *more, ""]

    def failures_to_markdown(self) -> str:
        """Return what was answered wrongly, and why, in tasks that say so; "" for nothing."""
        failed = [asked for asked in self.asked if asked.outcome.failure]
        failed.sort(key=lambda asked: (asked.task, asked.outcome.failure))
        lines = [failure_line(asked) for asked in failed]
        return "\n".join([f"### Failures ({len(lines)})", "", *lines]) if lines else ""

    def save_items(self, path: Path) -> None:
        """Write every item with its answer and what it earned, one JSON object a line.

        UsageError: it can't be written; a file that was there is still as it was.
        """
        write_whole(path, self.items_as_lines())

    def items_as_lines(self) -> str:
        """Return every item with its answer and what it earned, one JSON object a line."""
        return "".join(json.dumps(item_fields(asked), ensure_ascii=False) + "\n" for asked in self.asked)


def with_items(content: Mapping[str, Any], lines: str) -> str:
    """Return a report as JSON with its items, lines of JSON, as the last field, one a line."""
    head = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False).removesuffix("\n}")
    items = lines.removesuffix("\n").replace("\n", ",\n")
    return f'{head},\n  "items": [\n{items}\n  ]\n}}\n'


def table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the lines of a table whose first row is its header.

    >>> table([("task", "n"), ("naming", "12")])
    ['| task   | n  |', '|--------|----|', '| naming | 12 |']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return lines


def table_row(heading: str, result: TaskResult) -> tuple[str, ...]:
    """Return the cells of one task."""
    baselines = (f"{name.replace('_', ' ')} {percentage(rate)}" for name, rate in result.baselines.items())
    return (
        heading,
        percentage(result.value),
        interval_cell(result.ci95),
        f"{result.n:,}",
        str(result.parse_failures),
        ", ".join(baselines),
    )


def further_rows(heading: str, result: TaskResult) -> list[tuple[str, ...]]:
    """Return the cells of a task's further numbers, a row each; the task stands in the first."""
    return [
        (
            heading if number == 0 else "",
            name.replace("_", " "),
            percentage(rate),
            interval_cell(result.intervals[name]) if name in result.intervals else "",
        )
        for number, (name, rate) in enumerate(result.others.items())
    ]


def interval_cell(interval: tuple[float, float]) -> str:
    """Return an interval of a rate for a cell of the table.

    >>> interval_cell((0.1, 0.25))
    '10.0 to 25.0'
    """
    low, high = interval
    return UNDEFINED_CELL if math.isnan(low) else f"{100 * low:.1f} to {100 * high:.1f}"


def defined(number: float) -> float | None:
    """Return a number for JSON, which has no NaN: None if it is undefined."""
    return None if math.isnan(number) else number


def percentage(rate: float) -> str:
    """Return a rate for a cell of the table.

    >>> percentage(0.238), percentage(float("nan"))
    ('23.8 %', 'undefined')
    """
    return UNDEFINED_CELL if math.isnan(rate) else f"{100 * rate:.1f} %"


def failure_line(asked: Asked) -> str:
    """Return one wrong answer as a line of a list: its questions with their answers, then what is wrong."""
    questions = [question for question, _ in asked.item.before] + [asked.item.question]
    answers = [*asked.before, asked.answer]
    turns = " ".join(f"“{one}” → “{other}”" for one, other in zip(questions, answers, strict=True))
    return f"- {asked.task}, picture {asked.item.picture}: {turns} – {asked.outcome.failure}"


def item_fields(asked: Asked) -> dict[str, Any]:
    """Return an item with its answer for JSON; coordinates in pixels of the upright picture.

    Earlier questions with their answers, and what is wrong in words, stand there only where an item has them.
    """
    saved: dict[str, Any] = {
        "task": asked.task,
        "picture": asked.item.picture,
        "question": asked.item.question,
        "regions": {name: region_fields(region) for name, region in asked.item.regions},
        "truth": truth_fields(asked.item.truth),
        "answer": asked.answer,
        "places": [list(box) for box in asked.places],
        "numbers": dict(asked.outcome.numbers),
        "parse_failed": asked.outcome.parse_failed,
    }
    if asked.item.before:
        saved["before"] = [
            {
                "question": question,
                "regions": {name: region_fields(region) for name, region in regions},
                "answer": answer,
            }
            for (question, regions), answer in zip(asked.item.before, asked.before, strict=True)
        ]
    if asked.refused:
        saved["refused"] = asked.refused
    if asked.outcome.failure:
        saved["failure"] = asked.outcome.failure
    return saved


def region_fields(region: Region) -> dict[str, Any]:
    """Return a region under the name of its kind.

    >>> region_fields(Point(3, 4))
    {'point': [3.0, 4.0]}
    """
    kind = type(region).__name__.lower()
    if isinstance(region, Box):
        return {kind: list(region.as_tuple())}
    if isinstance(region, Point):
        return {kind: [region.x, region.y]}
    if isinstance(region, Mask):
        return {kind: region.to_coco()}
    return {kind: [list(point) for point in region.points]}


def truth_fields(truth: Any) -> Any:
    """Return a task's truth for JSON: boxes as their four edges, collections as lists, sets in order.

    A dataclass becomes an object of those of its fields that are not empty.
    """
    if isinstance(truth, Box):
        return list(truth.as_tuple())
    if is_dataclass(truth):
        values = {one.name: getattr(truth, one.name) for one in fields(truth)}
        return {name: truth_fields(value) for name, value in values.items() if value not in (None, ())}
    if isinstance(truth, frozenset):
        return sorted(truth)
    if isinstance(truth, Iterable) and not isinstance(truth, str):
        return [truth_fields(one) for one in truth]
    return truth
