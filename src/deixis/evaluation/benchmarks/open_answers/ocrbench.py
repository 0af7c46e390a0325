"""OCRBench (Liu et al., 2023): 1000 questions about text, right if the reply has the answer in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deixis.evaluation.benchmarks.benchmark import (
    Benchmark,
    BenchmarkItem,
    Mark,
    Reply,
    Row,
    Scoring,
    Table,
)
from deixis.evaluation.benchmarks.marking import by_kind, row
from deixis.evaluation.benchmarks.rows.row_pictures import picture_in_row
from deixis.evaluation.benchmarks.rows.tables import find_file, named, root_of, rows_of, texts_in, wrong
from deixis.files.json_files import Fields

Truths = tuple[str, ...]
FORMULAS = "HME100k"  # formulas are compared without blanks, and with case


def read(path: Path) -> list[BenchmarkItem[Truths]]:
    """Return all questions; ids are their numbers in the file."""
    file = find_file(path, ("OCRBench.json", "OCRBench*.json"), what="OCRBench.json")
    return [item_of(one, str(number), root=root_of(path)) for number, one in enumerate(rows_of(file))]


def item_of(fields: Fields, name: str, *, root: Path) -> BenchmarkItem[Truths]:
    """Return one question."""
    answers = fields.values.get("answers", fields.values.get("answer"))
    field = "answers" if "answers" in fields.values else "answer"
    truths = (fields.text(field),) if isinstance(answers, str) else texts_in(fields, field)
    if not all(truth.strip() for truth in truths):
        raise wrong(fields, field, "answers that are not empty: an empty one would be in every reply")
    picture = picture_in_row(fields, "image_path", root=root, folders=("OCRBench_Images", ""))
    kinds = {
        "kind": named(fields, "type", "question_type"),
        "dataset": named(fields, "dataset_name", "dataset"),
    }
    return BenchmarkItem(
        id=name, pictures=(picture,), question=fields.text("question"), truth=truths, kinds=kinds
    )


def prompt(item: BenchmarkItem[Truths]) -> str:
    """Return what is asked: the question as it is."""
    return item.question


def score(item: BenchmarkItem[Truths], reply: Reply, scoring: Scoring) -> Mark:
    """Return whether a reply has one of the true answers in it."""
    formula = item.kinds["dataset"] == FORMULAS
    said = comparable(reply.text, formula=formula)
    return Mark(float(any(comparable(truth, formula=formula) in said for truth in item.truth)), read=said)


def comparable(text: str, *, formula: bool) -> str:
    """Return a text as it is looked for, or looked in.

    >>> comparable(" A b\\nC ", formula=False), comparable(" A b\\nC ", formula=True)
    ('a b c', 'AbC')
    """
    line = text.strip().replace("\n", " ")
    return line.replace(" ", "") if formula else line.lower()


def tabulate(items: Sequence[BenchmarkItem[Truths]], marks: Sequence[Mark]) -> Table:
    """Return how many of all are right, as published of 1000, and the share of each kind in percent."""
    whole = row(marks, most=float(len(marks)))
    rows: dict[str, Row] = {"right": whole, "all": row(marks)}
    return Table(rows | by_kind(items, marks, "kind"))


OCRBENCH = Benchmark(
    name="ocrbench",
    title="OCRBench",
    layout="folder with OCRBench.json and OCRBench_Images/…",
    prompt_text="<question>",
    metric="how many of the questions (1000 in the whole file) have a true answer somewhere in the reply, "
    "whatever its case; formulas are compared without blanks",
    read=read,
    prompt=prompt,
    score=score,
    tabulate=tabulate,
    numbers="Florence-VL, tables 2 and 3 (as percent of 1000)",
)
