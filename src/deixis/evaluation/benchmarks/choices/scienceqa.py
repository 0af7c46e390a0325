"""ScienceQA (Lu et al., 2022), the test questions with a picture: choices read by letter."""

from __future__ import annotations

import re
from pathlib import Path

from deixis.errors import RecordError
from deixis.evaluation.benchmarks.answer_rules.letters import LETTERS, lettered, read_letter
from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem, Mark, Reply, Scoring, unparsed
from deixis.evaluation.benchmarks.choices.lettered import (
    LETTER_ONLY,
    METRIC,
    UNREAD,
    Choices,
    lettered_prompt,
    marked,
)
from deixis.evaluation.benchmarks.marking import accuracy
from deixis.evaluation.benchmarks.rows.row_pictures import picture_file
from deixis.evaluation.benchmarks.rows.tables import cell, texts_in, wrong
from deixis.files.json_files import Fields, read_json

SPLIT = "test"
FAILED = "FAILED"  # what the published parser calls a reply that it can't read
PUBLISHED_LETTERS = LETTERS[:5]
STATED = re.compile(r"The answer is ([A-Z]).")
NOWHERE = -1


def read(path: Path) -> list[BenchmarkItem[Choices]]:
    """Return the questions of the test split that have a picture."""
    folder = Path(path)
    if not folder.is_dir():
        raise RecordError(f"{path} is no folder; expected one with problems.json, pid_splits.json and images")
    problems = read_json(folder / "problems.json")
    names = read_json(folder / "pid_splits.json").texts(SPLIT)
    if not names or len(set(names)) < len(names):
        raise RecordError(f"{folder / 'pid_splits.json'}: expected the ids of {SPLIT!r}, each once")
    rows = ((name, problems.inside(name)) for name in names)
    return [item_of(row, name, root=folder) for name, row in rows if row.optional_text("image")]


def item_of(row: Fields, name: str, *, root: Path) -> BenchmarkItem[Choices]:
    """Return one question; its hint goes before it, as context."""
    choices = lettered(texts_in(row, "choices"))
    right = row.whole("answer", least=0)
    if right >= len(choices):
        raise wrong(row, "answer", f"a number below {len(choices)}, of one of the choices")
    folders = (f"images/{SPLIT}", SPLIT, "images", "")
    inside = f"{name}/{row.text('image')}"
    hint = cell(row, "hint")
    return BenchmarkItem(
        id=name,
        pictures=(picture_file(root, inside, where=row.where, folders=folders),),
        question=f"Context: {hint}\n{row.text('question')}" if hint else row.text("question"),
        truth=Choices(choices, list(choices)[right]),
        kinds={"subject": row.optional_text("subject") or "not said"},
    )


def published_answer(prediction: str) -> str:
    """Return the letter that the published parser reads, ``FAILED`` for none.

    A letter from A to E alone, or followed by a full stop, or by a full stop and a blank and anything; else
    what stands behind "The answer is", exactly once, with any sign behind it.

    >>> [published_answer(text) for text in ("A", "B. because", "C.", "The answer is D.", "d")]
    ['A', 'B', 'C', 'D', 'FAILED']
    """
    if prediction in tuple(PUBLISHED_LETTERS):
        return prediction
    if prediction[:1] in tuple(PUBLISHED_LETTERS) and (prediction[1:] == "." or prediction[1:3] == ". "):
        return prediction[0]
    stated = STATED.findall(prediction)
    return str(stated[0]) if len(stated) == 1 else FAILED


def published_index(answer: str, choices: int) -> int:
    """Return the position of a letter among so many choices; -1, which is wrong, if it is none of them.

    >>> published_index("B", 3), published_index("E", 2), published_index(FAILED, 5)
    (1, -1, -1)
    """
    letters = PUBLISHED_LETTERS[:choices]
    return letters.index(answer) if answer in tuple(letters) else NOWHERE


def score(item: BenchmarkItem[Choices], reply: Reply, scoring: Scoring) -> Mark:
    """Return whether a reply names the right choice, read by our rule or by the published parser."""
    if scoring.rules == "corrected":
        return marked(read_letter(reply.text, item.truth.by_letter), item.truth)
    answer = published_answer(reply.text)
    index = published_index(answer, len(item.truth.by_letter))
    if index == NOWHERE:
        return unparsed(f"it is read as {answer}, which is no choice")
    return marked(list(item.truth.by_letter)[index], item.truth)


SCIENCEQA = Benchmark(
    name="scienceqa",
    title="ScienceQA, with pictures (test)",
    layout="folder with problems.json, pid_splits.json and images/test/<id>/image.png (or test/<id>/…)",
    prompt_text=f"Context: <hint, where there is one>\n<question>\nA. <choice>\nB. …\n{LETTER_ONLY}",
    metric=f"{METRIC}. Published rules: the published parser, which knows capital letters, 'X. …', 'X.' and "
    "one 'The answer is X.'",
    read=read,
    prompt=lettered_prompt,
    score=score,
    tabulate=accuracy("subject"),
    numbers="Florence-VL, tables 2 and 3 (SQA-I)",
    unread=UNREAD,
    rules=("corrected", "published"),
)
