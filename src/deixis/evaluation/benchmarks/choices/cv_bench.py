"""CV-Bench (Cambrian-1, 2024): counting, relations, depth and distance in photos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deixis.errors import RecordError
from deixis.evaluation.benchmarks.answer_rules.letters import lettered
from deixis.evaluation.benchmarks.benchmark import (
    Benchmark,
    BenchmarkItem,
    Mark,
    Reply,
    Row,
    Scoring,
    Table,
)
from deixis.evaluation.benchmarks.choices.lettered import (
    LETTER_ONLY,
    METRIC,
    UNREAD,
    Choices,
    answer_letter,
    choices_of,
    score_letter,
)
from deixis.evaluation.benchmarks.marking import by_kind, row
from deixis.evaluation.benchmarks.rows.row_pictures import picture_file, picture_in_row
from deixis.evaluation.benchmarks.rows.tables import (
    find_files,
    identifier,
    named,
    root_of,
    rows_of,
    texts_in,
    unique,
)
from deixis.files.json_files import Fields

FILES = ("test_[23]d.jsonl", "test.jsonl", "test_[23]d.parquet", "test*.parquet")
SOURCES = ("ADE20K", "COCO")


def read(path: Path) -> list[BenchmarkItem[Choices]]:
    """Return the questions of both halves, or of the file that is given."""
    rows = [
        one
        for file in find_files(path, FILES, what="test_2d.jsonl and test_3d.jsonl")
        for one in rows_of(file)
    ]
    items = [item_of(one, root=root_of(path)) for one in rows]
    unique((item.id for item in items), (one.where for one in rows))
    return items


def item_of(fields: Fields, *, root: Path) -> BenchmarkItem[Choices]:
    """Return one question, with the prompt of the file."""
    half = named(fields, "type").upper()
    if half not in ("2D", "3D"):
        raise RecordError(f"{fields.where}: field 'type' is {half!r}; expected 2D or 3D")
    name = fields.optional_text("filename")
    held = isinstance(fields.values.get("image"), dict)
    shown = picture_in_row(fields, "image", root=root) if held else None
    choices = lettered(texts_in(fields, "choices"))
    return BenchmarkItem(
        id=f"{half}/{identifier(fields, 'idx')}",
        pictures=(shown or picture_file(root, name or "", where=fields.where),),
        question=fields.text("prompt"),
        truth=choices_of(fields, choices, answer_letter(fields)),
        kinds={"half": half, "source": named(fields, "source"), "task": named(fields, "task")},
    )


def prompt(item: BenchmarkItem[Choices]) -> str:
    """Return what is asked; the choices are in the file's own prompt."""
    return f"{item.question}\n{LETTER_ONLY}"


def published_match(answer: str, prediction: str) -> bool:
    """Tell whether Florence-VL's script counts a prediction: it is the answer, in it, or has it in it.

    An empty prediction is in every answer, and "A" in "(A)".

    >>> published_match("(D)", ""), published_match("(A)", "A"), published_match("(A)", "B")
    (True, True, False)
    """
    return answer in prediction or prediction in answer


def published_line(matches: int, total: int) -> str:
    """Return what the script prints; RecordError of no rows, where it stops."""
    if not total:
        raise RecordError("there are no rows; expected at least one answered question")
    return f"Accuracy: {100 * matches / total:.2f}%"


def score(item: BenchmarkItem[Choices], reply: Reply, scoring: Scoring) -> Mark:
    """Return whether a reply is right, by its letter or by the published rule."""
    if scoring.rules == "published":
        return Mark(float(published_match(f"({item.truth.right})", reply.text)), read=reply.text)
    return score_letter(item, reply, scoring)


def tabulate(items: Sequence[BenchmarkItem[Choices]], marks: Sequence[Mark]) -> Table:
    """Return the published combination, its parts, and the plain share of all questions.

    The combination is the mean of 2D and 3D, and 2D the mean of its two sources; it is left out where a part
    is missing.
    """
    sources = by_kind(items, marks, "source")
    parts = [sources.get(f"source: {name}") for name in SOURCES]
    deep = [one for item, one in zip(items, marks, strict=True) if item.kinds["half"] == "3D"]
    rows: dict[str, Row] = {}
    flat = [part.value for part in parts if part is not None and part.value is not None]
    three = row(deep).value
    if len(flat) == len(SOURCES) and three is not None:
        whole = row(marks)
        combined = (sum(flat) / len(SOURCES) + three) / 2
        rows["combined"] = Row(combined, whole.n, whole.unparsed, whole.refused, whole.unjudged)
    rows["questions"] = row(marks)
    return Table(rows | by_kind(items, marks, "half") | sources | by_kind(items, marks, "task"))


CV_BENCH = Benchmark(
    name="cv_bench",
    title="CV-Bench",
    layout="folder with test_2d.jsonl, test_3d.jsonl and img/…; or test_2d.parquet and test_3d.parquet",
    prompt_text=f"<the file's prompt, with choices in brackets>\n{LETTER_ONLY}",
    metric=f"{METRIC}; combined: the mean of 2D and 3D, 2D the mean of ADE20K and COCO; questions: the share "
    "of all. Published rules: Florence-VL's script, where a reply counts that is in the answer or has it",
    read=read,
    prompt=prompt,
    score=score,
    tabulate=tabulate,
    numbers="Florence-VL, table 2 (its script prints the share of all questions)",
    unread=UNREAD,
    rules=("corrected", "published"),
)
