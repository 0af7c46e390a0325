"""Ferret-Bench (Ferret, section 5.4): 40 questions in each of three tasks, whose answers a judge rates.

A folder of the benchmark has one folder a task with question.jsonl, context.jsonl and answer.jsonl (the
reference answers), and rule.json with what the judge is told. Boxes in it are fractions of the picture. The
data are for non-commercial use and don't come with this package.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deixis.answers.reading.dialects import STEPS, TooFewNumbers, whole_numbers
from deixis.errors import RecordError, UsageError
from deixis.evaluation.metrics.rules import Rules, check_rules
from deixis.evaluation.pointed import PointedQuestion, Pointing
from deixis.files.json_files import Fields, read_json, read_json_lines

REFERRING = ("refer_desc", "refer_reason")
GROUNDING = "ground_conv"
TASKS = ("refer_caption", "refer_reason", "ground_conv")  # folder names, which are not the category names
NUMBER = r"\s*(\d+(?:\.\d*)?|\.\d+)\s*"
FRACTION_BOX = re.compile(rf"\[{NUMBER},{NUMBER},{NUMBER},{NUMBER}\]")
THOUSANDTHS_BOX = re.compile(r"\[\s*(\d{1,4})\s*,\s*(\d{1,4})\s*,\s*(\d{1,4})\s*,\s*(\d{1,4})\s*\]")
BRACKET = re.compile(r"\[([^\]\n]*)\]")
SPACE_AND_BRACKET = re.compile(r" \[[^\]\n]*\]")
SPACE_AND_BOX = re.compile(r"(?<!\s)\s*" + THOUSANDTHS_BOX.pattern)


@dataclass(frozen=True)
class BenchRecord:
    """A question, what the judge is shown instead of the picture, and the answer it compares with."""

    id: int
    picture: str
    category: str
    question: str
    context: str
    reference: str


@dataclass(frozen=True)
class JudgeRule:
    """What the judge is told about a category, and what it calls the two who answered."""

    role: str
    prompt: str


@dataclass(frozen=True)
class ShownAnswer:
    """An answer as the judge sees it; malformed: how many brackets were no box and were left as they are."""

    text: str
    malformed: int = 0


def read_ferret_bench(folder: Path, *, tasks: Iterable[str] = TASKS) -> list[BenchRecord]:
    """Return the records of some tasks, paired by question_id.

    RecordError: a question without context or reference, or one that speaks of another picture or category.
    """
    return [record for task in tasks for record in read_task(Path(folder) / task)]


def read_task(folder: Path) -> list[BenchRecord]:
    """Return the records of one task's folder, in the order of its questions."""
    questions = by_id(folder / "question.jsonl")
    contexts, answers = by_id(folder / "context.jsonl"), by_id(folder / "answer.jsonl")
    records = []
    for number, question in questions.items():
        record = BenchRecord(
            id=number,
            picture=question.text("image"),
            category=question.text("category"),
            question=question.text("text"),
            context=matching(contexts, number, question, folder=folder).text("text"),
            reference=matching(answers, number, question, folder=folder).text("text"),
        )
        records.append(record)
    return records


def by_id(path: Path) -> dict[int, Fields]:
    """Return the lines of a file by question_id; RecordError if one stands twice."""
    found: dict[int, Fields] = {}
    for line in read_json_lines(path):
        number = line.whole("question_id")
        if number in found:
            raise RecordError(f"{line.where}: question_id {number} stands in {found[number].where}, too")
        found[number] = line
    return found


def matching(lines: Mapping[int, Fields], number: int, question: Fields, *, folder: Path) -> Fields:
    """Return the line of a question; RecordError if there is none or it is about something else."""
    if number not in lines:
        raise RecordError(
            f"{question.where}: question_id {number} has no line in every other file of {folder}"
        )
    line = lines[number]
    for name in ("image", "category"):
        if line.values.get(name, question.values[name]) != question.values[name]:
            raise RecordError(
                f"{line.where}: {name} is {line.values[name]!r}, that of question {number} "
                f"{question.values[name]!r}; do the files belong together?"
            )
    return line


def read_rules(path: Path) -> dict[str, JudgeRule]:
    """Return the rule of every category in a rule.json."""
    return rules_of(read_json(Path(path)))


