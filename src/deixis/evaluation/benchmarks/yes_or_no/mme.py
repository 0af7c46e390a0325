"""MME (Fu et al., 2023): two questions about each picture, one of them true; perception and cognition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from deixis.errors import RecordError
from deixis.evaluation.benchmarks.benchmark import (
    Benchmark,
    BenchmarkItem,
    Mark,
    Reply,
    Row,
    Scoring,
    Shown,
    Table,
    unparsed,
)
from deixis.evaluation.benchmarks.marking import all_right, grouped, row
from deixis.evaluation.metrics.pope import YesNo, read_yes_or_no
from deixis.files.json_files import bounded_bytes

PERCEPTION = (
    "existence",
    "count",
    "position",
    "color",
    "posters",
    "celebrity",
    "scene",
    "landmark",
    "artwork",
    "OCR",
)
COGNITION = ("commonsense_reasoning", "numerical_calculation", "text_translation", "code_reasoning")
PICTURES = (".jpg", ".png", ".jpeg")
LARGEST_TEXT = 1 << 20
ONE_TASK = 200.0
FIRST_LETTERS = 4


def read(path: Path) -> list[BenchmarkItem[YesNo]]:
    """Return the questions of every task's folder; a picture's two are a group."""
    folder = Path(path)
    items = [item for task in (*PERCEPTION, *COGNITION) for item in items_of(folder / task, task)]
    if not items:
        raise RecordError(
            f"{path} has no questions; expected the folders {', '.join((*PERCEPTION, *COGNITION))}"
        )
    return items


def items_of(folder: Path, task: str) -> Iterator[BenchmarkItem[YesNo]]:
    """Yield the questions of one task, whose pictures and texts lie together or in folders of their own."""
    texts = folder / "questions_answers_YN" if (folder / "questions_answers_YN").is_dir() else folder
    pictures = folder / "images" if (folder / "images").is_dir() else folder
    for file in sorted(texts.glob("*.txt")):
        shown = picture_of(pictures, file)
        for number, (question, truth) in enumerate(questions_in(file)):
            yield BenchmarkItem(
                id=f"{task}/{file.stem}/{number}",
                pictures=(shown,),
                question=question,
                truth=truth,
                group=f"{task}/{file.stem}",
                kinds={"task": task},
            )


def picture_of(folder: Path, file: Path) -> Shown:
    """Return the picture of a text; RecordError if there is none of its name."""
    for ending in PICTURES:
        if (path := folder / f"{file.stem}{ending}").is_file():
            return Shown(f"{file.parent.name}/{path.name}", path)
    raise RecordError(f"{file}: there is no picture {folder / file.stem} ending in {', '.join(PICTURES)}")


def questions_in(file: Path) -> list[tuple[str, YesNo]]:
    """Return the two questions of a text with their answers; RecordError names the line that is wrong."""
    content = bounded_bytes(file, largest=LARGEST_TEXT).decode("utf-8", errors="replace")
    found: list[tuple[str, YesNo]] = []
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        question, tab, answer = line.rpartition("\t")
        said = answer.strip().lower().rstrip(".")
        if not tab or not question.strip() or said not in ("yes", "no"):
            raise RecordError(f"{file}:{number}: is {line!r:.80}; expected a question, a tab, and Yes or No")
        found.append((question.strip(), "yes" if said == "yes" else "no"))
    if len(found) != 2:
        raise RecordError(f"{file}: has {len(found)} questions; expected 2 about each picture")
    return found


def prompt(item: BenchmarkItem[YesNo]) -> str:
    """Return what is asked: the question as it is, which says how to answer."""
    return item.question


def published_reading(text: str) -> YesNo | None:
    """Return what MME's own program reads: yes or no among the first four letters, yes before no.

    >>> published_reading("Yes, it is."), published_reading("It is not"), published_reading("None")
    ('yes', None, 'no')
    """
    beginning = text.strip().lower()[:FIRST_LETTERS]
    return "yes" if "yes" in beginning else "no" if "no" in beginning else None


def score(item: BenchmarkItem[YesNo], reply: Reply, scoring: Scoring) -> Mark:
    """Return whether a reply says what is true."""
    said = published_reading(reply.text) if scoring.rules == "published" else read_yes_or_no(reply.text)
    if said is None:
        return unparsed("it says neither yes nor no")
    return Mark(float(said == item.truth), read=said)


def tabulate(items: Sequence[BenchmarkItem[YesNo]], marks: Sequence[Mark]) -> Table:
    """Return the sums over the tasks of perception (2000) and cognition (800), and each task (200).

    A task is worth the percentage of right questions plus that of pictures with both right. A sum is left out
    where one of its tasks has no questions.
    """
    tasks: dict[str, Row] = {}
    for task in (*PERCEPTION, *COGNITION):
        own = [(item, one) for item, one in zip(items, marks, strict=True) if item.kinds["task"] == task]
        if own:
            tasks[task] = task_row(*zip(*own, strict=True))
    sums = {"perception": PERCEPTION, "cognition": COGNITION}
    rows = {name: summed([tasks[task] for task in of]) for name, of in sums.items() if set(of) <= set(tasks)}
    return Table(rows | tasks)


def task_row(items: Sequence[BenchmarkItem[YesNo]], marks: Sequence[Mark]) -> Row:
    """Return the line of one task."""
    questions, pictures = row(marks), all_right(grouped(items, marks))
    value = None
    if questions.value is not None and pictures.value is not None:
        value = questions.value + pictures.value
    return Row(value, questions.n, questions.unparsed, questions.refused, most=ONE_TASK)


def summed(rows: Sequence[Row]) -> Row:
    """Return the sum of tasks."""
    return Row(
        value=sum(one.value or 0.0 for one in rows),
        n=sum(one.n for one in rows),
        unparsed=sum(one.unparsed for one in rows),
        refused=sum(one.refused for one in rows),
        most=ONE_TASK * len(rows),
    )


MME = Benchmark(
    name="mme",
    title="MME",
    layout="folder with one for each task, existence/000000006040.jpg and .txt (question, tab, Yes or No), "
    "…; or images/ and questions_answers_YN/ in it",
    prompt_text="<question, which ends in: Please answer yes or no.>",
    metric="for each task the percentage of right questions plus that of pictures with both right; summed "
    "over ten tasks (perception, 2000) and four (cognition, 800). Published rules: yes or no has to be among "
    "the first four letters",
    read=read,
    prompt=prompt,
    score=score,
    tabulate=tabulate,
    numbers="Florence-VL, tables 2 and 3 (MME-P, MME-C)",
    unread="wrong, and counted as unparsed: a reply that says neither",
    rules=("corrected", "published"),
)
