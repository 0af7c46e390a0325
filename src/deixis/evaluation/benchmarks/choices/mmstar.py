"""MMStar (Chen et al., 2024): 1500 questions that can't be answered without their pictures, six abilities."""

from __future__ import annotations

import re
from pathlib import Path

from deixis.evaluation.benchmarks.answer_rules.letters import listed
from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem
from deixis.evaluation.benchmarks.choices.lettered import (
    METRIC,
    UNREAD,
    Choices,
    answer_letter,
    choices_of,
    columns_of,
    score_letter,
)
from deixis.evaluation.benchmarks.marking import accuracy
from deixis.evaluation.benchmarks.rows.row_pictures import TablePictures
from deixis.evaluation.benchmarks.rows.tables import cell, find_file, rows_of, unique, wrong
from deixis.files.json_files import Fields

REQUEST = "Answer with the option's letter from the given choices directly"
FILES = ("MMStar.tsv", "mmstar.parquet", "data/*.parquet", "*.parquet")
OPTIONS = re.compile(r"\bOptions\s*:\s*", re.IGNORECASE)
OPTION = re.compile(r"(?:^|[,\n]\s*)([A-D])\s*[:.]\s*(.*?)(?=(?:[,\n]\s*[A-D]\s*[:.])|$)", re.DOTALL)


def read(path: Path) -> list[BenchmarkItem[Choices]]:
    """Return all questions of the TSV or Parquet table."""
    rows = list(rows_of(find_file(path, FILES, what="MMStar.tsv or mmstar.parquet")))
    pictures = TablePictures(rows)
    items = [item_of(one, pictures) for one in rows]
    unique((item.id for item in items), (one.where for one in rows))
    return items


def item_of(fields: Fields, pictures: TablePictures) -> BenchmarkItem[Choices]:
    """Return one question; its choices are columns, or stand in the question behind "Options:"."""
    number, question = cell(fields, "index"), fields.text("question")
    if not number:
        raise wrong(fields, "index", "a number")
    columns = columns_of(fields)
    _, *behind = OPTIONS.split(question, maxsplit=1)
    choices = columns or {
        letter: text.strip() for letter, text in OPTION.findall(behind[0] if behind else "")
    }
    if columns and not behind:
        question = f"{question}\n{listed(columns)}"
    return BenchmarkItem(
        id=number,
        pictures=(pictures.of(fields),),
        question=question,
        truth=choices_of(fields, choices, answer_letter(fields)),
        kinds={name: text for name in ("category", "l2_category") if (text := cell(fields, name))},
    )


def prompt(item: BenchmarkItem[Choices]) -> str:
    """Return what is asked; the choices stand in the question."""
    return f"{item.question}\n{REQUEST}"


MMSTAR = Benchmark(
    name="mmstar",
    title="MMStar",
    layout="MMStar.tsv (index, question, A to D, answer, category, l2_category, image) or mmstar.parquet",
    prompt_text=f"<question with its options>\n{REQUEST}",
    metric=f"{METRIC}; the six abilities have 250 questions each, so that their mean is the share of all",
    read=read,
    prompt=prompt,
    score=score_letter,
    tabulate=accuracy("category", "l2_category"),
    numbers="Florence-VL, tables 2 and 3",
    unread=UNREAD,
)
