"""ChartQA (Masry et al., 2022): questions about charts, numbers right within 5 %."""

from __future__ import annotations

from pathlib import Path

from deixis.evaluation.benchmarks.answer_rules.relaxed_number import relaxed_match
from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem, Mark, Reply, Scoring
from deixis.evaluation.benchmarks.marking import accuracy
from deixis.evaluation.benchmarks.rows.row_pictures import picture_file
from deixis.evaluation.benchmarks.rows.tables import find_file, named, root_of, rows_of

SINGLE_WORD = "Answer the question with a single word."
FILES = ("test_human.json", "test_augmented.json")


def read(path: Path) -> list[BenchmarkItem[str]]:
    """Return the questions of both halves of the test, or of the one whose file is given.

    Ids are the half and the row's number: several questions are about one chart.
    """
    files = [path] if not Path(path).is_dir() else [find_file(path, (one,), what=one) for one in FILES]
    items = []
    for file in files:
        half = Path(file).stem.removeprefix("test_")
        for number, row in enumerate(rows_of(Path(file))):
            picture = picture_file(root_of(path), row.text("imgname"), where=row.where, folders=("png", ""))
            items.append(
                BenchmarkItem(
                    id=f"{half}/{number}",
                    pictures=(picture,),
                    question=row.text("query"),
                    truth=named(row, "label"),
                    kinds={"half": half},
                )
            )
    return items


def prompt(item: BenchmarkItem[str]) -> str:
    """Return what is asked."""
    return f"{item.question}\n{SINGLE_WORD}"


def score(item: BenchmarkItem[str], reply: Reply, scoring: Scoring) -> Mark:
    """Return whether a reply is right within 5 %."""
    return Mark(float(relaxed_match(reply.text, item.truth)), read=reply.text.strip())


CHARTQA = Benchmark(
    name="chartqa",
    title="ChartQA (test)",
    layout="folder with test_human.json, test_augmented.json and png/1.png, …; or one of the two files",
    prompt_text=f"<question>\n{SINGLE_WORD}",
    metric="relaxed accuracy: numbers within 5 % of the true one (a zero exactly), other answers the same "
    "text but for case; a percentage is a fraction",
    read=read,
    prompt=prompt,
    score=score,
    tabulate=accuracy("half"),
    numbers="Florence-VL, tables 2 and 3",
)
