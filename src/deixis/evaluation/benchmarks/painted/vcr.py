"""VCR with painted points: an answer among four (Q→A), a reason given the right answer (QA→R), both (Q→AR).

ViP-LLaVA's file is ``vcr-val.json``. An instance without an outline can't be pointed at: such questions are
named, and left out of Q→AR as soon as one of their two forms is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deixis.data.painted.records import RegionRecord
from deixis.data.painted.source import PICTURE_LINE
from deixis.data.painted.tables import LETTERS, MULTIPLE_CHOICE, RATIONALE
from deixis.data.painted.vcr import Asked
from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem, Mark, Table
from deixis.evaluation.benchmarks.marking import all_right, grouped, row
from deixis.evaluation.benchmarks.painted.items import (
    LENIENT,
    LETTERED,
    STRICT,
    UNREAD,
    PaintedFile,
    painted_item,
    prompt,
    score_letter,
    score_letter_leniently,
)
from deixis.evaluation.benchmarks.painted.questions import (
    MAX_NEW_TOKENS,
    PaintedScores,
    ask_questions,
    is_right,
    read_questions,
    score_questions,
)
from deixis.evaluation.benchmarks.rows.tables import find_file, root_of
from deixis.evaluation.metrics.rules import share
from deixis.evaluation.runner import Answerer
from deixis.progress import SILENT, Progress

FILE = "vcr-val.json"
BOTH, ANSWER, REASON = "Q -> AR", "Q -> A", "QA -> R"
FORMS: Mapping[str, Asked] = {ANSWER: "vcr_qa", REASON: "vcr_qar"}
REASONS = MULTIPLE_CHOICE.format(question="", a="<reason>", b="…", c="…", d="…")
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


def read(path: Path) -> list[BenchmarkItem[str]]:
    """Return both questions about every record of a folder with the published file, or of such a file."""
    root = root_of(path)
    records = read_vcr(find_file(path, (FILE,), what=FILE), root=root)
    return [
        painted_item(
            record,
            PaintedFile(record, name, root, form, SIDE),
            ending=f" {asked}",
            kinds={"form": asked},
        )
        for name, record in records.items()
        for asked, form in FORMS.items()
    ]


def tabulate(items: Sequence[BenchmarkItem[str]], marks: Sequence[Mark]) -> Table:
    """Return the share of records that are right in both questions, and the accuracy of each question.

    A record of which one question is left out counts in the other one alone.
    """
    both = {name: own for name, own in grouped(items, marks).items() if is_whole(own)}
    rows = {BOTH: all_right(both)}
    for asked in FORMS:
        rows[asked] = row(
            [one for item, one in zip(items, marks, strict=True) if item.kinds["form"] == asked]
        )
    return Table(rows)


def is_whole(marks: Sequence[Mark]) -> bool:
    """Tell whether both questions about a record were asked."""
    return len(marks) == len(FORMS) and all(one.fault != "left out" for one in marks)


VCR = Benchmark(
    name="vcr",
    title="VCR (points painted)",
    layout=f"folder with {FILE} (ViP-LLaVA's records of kind vcr), and the pictures and their metadata that "
    "it names (vcr1images/…)",
    prompt_text=f"{LETTERED}; and apart from it "
    + RATIONALE.removeprefix(PICTURE_LINE).format(
        question="<question>", answer="<right answer>", choices=REASONS
    ),
    metric=f"accuracy in percent: {STRICT}; {LENIENT}. "
    f"{BOTH}: right in both. Points are painted at alpha 128, their colours drawn with seed 0; pictures are "
    f"resized to {SIDE} x {SIDE}",
    read=read,
    prompt=prompt,
    score=score_letter,
    score_leniently=score_letter_leniently,
    tabulate=tabulate,
    numbers="ViP-LLaVA's text: Q -> A",
    unread=UNREAD,
    max_new_tokens=MAX_NEW_TOKENS,
)
