"""MMMU (Yue et al., 2024), validation: questions of college exams in thirty subjects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from deixis.errors import RecordError
from deixis.evaluation.benchmarks.answer_rules.letters import lettered, listed
from deixis.evaluation.benchmarks.benchmark import (
    Benchmark,
    BenchmarkItem,
    Mark,
    Reply,
    Scoring,
    Shown,
    unparsed,
)
from deixis.evaluation.benchmarks.choices.lettered import LETTER_ONLY, answer_letter, choices_of
from deixis.evaluation.benchmarks.choices.mmmu_answers import (
    open_candidates,
    open_match,
    read_choice,
)
from deixis.evaluation.benchmarks.marking import accuracy
from deixis.evaluation.benchmarks.rows.row_pictures import picture_in_row
from deixis.evaluation.benchmarks.rows.tables import (
    cell,
    find_files,
    named,
    root_of,
    rows_of,
    texts_in,
    unique,
)
from deixis.files.json_files import Fields

SHORT_ANSWER = "Answer the question using a single word or phrase."
MOST_PICTURES = 7
FILES = ("*/validation-*.parquet", "validation-*.parquet", "validation.jsonl", "validation.json")
DISCIPLINES = MappingProxyType(
    {
        "Art and Design": ("Art", "Art_Theory", "Design", "Music"),
        "Business": ("Accounting", "Economics", "Finance", "Manage", "Marketing"),
        "Science": ("Biology", "Chemistry", "Geography", "Math", "Physics"),
        "Health and Medicine": (
            "Basic_Medical_Science",
            "Clinical_Medicine",
            "Diagnostics_and_Laboratory_Medicine",
            "Pharmacy",
            "Public_Health",
        ),
        "Humanities and Social Science": ("History", "Literature", "Psychology", "Sociology"),
        "Tech and Engineering": (
            "Agriculture",
            "Architecture_and_Engineering",
            "Computer_Science",
            "Electronics",
            "Energy_and_Power",
            "Materials",
            "Mechanical_Engineering",
        ),
    }
)


@dataclass(frozen=True)
class ExamTruth:
    """The choices by letter, none for an open question, and the right letter or the true answers."""

    choices: dict[str, str]
    answers: tuple[str, ...]


def read(path: Path) -> list[BenchmarkItem[ExamTruth]]:
    """Return the questions of the validation split."""
    what = "validation-*.parquet in a folder for each subject, or validation.jsonl"
    rows = [one for file in find_files(path, FILES, what=what) for one in rows_of(file)]
    items = [item_of(one, root=root_of(path)) for one in rows]
    unique((item.id for item in items), (one.where for one in rows))
    return items


def item_of(fields: Fields, *, root: Path) -> BenchmarkItem[ExamTruth]:
    """Return one question with up to seven pictures, which it names <image 1>, <image 2>, …"""
    name, kind = named(fields, "id"), named(fields, "question_type")
    pictures = pictures_of(fields, root=root)
    if not pictures:
        raise RecordError(f"{fields.where}: has no picture in image_1 to image_{MOST_PICTURES}")
    subject = name.removeprefix("validation_").rpartition("_")[0]
    discipline = next((group for group, own in DISCIPLINES.items() if subject in own), "other")
    return BenchmarkItem(
        id=name,
        pictures=pictures,
        question=fields.text("question"),
        truth=truth_of(fields, kind),
        kinds={"discipline": discipline, "subject": subject, "type": kind},
    )


def pictures_of(fields: Fields, *, root: Path) -> tuple[Shown, ...]:
    """Return the pictures of a row."""
    names = [f"image_{number}" for number in range(1, MOST_PICTURES + 1)]
    return tuple(
        picture_in_row(fields, name, root=root, folders=("", "images"))
        for name in names
        if fields.values.get(name) not in (None, "")
    )


def truth_of(fields: Fields, kind: str) -> ExamTruth:
    """Return what is right; RecordError for a type of question that there is none of."""
    if kind == "multiple-choice":
        truth = choices_of(fields, lettered(texts_in(fields, "options")), answer_letter(fields))
        return ExamTruth(dict(truth.by_letter), (truth.right,))
    if kind != "open":
        raise RecordError(f"{fields.where}: question_type is {kind!r}; expected multiple-choice or open")
    several = not isinstance(fields.values.get("answer"), str) or cell(fields, "answer").startswith("[")
    answers = texts_in(fields, "answer") if several else (named(fields, "answer"),)
    return ExamTruth({}, answers)


def prompt(item: BenchmarkItem[ExamTruth]) -> str:
    """Return what is asked."""
    if item.truth.choices:
        return f"{item.question}\n{listed(item.truth.choices)}\n\n{LETTER_ONLY}"
    return f"{item.question}\n\n{SHORT_ANSWER}"


def score(item: BenchmarkItem[ExamTruth], reply: Reply, scoring: Scoring) -> Mark:
    """Return whether a reply is right, as MMMU's own parser reads it, but that nothing is drawn by chance."""
    if not item.truth.choices:
        candidates = open_candidates(reply.text)
        return Mark(float(open_match(candidates, item.truth.answers)), read="; ".join(map(str, candidates)))
    letter = read_choice(reply.text, item.truth.choices)
    if letter is None:
        return unparsed("it names no choice")
    return Mark(float(letter == item.truth.answers[0]), read=letter)


MMMU = Benchmark(
    name="mmmu",
    title="MMMU (validation)",
    layout="folder with <subject>/validation-00000-of-00001.parquet for each subject (or validation.jsonl, "
    "pictures as files)",
    prompt_text=f"<question, pictures as <image 1>>\nA. <choice>\nB. …\n\n{LETTER_ONLY} "
    f"(open: {SHORT_ANSWER})",
    metric="accuracy over all questions. Choices as MMMU's parser reads them: the last one named as (A), as "
    "a word of its own, with a full stop, or by its text in a reply of over five words; open questions: "
    "numbers to two decimals, or a true answer somewhere in what the reply states",
    read=read,
    prompt=prompt,
    score=score,
    tabulate=accuracy("discipline", "subject", "type"),
    numbers="Florence-VL, tables 2 and 3",
    unread="wrong, and counted as unparsed (MMMU's own program draws a choice by chance)",
)
