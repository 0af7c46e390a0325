"""MMBench (Liu et al., 2023): choices asked in every rotation, a question right only if it is in all of them.

The published tables have the rotations as rows of their own, their indices a million apart; of tables without
them the rotations are made here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path

from deixis.endpoints.chat import ChatRequest
from deixis.errors import EndpointError
from deixis.evaluation.benchmarks.answer_rules.letters import listed, read_letter
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
from deixis.evaluation.benchmarks.choices.lettered import (
    LETTER_ONLY,
    METRIC,
    Choices,
    answer_letter,
    choices_of,
    columns_of,
    marked,
)
from deixis.evaluation.benchmarks.marking import all_right, grouped, row
from deixis.evaluation.benchmarks.rows.row_pictures import TablePictures
from deixis.evaluation.benchmarks.rows.tables import cell, find_file, rows_of, unique, wrong
from deixis.files.json_files import Fields

APART = 1_000_000
NONE_OF_THEM = "E"
JUDGE_TOKENS = 8
MODEL = "gpt-3.5-turbo-0613"
LAYOUT = (
    "a TSV file {name} with index, question, hint, A to D, answer, category, l2-category and image (base64)"
)


def reader(names: Sequence[str], *, what: str) -> Callable[[Path], list[BenchmarkItem[Choices]]]:
    """Return what reads a table of one of some names in a folder, or the table that is given."""

    def read(path: Path) -> list[BenchmarkItem[Choices]]:
        """Return every question in every rotation."""
        rows = list(rows_of(find_file(path, names, what=what)))
        pictures = TablePictures(rows)
        items = [item_of(one, pictures) for one in rows]
        unique((item.id for item in items), (one.where for one in rows))
        if any(int(item.id) >= APART for item in items):
            return items
        return [turned for item in items for turned in rotations(item)]

    return read


def item_of(fields: Fields, pictures: TablePictures) -> BenchmarkItem[Choices]:
    """Return the question of a row; its hint goes before it."""
    number = cell(fields, "index")
    if not number.isascii() or not number.isdecimal() or len(number) > 12:
        raise wrong(fields, "index", "a whole number")
    hint, question = cell(fields, "hint"), fields.text("question")
    headings = (("category", "category"), ("l2-category", "ability"), ("L2-category", "ability"))
    return BenchmarkItem(
        id=number,
        pictures=(pictures.of(fields),),
        question=f"{hint}\n{question}" if hint else question,
        truth=choices_of(fields, columns_of(fields), answer_letter(fields)),
        group=str(int(number) % APART),
        kinds={heading: text for column, heading in headings if (text := cell(fields, column))},
    )


def rotations(item: BenchmarkItem[Choices]) -> list[BenchmarkItem[Choices]]:
    """Return a question with its choices moved on by none, one, two … places, as published."""
    letters, texts = list(item.truth.by_letter), list(item.truth.by_letter.values())
    right = letters.index(item.truth.right)
    turned = []
    for step in range(len(letters)):
        moved = texts[step:] + texts[:step]
        truth = Choices(dict(zip(letters, moved, strict=True)), letters[(right - step) % len(letters)])
        turned.append(replace(item, id=str(int(item.id) + step * APART), truth=truth, group=item.together))
    return turned


def prompter(request: str) -> Callable[[BenchmarkItem[Choices]], str]:
    """Return what writes the question, its choices and a request for a letter."""
    return lambda item: f"{item.question}\n{listed(item.truth.by_letter)}\n{request}"


def score(item: BenchmarkItem[Choices], reply: Reply, scoring: Scoring) -> Mark:
    """Return whether a reply names the right choice; where rules read none, a judge may match it."""
    letter = read_letter(reply.text, item.truth.by_letter)
    if letter is not None or scoring.judge is None:
        return marked(letter, item.truth)
    request = judge_request(item, reply.text, model=scoring.judge_model or MODEL)
    try:
        said = scoring.judge(request)
    except EndpointError as fault:
        return unjudged(str(fault))
    named_by_judge = read_letter(said, {**item.truth.by_letter, NONE_OF_THEM: ""})
    if named_by_judge is None:
        return unjudged(f"the judge says {said!r:.80}; expected a letter")
    if named_by_judge not in item.truth.by_letter:
        return unparsed("the judge finds no choice that it means")
    return marked(named_by_judge, item.truth)


def judge_request(item: BenchmarkItem[Choices], reply: str, *, model: str) -> ChatRequest:
    """Return what a judge is asked: which choice is most similar to a reply, E for none."""
    file = resources.files("deixis.evaluation.benchmarks.choices").joinpath("mmbench_judge.json")
    before = str(json.loads(file.read_text(encoding="utf-8"))["prefix"])
    options = " ".join(f"{letter}. {text}" for letter, text in item.truth.by_letter.items())
    text = f"{before}Question: {item.question}?\nOptions: {options}\nAnswer: {reply}\nYour output: "
    return ChatRequest(model, (("user", text),), 0.0, JUDGE_TOKENS)


def tabulate(items: Sequence[BenchmarkItem[Choices]], marks: Sequence[Mark]) -> Table:
    """Return the share of questions right in every rotation, that of the first ones, and of each kind.

    n of "circular" and of kinds are questions, not rotations.
    """
    rows: dict[str, Row] = {"circular": all_right(grouped(items, marks))}
    once = [one for item, one in zip(items, marks, strict=True) if int(item.id) < APART]
    rows["asked once"] = row(once)
    for heading in ("ability", "category"):
        kinds = sorted({item.kinds[heading] for item in items if heading in item.kinds})
        for kind in kinds:
            own = [
                (item, one) for item, one in zip(items, marks, strict=True) if item.kinds.get(heading) == kind
            ]
            rows[f"{heading}: {kind}"] = all_right(grouped(*zip(*own, strict=True)))
    return Table(rows)


CIRCULAR = (
    f"{METRIC}; circular: a question is right if it is in every rotation of its choices; with a judge, "
    "replies that rules can't read are matched by it"
)
UNREAD = "wrong, and counted as unparsed; with a judge, it says which choice is meant"
MMBENCH = Benchmark(
    name="mmbench",
    title="MMBench, English (dev)",
    layout=LAYOUT.format(name="mmbench_dev_en_20231003.tsv, mmbench_dev_20230712.tsv or MMBench_DEV_EN.tsv"),
    prompt_text=f"<hint, where there is one>\n<question>\nA. <choice>\nB. …\n{LETTER_ONLY}",
    metric=CIRCULAR,
    read=reader(
        ("mmbench_dev_en_20231003.tsv", "mmbench_dev_20230712.tsv", "MMBench_DEV_EN*.tsv"),
        what="the TSV file of the English dev split",
    ),
    prompt=prompter(LETTER_ONLY),
    score=score,
    tabulate=tabulate,
    numbers="Florence-VL, tables 2 and 3 (MMB-EN)",
    unread=UNREAD,
    judge="optional",
    judge_model=MODEL,
)
