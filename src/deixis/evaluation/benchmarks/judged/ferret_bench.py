"""Ferret-Bench (Ferret, section 5.4) under the interface of benchmarks; see ``benchmarks.ferret_bench``.

A judge rates each answer beside a reference. It is shown places as fractions behind their phrases where a
question asks to ground, and none where it refers.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from deixis.answers.reading.dialects import thousandth
from deixis.errors import MalformedAnswer, RecordError, UsageError
from deixis.evaluation.benchmarks.benchmark import (
    Benchmark,
    BenchmarkItem,
    Mark,
    Reply,
    Row,
    Scoring,
    Table,
    unjudged,
    unparsed,
)
from deixis.evaluation.benchmarks.ferret_bench import (
    GROUNDING,
    TASKS,
    bench_question,
    read_ferret_bench,
    read_rules,
    shown_to_judge,
)
from deixis.evaluation.benchmarks.grounding.llava_bench_coco import Rated, judge_told, relative_scores
from deixis.evaluation.benchmarks.marking import count
from deixis.evaluation.benchmarks.rows.row_pictures import picture_file
from deixis.evaluation.judging.judge import MODEL, MOST, review
from deixis.evaluation.pointed import PointedQuestion
from deixis.regions.frames import Frame
from deixis.regions.overlap import Edges

FOLDERS = ("val2017", "images", "")
MAX_NEW_TOKENS = 1024
AVERAGE, ALL = "average of tasks", "all questions"
NAMES = {"refer_desc": "description", "refer_reason": "reasoning", GROUNDING: "grounding"}


@dataclass(frozen=True)
class Benched(Rated):
    """A question, what its judge is given but for the answer, and its picture's size in pixels."""

    width: int
    height: int


def read(path: Path) -> list[BenchmarkItem[Benched]]:
    """Return the questions of all three tasks, 40 each as published."""
    return items_in(Path(path), TASKS)


def read_split(path: Path, split: str) -> list[BenchmarkItem[Benched]]:
    """Return the questions of one task, by its folder."""
    if split not in TASKS:
        raise UsageError(f"--split is {split!r}; Ferret-Bench has {', '.join(TASKS)}")
    return items_in(Path(path), (split,))


def items_in(folder: Path, tasks: Sequence[str]) -> list[BenchmarkItem[Benched]]:
    """Return the questions of some tasks; RecordError: a category without a rule, or no picture."""
    if not folder.is_dir():
        raise RecordError(f"{folder} is no folder; expected one with rule.json and {', '.join(TASKS)}")
    rules = read_rules(folder / "rule.json")
    items = []
    for task in tasks:
        for record in read_ferret_bench(folder, tasks=(task,)):
            where = f"{folder / task} question {record.id}"
            if record.category not in rules or record.category not in NAMES:
                raise RecordError(
                    f"{where}: category is {record.category!r:.40}; expected one of {', '.join(NAMES)}, "
                    "with a rule in rule.json"
                )
            shown = picture_file(folder, record.picture, where=where, folders=FOLDERS)
            picture = shown.opened()
            asked = asked_about(record.question, width=picture.width, height=picture.height)
            items.append(
                BenchmarkItem(
                    id=f"{task}/{record.id}",
                    pictures=(shown,),
                    question=asked.text,
                    truth=Benched(record, rules, picture.width, picture.height),
                    regions=tuple(asked.regions(Frame.original(picture.width, picture.height)).items()),
                    kinds={"task": NAMES[record.category]},
                    places=record.category == GROUNDING,
                )
            )
    return items


def asked_about(question: str, *, width: int, height: int) -> PointedQuestion:
    """Return a question as ``bench_question``; braces of one that points are doubled, as systems want it."""
    plain = bench_question(question, width=width, height=height)
    if not plain.pointings:
        return plain
    return bench_question(question.replace("{", "{{").replace("}", "}}"), width=width, height=height)


def prompt(item: BenchmarkItem[Benched]) -> str:
    """Return what is asked: the question, its boxes regions."""
    return item.question


