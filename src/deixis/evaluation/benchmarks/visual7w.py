"""Visual7W, pointing: which of four painted boxes a question means (ViP-LLaVA's file ``v7w-test.json``)."""

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


def read_visual7w(path: Path, *, root: Path) -> dict[str, RegionRecord]:
    """Return the questions of a file by their names; see ``read_questions``."""
    return read_questions(path, root=root, kind="v7w")


def ask_visual7w(
    system: Answerer,
    records: Mapping[str, RegionRecord],
    *,
    root: Path,
    seed: int = 0,
    progress: Progress = SILENT,
) -> PaintedAnswers:
    """Ask a system for the letter of the right box; see ``ask_questions``."""
    return ask_questions(system, records, root=root, seed=seed, progress=progress)


def score_visual7w(records: Mapping[str, RegionRecord], predictions: Mapping[str, str]) -> PaintedScores:
    """Return the score of predicted letters by the questions' names."""
    return score_questions(records, predictions)
