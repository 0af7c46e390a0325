"""PointQA-LookTwice, the general question: about all things like the one in a red rectangle.

ViP-LLaVA's file is ``pointQA_twice_test.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deixis.data.painted.records import RegionRecord
from deixis.evaluation.benchmarks.painted_questions import (
    PaintedAnswers,
    PaintedScores,
    ask_questions,
    read_questions,
    score_questions,
)
from deixis.evaluation.runner import Answerer
from deixis.progress import SILENT, Progress


def read_look_twice(path: Path, *, root: Path) -> dict[str, RegionRecord]:
    """Return the questions of a file by their names; see ``read_questions``."""
    return read_questions(path, root=root, kind="pointQA_twice")


def ask_look_twice(
    system: Answerer,
    records: Mapping[str, RegionRecord],
    *,
    root: Path,
    progress: Progress = SILENT,
) -> PaintedAnswers:
    """Ask a system for a word or phrase; see ``ask_questions``. Nothing is drawn by chance."""
    return ask_questions(system, records, root=root, progress=progress)


def score_look_twice(records: Mapping[str, RegionRecord], predictions: Mapping[str, str]) -> PaintedScores:
    """Return the score of predicted answers by the questions' names."""
    return score_questions(records, predictions)
