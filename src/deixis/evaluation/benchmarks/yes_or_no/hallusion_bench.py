"""HallusionBench (Guan et al., 2024), the questions with a picture: illusions, charts and edited ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deixis.errors import RecordError
from deixis.evaluation.benchmarks.benchmark import (
    Benchmark,
    BenchmarkItem,
    Mark,
    Reply,
    Scoring,
    Table,
    unparsed,
)
from deixis.evaluation.benchmarks.marking import all_right, by_kind, grouped, row
from deixis.evaluation.benchmarks.rows.row_pictures import picture_file
from deixis.evaluation.benchmarks.rows.tables import find_file, identifier, named, root_of, rows_of, wrong
from deixis.evaluation.metrics.pope import YesNo, read_yes_or_no
from deixis.files.json_files import Fields

ANSWERS: dict[str, YesNo] = {"0": "no", "1": "yes"}


def read(path: Path) -> list[BenchmarkItem[YesNo]]:
    """Return the questions with a picture; ids are made of category, set, figure and question."""
    file = find_file(path, ("HallusionBench.json",), what="HallusionBench.json")
    items = [
        item_of(one, root=root_of(path)) for one in rows_of(file) if identifier(one, "visual_input") != "0"
    ]
    if not items:
        raise RecordError(f"{file} has no question with a picture (visual_input 1 or 2)")
    return items


def item_of(fields: Fields, *, root: Path) -> BenchmarkItem[YesNo]:
    """Return one question."""
    answer = identifier(fields, "gt_answer")
    if answer not in ANSWERS:
        raise wrong(fields, "gt_answer", "1 for yes or 0 for no")
    figure_set = "/".join(
        (named(fields, "category"), named(fields, "subcategory"), identifier(fields, "set_id"))
    )
    figure, question = identifier(fields, "figure_id"), identifier(fields, "question_id")
    name = named(fields, "filename").removeprefix("./")
    inside = name.removeprefix("hallusion_bench/")
    folders = ("hallusion_bench", "")
    return BenchmarkItem(
        id=f"{figure_set}/{figure}/{question}",
        pictures=(picture_file(root, inside, where=fields.where, folders=folders),),
        question=fields.text("question"),
        truth=ANSWERS[answer],
        group=f"{figure_set}/{question}",
        kinds={
            "figure": f"{figure_set}/{figure}",
            "category": named(fields, "category"),
            "subcategory": named(fields, "subcategory"),
        },
    )


def prompt(item: BenchmarkItem[YesNo]) -> str:
    """Return what is asked: the question as it is."""
    return item.question


def score(item: BenchmarkItem[YesNo], reply: Reply, scoring: Scoring) -> Mark:
    """Return whether a reply says what is true."""
    said = read_yes_or_no(reply.text)
    if said is None:
        return unparsed("it says neither yes nor no")
    return Mark(float(said == item.truth), read=said)


def tabulate(items: Sequence[BenchmarkItem[YesNo]], marks: Sequence[Mark]) -> Table:
    """Return aAcc over questions, fAcc over figures, qAcc over questions asked about several figures."""
    figures = grouped(items, marks, key=lambda item: item.kinds["figure"])
    rows = {"aAcc": row(marks), "fAcc": all_right(figures), "qAcc": all_right(grouped(items, marks))}
    return Table(rows | by_kind(items, marks, "category") | by_kind(items, marks, "subcategory"))


HALLUSION_BENCH = Benchmark(
    name="hallusion_bench",
    title="HallusionBench, with pictures",
    layout="folder with HallusionBench.json and hallusion_bench/VD/illusion/0_0.png, …",
    prompt_text="<question>",
    metric="aAcc: the share of right questions; fAcc: of figures with all questions right; qAcc: of "
    "questions right about every figure that they are asked of. Yes or no is read by rule (the benchmark's "
    "own program asks GPT-4); questions without a picture are not asked",
    read=read,
    prompt=prompt,
    score=score,
    tabulate=tabulate,
    numbers="Florence-VL, tables 2 and 3 (aAcc of the questions with a picture)",
    unread="wrong, and counted as unparsed: a reply that says neither",
    max_new_tokens=128,
)