def with_boxes(reply: Reply, *, width: int, height: int) -> str:
    """Return a reply with each place in thousandths, in brackets behind its phrase, as Ferret writes it.

    A place whose phrase isn't in the text stands at the end, with its phrase.

    >>> from deixis.evaluation.benchmarks.benchmark import ReplyPlace
    >>> dog = ReplyPlace((5.0, 0.0, 50.0, 20.0), phrase="A dog", named=0)
    >>> with_boxes(Reply("A dog runs.", (dog,)), width=100, height=40)
    'A dog [50, 0, 500, 500] runs.'
    """
    text, end = reply.text, 0
    for phrase, places in groupby(reply.as_named, key=lambda place: place.phrase):
        boxes = " ".join(thousandths(place.box, width=width, height=height) for place in places)
        start = text.find(phrase, end) if phrase in text[end:] else text.find(phrase)
        if not phrase or start < 0:
            text = f"{text} {phrase}".rstrip()
            start = len(text) - len(phrase)
        end = start + len(phrase)
        text = f"{text[:end]} {boxes}{text[end:]}"
        end += 1 + len(boxes)
    return text


def thousandths(box: Edges, *, width: int, height: int) -> str:
    """Return a box of pixels as four thousandths in brackets."""
    steps = (thousandth(edge, side) for edge, side in zip(box, (width, height) * 2, strict=True))
    return f"[{', '.join(map(str, steps))}]"


def score(item: BenchmarkItem[Benched], reply: Reply, scoring: Scoring) -> Mark:
    """Return the judge's rating as a share of ten; unjudged where there is no judge, or it gave none.

    By published rules a bracket of the reply that is no box can't be shown at all: it is unparsed.
    """
    if scoring.judge is None:
        return unjudged("no judge was given")
    own = item.truth
    grounded = own.record.category == GROUNDING
    text = with_boxes(reply, width=own.width, height=own.height) if grounded else reply.text
    try:
        shown = shown_to_judge(text, own.record.category, protocol=scoring.rules)
    except MalformedAnswer as fault:
        return unparsed(str(fault))
    rated = review(
        scoring.judge,
        own.record,
        shown.text,
        own.rules,
        model=scoring.judge_model or MODEL,
        protocol=scoring.rules,
    )
    if rated.scores is None:
        return unjudged(rated.failure)
    reference, answer = rated.scores
    numbers = {"reference": reference, "answer": answer, "malformed": float(shown.malformed)}
    return Mark(min(max(answer / MOST, 0.0), 1.0), read=shown.text, numbers=numbers)


def tabulate(items: Sequence[BenchmarkItem[Benched]], marks: Sequence[Mark]) -> Table:
    """Return the mean of the three tasks' relative scores where all are asked, each one's, and all's."""
    scores = relative_scores(items, marks)
    rows = {}
    for category, name in NAMES.items():
        own = [one for item, one in zip(items, marks, strict=True) if item.truth.record.category == category]
        if own:
            rows[name] = row(scores[category].value, own)
    values = [one.value for one in rows.values() if one.value is not None]
    average = statistics.fmean(values) if len(values) == len(NAMES) else None
    whole = {AVERAGE: row(average, marks)} if len(rows) == len(NAMES) else {}
    return Table({**whole, **rows, ALL: row(scores["all"].value, marks)})


def row(value: float | None, marks: Sequence[Mark]) -> Row:
    """Return a line of the table; n: how many answers have a rating, or are worth nothing without one."""
    rated = sum(one.value is not None for one in marks)
    return Row(value, rated, count(marks, "unparsed"), count(marks, "refused"), count(marks, "unjudged"))


FERRET_BENCH = Benchmark(
    name="ferret_bench",
    title="Ferret-Bench",
    layout="folder with rule.json and refer_caption/, refer_reason/, ground_conv/ (question.jsonl, "
    "context.jsonl, answer.jsonl in each; --split asks one); COCO's pictures in val2017/",
    prompt_text="<question, its boxes regions>",
    metric="relative score: mean of the judge's ratings of the answers over that of the references, in "
    "percent, for each task, and the mean of the three; the judge sees the reference first, and a "
    "description for the picture",
    read=read,
    read_split=read_split,
    prompt=prompt,
    score=score,
    tabulate=tabulate,
    numbers="Ferret, section 5.4; Ferret-v2, table 2",
    unread="an empty or refused reply is rated 0 against an average reference, and counted; what the judge "
    "doesn't rate is left out, and counted as unjudged (the published program counts it as -1 for both)",
    judge="needed",
    judge_model=MODEL,
    judge_told=judge_told,
    rules=("corrected", "published"),
    max_new_tokens=MAX_NEW_TOKENS,
)
