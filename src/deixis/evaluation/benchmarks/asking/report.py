"""What a run of a benchmark leaves: its table, its protocol in words, and every item with its mark."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deixis import __version__
from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem, Mark, Reply, Row, Scoring, Table
from deixis.evaluation.benchmarks.marking import mark_all


@dataclass(frozen=True)
class BenchmarkReport:
    """The numbers of one system on one benchmark, and how they came about."""

    protocol: Mapping[str, Any]
    table: Table
    items: Sequence[BenchmarkItem[Any]]
    replies: Mapping[str, Reply]
    marks: Sequence[Mark]

    def to_json(self) -> str:
        """Return protocol and table as JSON."""
        content = {"protocol": dict(self.protocol), "table": self.table.to_dict()}
        return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def items_as_lines(self) -> str:
        """Return every item with its reply and its mark, one JSON object a line."""
        return "".join(f"{line}\n" for line in self.lines())

    def lines(self) -> Iterator[str]:
        """Yield a line of JSON for each item."""
        for item, mark in zip(self.items, self.marks, strict=True):
            content = {
                "item": item.id,
                "question": item.question,
                "reply": self.replies[item.id].text,
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
            "| | value | of | n | unparsed | refused | unjudged |",
            "| --- | --- | --- | --- | --- | --- | --- |",
        ]
        lines += [row_line(name, row) for name, row in self.table.rows.items()]
        lines += ["", "### Protocol", ""]
        lines += [f"- **{name}**: {one_line(value)}" for name, value in self.protocol.items()]
        return "\n".join(lines)


def row_line(name: str, row: Row) -> str:
    """Return a row of the table for people.

    >>> row_line("all", Row(61.84, 500, unparsed=3))
    '| all | 61.8 | 100 | 500 | 3 | 0 | 0 |'
    """
    value = "undefined" if row.value is None else f"{row.value:.1f}"
    return (
        f"| {name} | {value} | {row.most:g} | {row.n:,} | {row.unparsed} | {row.refused} | {row.unjudged} |"
    )


def one_line(value: Any) -> str:
    """Return a value of the protocol on one line.

    >>> one_line("Why?\\nBecause.")
    'Why?\\\\nBecause.'
    """
    return str(value).replace("\n", "\\n")


def report(
    benchmark: Benchmark[Any],
    items: Sequence[BenchmarkItem[Any]],
    replies: Mapping[str, Reply],
    scoring: Scoring,
    *,
    system: str,
    weights: str = "",
    data: Path | None = None,
    limit: int | None = None,
    seed: int = 0,
    max_new_tokens: int | None = None,
) -> BenchmarkReport:
    """Return the report of a system's replies.

    weights: the fingerprint of the network. data: the folder or file that items were read from; limit, seed:
    which of them were drawn. RecordError: an item has no reply. UsageError: the benchmark has no such rules.
    """
    benchmark.check(scoring)
    marks = mark_all(benchmark, items, replies, scoring)
    protocol: dict[str, Any] = {
        **benchmark.protocol(scoring),
        "system": system,
        "weights": weights or None,
        "data": None if data is None else Path(data).resolve().name,
        "items": len(items),
        "questions": digest_of(benchmark, items),
        "limit": limit,
        "seed": seed,
        "max_new_tokens": max_new_tokens or benchmark.max_new_tokens,
        "deixis": __version__,
    }
    return BenchmarkReport(protocol, benchmark.tabulate(items, marks), tuple(items), replies, tuple(marks))


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
