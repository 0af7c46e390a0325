"""What a run of a benchmark leaves: its table, its protocol in words, and every item with its mark."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

from deixis import __version__
from deixis.evaluation.benchmarks.asking.intervals import explained, with_intervals
from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem, Mark, Reply, Row, Scoring, Table
from deixis.evaluation.benchmarks.marking import mark_all
from deixis.evaluation.facts import data_files, digest_of_all
from deixis.evaluation.protocol import words_for
from deixis.evaluation.report import with_items

MOST_NAMED = 20


@dataclass(frozen=True)
class BenchmarkReport:
    """The numbers of one system on one benchmark, and how they came about.

    run: what may differ between reports that can be compared, such as the time. further: tables of other
    readings of the very same replies, by the reading's name.
    """

    protocol: Mapping[str, Any]
    table: Table
    items: Sequence[BenchmarkItem[Any]]
    replies: Mapping[str, Reply]
    marks: Sequence[Mark]
    run: Mapping[str, Any] = field(default_factory=dict)
    further: Mapping[str, Table] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return protocol, run and table as JSON, with every item at the end, one a line."""
        content: dict[str, Any] = {
            "protocol": dict(self.protocol),
            "run": dict(self.run),
            "table": self.table.to_dict(),
        }
        if self.further:
            content["readings"] = {name: table.to_dict() for name, table in self.further.items()}
        return with_items(content, self.items_as_lines())

    def items_as_lines(self) -> str:
        """Return every item with its reply and its mark, one JSON object a line."""
        return "".join(f"{line}\n" for line in self.lines())

    def lines(self) -> Iterator[str]:
        """Yield a line of JSON for each item."""
        for item, mark in zip(self.items, self.marks, strict=True):
            content = {
                "item": item.id,
                "pictures": [shown.name for shown in item.pictures],
                "question": item.question,
                "reply": self.replies[item.id].text,
                "places": [[*place.box, place.picture] for place in self.replies[item.id].places],
                "read": mark.read,
                "value": mark.value,
                "fault": mark.fault,
                "why": mark.why,
                **({"kinds": dict(item.kinds)} if item.kinds else {}),
                **({"numbers": dict(mark.numbers)} if mark.numbers else {}),
            }
            yield json.dumps(content, ensure_ascii=False, allow_nan=False)

    def to_markdown(self) -> str:
        """Return table and protocol for people."""
        lines = [
            "| | value | 95 % interval | of | n | unparsed | refused | unjudged |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
        ]
        lines += [row_line(name, row) for name, row in self.table.rows.items()]
        for reading, table in self.further.items():
            lines += [row_line(f"{name}, {reading} reading", row) for name, row in table.rows.items()]
        lines += ["", "### Protocol", ""]
        lines += [f"- **{name}**: {one_line(value)}" for name, value in self.protocol.items()]
        lines += [f"- **{name}**: {one_line(value)}" for name, value in self.run.items() if value is not None]
        return "\n".join(lines)


def row_line(name: str, row: Row) -> str:
    """Return a row of the table for people.

    >>> row_line("all", Row(61.84, 500, unparsed=3))
    '| all | 61.8 | | 100 | 500 | 3 | 0 | 0 |'
    """
    value = "undefined" if row.value is None else f"{row.value:.1f}"
    interval = "" if row.ci95 is None else "{:.1f} to {:.1f} ".format(*row.ci95)
    counts = f"{row.n:,} | {row.unparsed} | {row.refused} | {row.unjudged}"
    return f"| {name} | {value} | {interval}| {row.most:g} | {counts} |"


def one_line(value: Any) -> str:
    """Return a value of the protocol on one line.

    >>> one_line("Why?\\nBecause.")
    'Why?\\\\nBecause.'
    """
    return words_for(value).replace("\n", "\\n")


@dataclass(frozen=True)
class Drawn:
    """Which questions were asked, and of what. data: the folder or file that they were read from."""

    data: Path | None = None
    split: str | None = None
    limit: int | None = None
    seed: int = 0
    max_new_tokens: int | None = None


