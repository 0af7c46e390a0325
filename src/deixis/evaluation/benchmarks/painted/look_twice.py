"""PointQA-LookTwice, the general question: about all things like the one in a red rectangle.

ViP-LLaVA's file is ``pointQA_twice_test.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deixis.data.painted.records import RegionRecord
from deixis.data.painted.source import PICTURE_LINE
from deixis.data.painted.tables import LOOK_TWICE as LOOK_TWICE_TEXT
from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem
from deixis.evaluation.benchmarks.marking import accuracy
from deixis.evaluation.benchmarks.painted.items import (
    STRICT,
    painted_items,
    prompt,
    score_words,
    score_words_leniently,
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

FILE = "pointQA_twice_test.json"


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


def read(path: Path) -> list[BenchmarkItem[str]]:
    """Return the questions of a folder with the published file, or of such a file."""
    root = root_of(path)
    return painted_items(read_look_twice(find_file(path, (FILE,), what=FILE), root=root), root=root)


LOOK_TWICE = Benchmark(
    name="look_twice",
    title="PointQA-LookTwice (general question, the box painted)",
    layout=f"folder with {FILE} (ViP-LLaVA's records of kind pointQA_twice) and the pictures that it names",
    prompt_text=LOOK_TWICE_TEXT.removeprefix(PICTURE_LINE).format(question="<question>"),
    metric=f"accuracy in percent: {STRICT}; lenient: but for signs, articles, and numbers in words or "
    "digits. The box is painted as a red rectangle at alpha 128",
    read=read,
    prompt=prompt,
    score=score_words,
    score_leniently=score_words_leniently,
    tabulate=accuracy(),
    numbers="ViP-LLaVA's model zoo",
    unread="wrong; an empty reply is counted as unparsed",
    max_new_tokens=MAX_NEW_TOKENS,
)
