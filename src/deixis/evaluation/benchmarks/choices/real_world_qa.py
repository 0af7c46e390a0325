"""RealWorldQA (xAI, 2024): photos from cars and streets; a question asks for a letter, a word or a number."""

from __future__ import annotations

import re
from pathlib import Path

from deixis.evaluation.benchmarks.answer_rules.letters import plain, read_letter
from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem, Mark, Reply, Scoring, unparsed
from deixis.evaluation.benchmarks.marking import accuracy
from deixis.evaluation.benchmarks.rows.row_pictures import picture_in_row
from deixis.evaluation.benchmarks.rows.tables import find_files, named, root_of, rows_of

OPTION = re.compile(r"^\s*([A-Z])[.):]\s*(\S.*)$", re.MULTILINE)
FILES = ("annotations.json", "*.parquet", "data/*.parquet")


def read(path: Path) -> list[BenchmarkItem[str]]:
    """Return all questions; ids are their numbers."""
    files = find_files(path, FILES, what="annotations.json with pictures, or the Parquet files")
    rows = [one for file in files for one in rows_of(file)]
    return [
        BenchmarkItem(
            id=str(number),
            pictures=(picture_in_row(one, "image", root=root_of(path), folders=("", "images")),),
            question=one.text("question"),
            truth=named(one, "answer"),
            kinds={"answer": "letter" if is_letter(named(one, "answer")) else "word or number"},
        )
        for number, one in enumerate(rows)
    ]


def is_letter(answer: str) -> bool:
    """Tell whether an answer is the letter of a choice.

    >>> is_letter("B"), is_letter("2")
    (True, False)
    """
    return len(answer) == 1 and answer.isalpha()


def prompt(item: BenchmarkItem[str]) -> str:
    """Return what is asked: the question as it is, which says how to answer."""
    return item.question


def score(item: BenchmarkItem[str], reply: Reply, scoring: Scoring) -> Mark:
    """Return whether a reply names the right choice, or is the true word or number."""
    if not is_letter(item.truth):
        return Mark(float(plain(reply.text) == plain(item.truth)), read=plain(reply.text))
    choices = dict(OPTION.findall(item.question)) or dict.fromkeys("ABCD", "")
    letter = read_letter(reply.text, choices)
    if letter is None:
        return unparsed("it names no choice, or several")
    return Mark(float(letter == item.truth.upper()), read=letter)


REAL_WORLD_QA = Benchmark(
    name="real_world_qa",
    title="RealWorldQA",
    layout="folder with annotations.json and 0.webp, …; or Parquet files with image, question and answer",
    prompt_text="<question>",
    metric="accuracy: a choice as read by rule, or else the same word or number, whatever its case",
    read=read,
    prompt=prompt,
    score=score,
    tabulate=accuracy("answer"),
    numbers="Florence-VL, tables 2 and 3",
)
