"""VCR with painted points: an answer among four (Q→A), a reason given the right answer (QA→R), both (Q→AR).

ViP-LLaVA's file is ``vcr-val.json``. An instance without an outline can't be pointed at: such questions are
named, and left out of Q→AR as soon as one of their two forms is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deixis.data.painted.records import RegionRecord
from deixis.data.painted.tables import LETTERS
from deixis.evaluation.benchmarks.painted_questions import (
    PaintedScores,
    ask_questions,
    is_right,
    read_questions,
    score_questions,
)
from deixis.evaluation.metrics.rules import share
from deixis.evaluation.runner import Answerer
from deixis.progress import SILENT, Progress

SIDE = 336  # pixels: published evaluation resizes to what CLIP sees, whatever the proportions


@dataclass(frozen=True)
class VcrScores:
    """Scores of both forms, and how many of the questions that can be asked in both are right in both."""

    answer: PaintedScores
    reason: PaintedScores
    n: int
    both: int

    @property
    def value(self) -> float | None:
        """The share that is right in both (Q→AR), 0 to 1; None of no questions."""
        return share(self.both, self.n)


@dataclass(frozen=True)
class VcrAnswers:
    """What a system earned, and its letters by the questions' names."""

    scores: VcrScores
    answers: dict[str, str]
    reasons: dict[str, str]


def read_vcr(path: Path, *, root: Path) -> dict[str, RegionRecord]:
    """Return the questions of a file by their names; see ``read_questions``."""
    return read_questions(path, root=root, kind="vcr")


def ask_vcr(
    system: Answerer,
    records: Mapping[str, RegionRecord],
    *,
    root: Path,
    side: int | None = SIDE,
    seed: int = 0,
    progress: Progress = SILENT,
) -> VcrAnswers:
    """Ask a system for answers and, in questions of their own, for reasons; see ``ask_questions``."""
    first = ask_questions(system, records, root=root, form="vcr_qa", side=side, seed=seed, progress=progress)
    second = ask_questions(
        system, records, root=root, form="vcr_qar", side=side, seed=seed, progress=progress
    )
    scores = together(records, first.scores, second.scores, answers=first.answers, reasons=second.answers)
    return VcrAnswers(scores, first.answers, second.answers)


def score_vcr(
    records: Mapping[str, RegionRecord], *, answers: Mapping[str, str], reasons: Mapping[str, str]
) -> VcrScores:
    """Return the scores of predicted letters by the questions' names."""
    first = score_questions(records, answers, form="vcr_qa")
    second = score_questions(records, reasons, form="vcr_qar")
    return together(records, first, second, answers=answers, reasons=reasons)


def together(
    records: Mapping[str, RegionRecord],
    first: PaintedScores,
    second: PaintedScores,
    *,
    answers: Mapping[str, str],
    reasons: Mapping[str, str],
) -> VcrScores:
    """Return both scores, and how many questions are right in both."""
    left_out = {*first.unpaintable, *second.unpaintable}
    asked = [name for name in records if name not in left_out]
    both = 0
    for name in asked:
        question = records[name].question
        assert question is not None
        both += is_right(answers[name], LETTERS[question.answer]) and is_right(
            reasons[name], LETTERS[question.reason]
        )
    return VcrScores(first, second, len(asked), both)
