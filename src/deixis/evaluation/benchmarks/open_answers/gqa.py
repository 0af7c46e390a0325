"""GQA (Hudson and Manning, 2019): compositional questions, right if the answer is the very word."""

from __future__ import annotations

from pathlib import Path

from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem, Mark, Reply, Scoring
from deixis.evaluation.benchmarks.marking import accuracy
from deixis.evaluation.benchmarks.open_answers.people import SHORT_ANSWER
from deixis.evaluation.benchmarks.rows.row_pictures import picture_file
from deixis.evaluation.benchmarks.rows.tables import find_file, named, root_of
from deixis.files.json_files import Fields, read_json

FILES = ("testdev_balanced_questions.json", "questions/testdev_balanced_questions.json")


def read(path: Path) -> list[BenchmarkItem[str]]:
    """Return the questions of the balanced testdev split, or of another file of GQA's with answers."""
    file = find_file(path, FILES, what="testdev_balanced_questions.json")
    questions = read_json(file)
    return [item_of(questions.inside(name), name, root=root_of(path)) for name in questions.values]


def item_of(row: Fields, name: str, *, root: Path) -> BenchmarkItem[str]:
    """Return one question."""
    types = row.inside("types") if "types" in row.values else Fields({}, row.where)
    headings = {"structural", "semantic"} & types.values.keys()
    picture = picture_file(root, f"{row.text('imageId')}.jpg", where=row.where, folders=("images", "", ".."))
    return BenchmarkItem(
        id=name,
        pictures=(picture,),
        question=row.text("question"),
        truth=named(row, "answer"),
        kinds={heading: types.text(heading) for heading in sorted(headings)},
    )


def prompt(item: BenchmarkItem[str]) -> str:
    """Return what is asked."""
    return f"{item.question}\n{SHORT_ANSWER}"


def plain(text: str) -> str:
    """Return an answer without case, white space around it and a final full stop.

    >>> plain(" Yes. ")
    'yes'
    """
    return " ".join(text.lower().split()).removesuffix(".").strip()


def score(item: BenchmarkItem[str], reply: Reply, scoring: Scoring) -> Mark:
    """Return whether a reply is the true word."""
    said = plain(reply.text)
    return Mark(float(bool(said) and said == plain(item.truth)), read=said)


GQA = Benchmark(
    name="gqa",
    title="GQA (testdev balanced)",
    layout="folder with testdev_balanced_questions.json and images/n123.jpg, …",
    prompt_text=f"<question>\n{SHORT_ANSWER}",
    metric="exact match; case, white space around it and a final full stop don't matter",
    read=read,
    prompt=prompt,
    score=score,
    tabulate=accuracy("structural", "semantic"),
    numbers="Florence-VL, tables 2 and 3",
)
