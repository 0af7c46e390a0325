"""The files that ``deixis evaluate`` writes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Protocol

from deixis.cli.saving import save_or_print


class Reported(Protocol):
    """A report, of tasks or of a benchmark."""

    def to_json(self) -> str:
        """Return all of it as JSON."""
        ...

    def items_as_lines(self) -> str:
        """Return its items as JSON, one a line."""
        ...


def add_report_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that name the files."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report here")
    parser.add_argument(
        "--items", type=Path, metavar="FILE", help="write every item with its answer here, one a line"
    )
    parser.add_argument(
        "--lmms-eval",
        type=Path,
        metavar="FILE",
        help="write the numbers here as lmms-eval writes its results",
    )
    parser.add_argument(
        "--answers",
        type=Path,
        metavar="FILE",
        help="keep every answer here as it comes; the same command goes on where it was stopped",
    )


def report_files(arguments: argparse.Namespace) -> dict[str, Path]:
    """Return the files to write by the flags that name them."""
    named = {
        "--json": arguments.json,
        "--items": arguments.items,
        "--lmms-eval": arguments.lmms_eval,
        "--answers": arguments.answers,
    }
    return {flag: path for flag, path in named.items() if path is not None}


def save_report(report: Reported, arguments: argparse.Namespace) -> None:
    """Write what is asked for but the answers, which were kept as they came; see save_or_print."""
    from deixis.evaluation.lmms_eval_results import results_file

    contents = {
        "--json": report.to_json,
        "--items": report.items_as_lines,
        "--lmms-eval": lambda: results_file(report.to_json()),
    }
    files = report_files(arguments)
    save_or_print({files[flag]: content() for flag, content in contents.items() if flag in files})
