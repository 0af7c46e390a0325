"""Visual7W, pointing: which of four painted boxes a question means (ViP-LLaVA's file ``v7w-test.json``)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deixis.data.painted.records import RegionRecord
from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem
from deixis.evaluation.benchmarks.marking import accuracy
from deixis.evaluation.benchmarks.painted.items import (
    LENIENT,
    LETTERED,
    STRICT,
    UNREAD,
    painted_items,
    prompt,
    score_letter,
    score_letter_leniently,
)
from deixis.evaluation.benchmarks.painted.questions import (
    MAX_NEW_TOKENS,
    PaintedAnswers,
    PaintedScores,
    ask_questions,
    read_questions,
    score_questions,
)
from deixis.evaluation.benchmarks.rows.tables import find_file, root_of
from deixis.evaluation.runner import Answerer
from deixis.progress import SILENT, Progress

FILE = "v7w-test.json"


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


def read(path: Path) -> list[BenchmarkItem[str]]:
    """Return the questions of a folder with the published file, or of such a file."""
    root = root_of(path)
    return painted_items(read_visual7w(find_file(path, (FILE,), what=FILE), root=root), root=root)


VISUAL7W = Benchmark(
    name="visual7w",
    title="Visual7W (pointing, boxes painted)",
    layout=f"folder with {FILE} (ViP-LLaVA's records of kind v7w) and the pictures that it names (v7w/…)",
    prompt_text=LETTERED,
    metric=f"accuracy in percent: {STRICT}; {LENIENT}. "
    "Boxes are painted at alpha 128 in one width, their colours drawn with seed 0",
    read=read,
    prompt=prompt,
    score=score_letter,
    score_leniently=score_letter_leniently,
    tabulate=accuracy(),
    numbers="ViP-LLaVA's model zoo",
    unread=UNREAD,
    max_new_tokens=MAX_NEW_TOKENS,
)
