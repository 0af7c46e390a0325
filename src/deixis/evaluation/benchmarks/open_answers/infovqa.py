"""InfographicVQA (Mathew et al., 2022): questions about infographics, scored by ANLS."""

from __future__ import annotations

from pathlib import Path

from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem
from deixis.evaluation.benchmarks.marking import accuracy
from deixis.evaluation.benchmarks.open_answers.docvqa import METRIC, Truths, prompt, score
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

FILES = ("infographicsVQA_val_v1.0_withQT.json", "infographicsVQA_val_v1.0.json")
FOLDERS = ("infographicsvqa_images", "images", "")


def read(path: Path) -> list[BenchmarkItem[Truths]]:
    """Return the questions of val."""
    file = find_file(path, FILES, what="infographicsVQA_val_v1.0_withQT.json")
    rows = list(rows_of(file, key="data"))
    items = [
        BenchmarkItem(
            id=identifier(row, "questionId"),
            pictures=(
                picture_file(root_of(path), row.text("image_local_name"), where=row.where, folders=FOLDERS),
            ),
            question=row.text("question"),
            truth=texts_in(row, "answers"),
            kinds={"answer": " + ".join(sorted(row.texts("answer_type"))) or "not said"},
        )
        for row in rows
    ]
    unique((item.id for item in items), (row.where for row in rows))
    return items


INFOVQA = Benchmark(
    name="infovqa",
    title="InfographicVQA (val)",
    layout="folder with infographicsVQA_val_v1.0_withQT.json and infographicsvqa_images/12345.jpeg, …",
    prompt_text=f"<question>\n{SHORT_ANSWER}",
    metric=METRIC,
    read=read,
    prompt=prompt,
    score=score,
    tabulate=accuracy("answer"),
    numbers="Florence-VL, tables 2 and 3 (val)",
    rules=("corrected", "published"),
)