def rules_of(fields: Fields) -> dict[str, JudgeRule]:
    """Return the rule of every category; RecordError names the one that is wrong."""
    rules = {}
    for category, values in fields.values.items():
        if not isinstance(values, dict):
            raise RecordError(f"{fields.where}: {category!r} is {values!r:.80}; expected role and prompt")
        own = Fields(values, f"{fields.where} {category!r}")
        rules[category] = JudgeRule(own.text("role"), own.text("prompt"))
    return rules


def bench_question(text: str, *, width: int, height: int) -> PointedQuestion:
    """Return a question of the benchmark about a picture of this size; its boxes become regions.

    >>> asked = bench_question("Why is [0.1, 0.2, 0.5, 1.0] red?", width=50, height=20)
    >>> asked.text, asked.written()
    ('Why is {box0} red?', 'Why is [100, 200, 500, 1000] <region_fea> red?')
    """
    pointings: list[Pointing] = []

    def named(match: re.Match[str]) -> str:
        edges = [float(edge) for edge in match.groups()]
        if max(edges) > 1:
            return match.group()
        name = f"box{len(pointings)}"
        x0, y0, x1, y1 = edges
        steps = tuple(int(STEPS * edge) for edge in edges)
        pointings.append(Pointing(name, steps, (x0 * width, y0 * height, x1 * width, y1 * height)))
        return f"{{{name}}}"

    return PointedQuestion(FRACTION_BOX.sub(named, text), tuple(pointings))


def shown_to_judge(answer: str, category: str, *, protocol: Rules = "corrected") -> ShownAnswer:
    """Return an answer as the judge is shown it: without boxes in a referring task, else with fractions.

    published: every bracket behind a space goes, or is read as at least four whole numbers; NotWholeNumbers
    or TooFewNumbers where it isn't (the original program stopped there).
    corrected: only boxes of four whole numbers up to 1000, x0 <= x1 and y0 <= y1, are touched; other brackets
    of a grounding answer stay for the judge to see and are counted.

    >>> shown_to_judge("A man [201, 2, 940, 758] on [it].", "ground_conv")
    ShownAnswer(text='A man [0.201, 0.002, 0.940, 0.758] on [it].', malformed=1)
    >>> shown_to_judge("A man [201, 2, 940, 758].", "refer_desc").text
    'A man.'
    """
    check_rules(protocol)
    if category in REFERRING:
        if protocol == "published":
            return ShownAnswer(brackets_replaced(SPACE_AND_BRACKET, lambda match: "", answer))
        return ShownAnswer(SPACE_AND_BOX.sub("", answer))
    if category != GROUNDING:
        raise UsageError(f"category is {category!r}; expected one of {', '.join((*REFERRING, GROUNDING))}")
    if protocol == "published":
        return ShownAnswer(brackets_replaced(BRACKET, lambda match: published_fractions(match[1]), answer))
    malformed = 0

    def fractions(match: re.Match[str]) -> str:
        nonlocal malformed
        box = THOUSANDTHS_BOX.fullmatch(match.group())
        steps = [] if box is None else [int(step) for step in box.groups()]
        if not steps or max(steps) > STEPS or steps[0] > steps[2] or steps[1] > steps[3]:
            malformed += 1
            return match.group()
        return fraction_text(steps)

    shown = brackets_replaced(BRACKET, fractions, answer)
    return ShownAnswer(shown, malformed)


def brackets_replaced(pattern: re.Pattern[str], by: Callable[[re.Match[str]], str], text: str) -> str:
    """Return a text with every match of a bracket's pattern replaced.

    It is looked for up to the last ] of each line, so that each [ has one and none is followed in vain.
    """
    lines = []
    for line in text.split("\n"):
        end = line.rfind("]") + 1
        lines.append(pattern.sub(by, line[:end]) + line[end:])
    return "\n".join(lines)


def published_fractions(content: str) -> str:
    """Return the content of a bracket as the published program rewrites it."""
    steps = whole_numbers(content)
    if len(steps) < 4:
        raise TooFewNumbers(f"a bracket holds {content!r:.80}; expected four numbers x0, y0, x1, y1")
    return fraction_text(steps[:4])


def fraction_text(steps: Iterable[int]) -> str:
    """Return thousandths as fractions with three decimals, in brackets.

    >>> fraction_text([201, 2, 940, 1000])
    '[0.201, 0.002, 0.940, 1.000]'
    """
    return "[" + ", ".join(f"{step / STEPS:.3f}" for step in steps) + "]"
