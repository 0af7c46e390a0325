"""MMVP (Tong et al., 2024): 150 pairs of pictures that CLIP takes for one, a question about each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from deixis.errors import RecordError
from deixis.evaluation.benchmarks.answer_rules.letters import read_letter
from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem, Mark, Reply, Scoring, Table
from deixis.evaluation.benchmarks.choices.cv_bench import published_match
from deixis.evaluation.benchmarks.choices.lettered import (
    LETTER_ONLY,
    METRIC,
    UNREAD,
    Choices,
    choices_of,
    marked,
)
from deixis.evaluation.benchmarks.marking import all_right, grouped, row
from deixis.evaluation.benchmarks.rows.row_pictures import picture_file
from deixis.evaluation.benchmarks.rows.tables import find_file, named, root_of, rows_of, unique
from deixis.files.json_files import Fields

OPTION = re.compile(r"\(([a-z])\)\s*(.*?)\s*(?=\([a-z]\)|$)", re.DOTALL)


def read(path: Path) -> list[BenchmarkItem[Choices]]:
    """Return all questions; two with following numbers, 1 and 2, 3 and 4, are a pair."""
    rows = list(rows_of(find_file(path, ("Questions.csv",), what="Questions.csv")))
    items = [item_of(one, root=root_of(path)) for one in rows]
    unique((item.id for item in items), (one.where for one in rows))
    return items


def item_of(fields: Fields, *, root: Path) -> BenchmarkItem[Choices]:
    """Return one question."""
    number = named(fields, "Index", "lndex")  # the released file's first column has the second name
    if not number.isascii() or not number.isdecimal() or not 1 <= int(number) <= 10**9:
        raise RecordError(f"{fields.where}: the index is {number!r:.40}; expected a whole number from 1")
    options = named(fields, "Options")
    by_letter = {letter.upper(): text for letter, text in OPTION.findall(options)}
    right = named(fields, "Correct Answer").strip().strip("()").upper()
    return BenchmarkItem(
        id=str(int(number)),
        pictures=(
            picture_file(
                root, f"{int(number)}.jpg", where=fields.where, folders=("MMVP Images", "images", "")
            ),
        ),
        question=f"{fields.text('Question')} {options}",
        truth=choices_of(fields, by_letter, right),
        group=str((int(number) + 1) // 2),
    )


def prompt(item: BenchmarkItem[Choices]) -> str:
    """Return what is asked."""
    return f"{item.question}\n{LETTER_ONLY}"


def score(item: BenchmarkItem[Choices], reply: Reply, scoring: Scoring) -> Mark:
    """Return whether a reply is right, by its letter or by the published rule."""
    if scoring.rules == "published":
        answer = f"({item.truth.right.lower()})"
        return Mark(float(published_match(answer, reply.text)), read=reply.text)
    return marked(read_letter(reply.text, item.truth.by_letter), item.truth)


def tabulate(items: Sequence[BenchmarkItem[Choices]], marks: Sequence[Mark]) -> Table:
    """Return the share of pairs with both answers right, and the share of questions."""
    return Table({"pairs": all_right(grouped(items, marks)), "questions": row(marks)})


MMVP = Benchmark(
    name="mmvp",
    title="MMVP",
    layout="folder with Questions.csv and 'MMVP Images'/1.jpg, …",
    prompt_text=f"<question> <options, as (a) … (b) …>\n{LETTER_ONLY}",
    metric=f"{METRIC}; pairs: both questions of a pair right, as MMVP has it; questions: the share of all, "
    "as Florence-VL's script has it. Published rules: that script's, where a reply counts that is in the "
    "answer or has it in it",
    read=read,
    prompt=prompt,
    score=score,
    tabulate=tabulate,
    numbers="Florence-VL, tables 2 and 3 (the two can't be of one metric)",
    unread=UNREAD,
    rules=("corrected", "published"),
)
