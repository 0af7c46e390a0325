"""TextVQA (Singh et al., 2019): questions whose answers have to be read in the picture."""

from __future__ import annotations

from pathlib import Path

from deixis.evaluation.benchmarks.answer_rules.soft_accuracy import (
    one_line,
    soft_accuracy,
    without_signs,
    words_normalised,
)
from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem, Mark, Reply, Scoring
from deixis.evaluation.benchmarks.marking import accuracy
from deixis.evaluation.benchmarks.open_answers.people import SHORT_ANSWER, people_in
from deixis.evaluation.benchmarks.rows.row_pictures import picture_file
from deixis.evaluation.benchmarks.rows.tables import find_file, identifier, root_of, rows_of, unique

People = tuple[str, ...]


def normalised(text: str) -> str:
    """Return an answer as TextVQA's evaluation compares it.

    As VQA's, but commas and question marks go first wherever they stand, and 's becomes a word of its own.

    >>> normalised("Joe's, 3 dogs?"), normalised("12,5")
    ("joe 's 3 dogs", '125')
    """
    plain = one_line(text).lower().replace(",", "").replace("?", "").replace("'s", " 's")
    return words_normalised(without_signs(one_line(plain)))


def read(path: Path) -> list[BenchmarkItem[People]]:
    """Return the questions of val."""
    file = find_file(path, ("TextVQA_0.5.1_val.json",), what="TextVQA_0.5.1_val.json")
    rows = list(rows_of(file, key="data"))
    items = [
        BenchmarkItem(
            id=identifier(row, "question_id"),
            pictures=(
                picture_file(
                    root_of(path),
                    f"{row.text('image_id')}.jpg",
                    where=row.where,
                    folders=("train_images", "train_val_images/train_images", ""),
                ),
            ),
            question=row.text("question"),
            truth=people_in(row),
        )
        for row in rows
    ]
    unique((item.id for item in items), (row.where for row in rows))
    return items


def prompt(item: BenchmarkItem[People]) -> str:
    """Return what is asked; no text that a reader of letters found goes with it."""
    return f"{item.question.capitalize()}\n{SHORT_ANSWER}"


def score(item: BenchmarkItem[People], reply: Reply, scoring: Scoring) -> Mark:
    """Return the soft accuracy of a reply."""
    value = soft_accuracy(reply.text, item.truth, normalise=normalised)
    return Mark(value, read=normalised(reply.text))


TEXTVQA = Benchmark(
    name="textvqa",
    title="TextVQA (val)",
    layout="folder with TextVQA_0.5.1_val.json and train_images/0123456789abcdef.jpg, …",
    prompt_text=f"<question, its first letter a capital>\n{SHORT_ANSWER}",
    metric="soft accuracy as VQAv2's, with TextVQA's own normalisation, always on; no OCR tokens in the text",
    read=read,
    prompt=prompt,
    score=score,
    tabulate=accuracy(),
    numbers="Florence-VL, tables 2 and 3 (val, without OCR tokens)",
)
