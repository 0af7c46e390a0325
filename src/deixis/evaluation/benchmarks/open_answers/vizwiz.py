"""VizWiz-VQA (Gurari et al., 2018): questions that blind people asked about their photos."""

from __future__ import annotations

from pathlib import Path

from deixis.evaluation.benchmarks.answer_rules.soft_accuracy import normalised, soft_accuracy
from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem, Mark, Reply, Scoring
from deixis.evaluation.benchmarks.marking import accuracy
from deixis.evaluation.benchmarks.open_answers.people import SHORT_ANSWER, people_in
from deixis.evaluation.benchmarks.open_answers.vqav2 import METRIC, People
from deixis.evaluation.benchmarks.rows.row_pictures import picture_file
from deixis.evaluation.benchmarks.rows.tables import find_file, root_of, rows_of, unique

UNANSWERABLE = "When the provided information is insufficient, respond with 'Unanswerable'."
FILES = ("val.json", "Annotations/val.json", "annotations/val.json")


def read(path: Path) -> list[BenchmarkItem[People]]:
    """Return the questions of val; a picture has one."""
    file = find_file(path, FILES, what="val.json, with the folder val beside it")
    rows = list(rows_of(file))
    items = [
        BenchmarkItem(
            id=row.text("image"),
            pictures=(
                picture_file(
                    root_of(path), row.text("image"), where=row.where, folders=("val", "", "../val", "Images")
                ),
            ),
            question=row.text("question"),
            truth=people_in(row),
            kinds={"answer": row.optional_text("answer_type") or "not said"},
        )
        for row in rows
    ]
    unique((item.id for item in items), (row.where for row in rows))
    return items


def prompt(item: BenchmarkItem[People]) -> str:
    """Return what is asked."""
    return f"{item.question}\n{UNANSWERABLE}\n{SHORT_ANSWER}"


def score(item: BenchmarkItem[People], reply: Reply, scoring: Scoring) -> Mark:
    """Return the soft accuracy of a reply."""
    return Mark(soft_accuracy(reply.text, item.truth, rules=scoring.rules), read=normalised(reply.text))


VIZWIZ = Benchmark(
    name="vizwiz",
    title="VizWiz-VQA (val)",
    layout="folder with val.json (or Annotations/val.json) and val/VizWiz_val_00000000.jpg, …",
    prompt_text=f"<question>\n{UNANSWERABLE}\n{SHORT_ANSWER}",
    metric=METRIC,
    read=read,
    prompt=prompt,
    score=score,
    tabulate=accuracy("answer"),
    numbers="Florence-VL, tables 2 and 3 (val); LLaVA-1.5's are on test-dev",
    rules=("corrected", "published"),
)
