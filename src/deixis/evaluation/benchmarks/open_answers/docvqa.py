"""DocVQA (Mathew et al., 2021): questions about scanned documents, scored by ANLS."""

from __future__ import annotations

from pathlib import Path

from deixis.evaluation.benchmarks.answer_rules.edit_similarity import plain, similarity
from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem, Mark, Reply, Scoring
from deixis.evaluation.benchmarks.marking import accuracy
from deixis.evaluation.benchmarks.open_answers.people import SHORT_ANSWER
from deixis.evaluation.benchmarks.rows.row_pictures import picture_file
from deixis.evaluation.benchmarks.rows.tables import (
    find_file,
    identifier,
    root_of,
    rows_of,
    texts_in,
    unique,
)

Truths = tuple[str, ...]
FILES = ("val_v1.0_withQT.json", "val_v1.0.json")


def read(path: Path) -> list[BenchmarkItem[Truths]]:
    """Return the questions of val."""
    file = find_file(path, FILES, what="val_v1.0_withQT.json (or val_v1.0.json)")
    rows = list(rows_of(file, key="data"))
    items = [
        BenchmarkItem(
            id=identifier(row, "questionId"),
            pictures=(picture_file(root_of(path), row.text("image"), where=row.where, folders=("", "val")),),
            question=row.text("question"),
            truth=texts_in(row, "answers"),
        )
        for row in rows
    ]
    unique((item.id for item in items), (row.where for row in rows))
    return items


def prompt(item: BenchmarkItem[Truths]) -> str:
    """Return what is asked."""
    return f"{item.question}\n{SHORT_ANSWER}"


def score(item: BenchmarkItem[Truths], reply: Reply, scoring: Scoring) -> Mark:
    """Return the similarity of a reply to the most similar true answer."""
    return Mark(similarity(reply.text, item.truth, rules=scoring.rules), read=plain(reply.text))


METRIC = (
    "ANLS: 1 minus the edits between reply and true answer over the longer one's length, the best of all "
    "true answers, 0 unless it is above 0.5 (published rules: 0.5 itself counts); case doesn't matter"
)
DOCVQA = Benchmark(
    name="docvqa",
    title="DocVQA (val)",
    layout="folder with val_v1.0_withQT.json and documents/abcd0123_1.png, …",
    prompt_text=f"<question>\n{SHORT_ANSWER}",
    metric=METRIC,
    read=read,
    prompt=prompt,
    score=score,
    tabulate=accuracy(),
    numbers="Florence-VL, tables 2 and 3 (val)",
    rules=("corrected", "published"),
)