def report(
    benchmark: Benchmark[Any],
    items: Sequence[BenchmarkItem[Any]],
    replies: Mapping[str, Reply],
    scoring: Scoring,
    *,
    system: str,
    weights: str = "",
    drawn: Drawn = Drawn(),
    asking: Mapping[str, str] | None = None,
    run: Mapping[str, Any] | None = None,
) -> BenchmarkReport:
    """Return the report of a system's replies.

    weights: the fingerprint of the network. asking: how a model of an endpoint takes regions and writes
    places. run: what the report says of the run. RecordError: an item has no reply. UsageError: the benchmark
    has no such rules.
    """
    benchmark.check(scoring)
    marks, table = marked(benchmark, items, replies, scoring, seed=drawn.seed)
    further = {}
    if benchmark.score_leniently is not None:
        lenient = replace(benchmark, score=benchmark.score_leniently)
        further["lenient"] = marked(lenient, items, replies, scoring, seed=drawn.seed)[1]
    protocol: dict[str, Any] = {
        **benchmark.protocol(scoring),
        "judge_prompt": judge_prompt(benchmark, items) if scoring.judge is not None else "none",
        "name": benchmark.name,
        "system": system,
        "weights": weights or None,
        "data": None if drawn.data is None else Path(drawn.data).resolve().name,
        "split": drawn.split or "all",
        "data_files": None if drawn.data is None else data_files(Path(drawn.data)),
        "pictures_shown": digest_of_pictures(items),
        "items": sum(not item.left_out for item in items),
        **left_out(items),
        "questions": digest_of(benchmark, items),
        "limit": drawn.limit,
        "seed": drawn.seed,
        "decoding": "greedy",
        "max_new_tokens": drawn.max_new_tokens or benchmark.max_new_tokens,
        "ci95": explained(benchmark, len(items)),
        **(asking or {}),
        "deixis": __version__,
    }
    return BenchmarkReport(protocol, table, tuple(items), replies, tuple(marks), run or {}, further)


def marked(
    benchmark: Benchmark[Any],
    items: Sequence[BenchmarkItem[Any]],
    replies: Mapping[str, Reply],
    scoring: Scoring,
    *,
    seed: int,
) -> tuple[list[Mark], Table]:
    """Return the marks of replies, and the table that they add up to, with intervals."""
    marks = mark_all(benchmark, items, replies, scoring)
    return marks, with_intervals(benchmark, items, marks, benchmark.tabulate(items, marks), seed=seed)


def left_out(items: Sequence[BenchmarkItem[Any]]) -> dict[str, Any]:
    """Return the line of a card on what could not be asked; nothing where everything could."""
    named = [f"{item.id}: {item.left_out}" for item in items if item.left_out]
    return {"left_out": {"count": len(named), "named": named[:MOST_NAMED]}} if named else {}


def judge_prompt(benchmark: Benchmark[Any], items: Sequence[BenchmarkItem[Any]]) -> str:
    """Return a digest of what a judge is told, from the package's files or from the data."""
    if benchmark.judge_told is not None:
        return digest_of_all(sorted({benchmark.judge_told(item) for item in items}))
    kinds = resources.files("deixis.evaluation.benchmarks")
    wanted = f"{benchmark.name.removesuffix('_cn')}_judge.json"
    for folder in (kinds, *(one for one in kinds.iterdir() if one.is_dir())):
        if (file := folder.joinpath(wanted)).is_file():
            return digest_of_all([file.read_text(encoding="utf-8")])
    return "a file of the data"


def digest_of_pictures(items: Sequence[BenchmarkItem[Any]]) -> str:
    """Return a digest of the names and bytes of all pictures that are asked about."""
    shown = dict.fromkeys(one for item in items if not item.left_out for one in item.pictures)
    return digest_of_all(sorted([one.name, one.digest()] for one in shown))


def digest_of(benchmark: Benchmark[Any], items: Sequence[BenchmarkItem[Any]]) -> str:
    """Return what stands for the questions, with their truths and the names of their pictures.

    Questions whose answers are to be words alone (``Benchmark.words_only``) are others than those without.
    """
    digest = hashlib.sha256(b"words only\n" if benchmark.words_only else b"")
    for item in items:
        pictures = [shown.name for shown in item.pictures]
        asked = json.dumps([item.id, benchmark.prompt(item), repr(item.truth), pictures])
        digest.update(asked.encode("ascii") + b"\n")
    return digest.hexdigest()[:16]
