"""Reports of this package in the form of lmms-eval's results, for programs that read those."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

HALF_WIDTH = 1.959963984540054  # of a 95 % interval, in standard errors


def as_results(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return a report, as ``deixis evaluate --json`` writes it, in the form of lmms-eval's results.

    A standard error is that of which our 95 % interval would be the normal one. Values keep their scale:
    up to 1 for a task, up to 100 or whatever its paper prints for a benchmark.
    """
    card, table = report["protocol"], report.get("tasks") or {report["protocol"]["name"]: first(report)}
    results = {}
    for name, row in table.items():
        low, high = row.get("ci95") or (None, None)
        error = None if low is None else (high - low) / (2 * HALF_WIDTH)
        results[name] = {"alias": name, "value,none": row["value"], "value_stderr,none": error}
    samples = {name: {"original": row["n"], "effective": row["n"]} for name, row in table.items()}
    return {"results": results, "n-samples": samples, "model_name": card["system"], "config": dict(card)}


def results_file(report: str) -> str:
    """Return the text of lmms-eval's file of results; report: the text that ``--json`` writes."""
    return json.dumps(as_results(json.loads(report)), indent=2) + "\n"


def first(report: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the first row of a benchmark's table."""
    row: Mapping[str, Any] = next(iter(report["table"].values()))
    return row
