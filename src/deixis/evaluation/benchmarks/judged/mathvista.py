"""MathVista (Lu et al., 2024), testmini: numbers, lists and choices; a judge extracts what rules can't."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deixis.endpoints.chat import ChatRequest
from deixis.errors import RecordError
from deixis.evaluation.benchmarks.answer_rules.letters import lettered, plain, read_letter
from deixis.evaluation.benchmarks.benchmark import (
    Benchmark,
    BenchmarkItem,
    Mark,
    Reply,
    Scoring,
    unjudged,
    unparsed,
)
from deixis.evaluation.benchmarks.judged.judging import asked, judge_words
from deixis.evaluation.benchmarks.marking import accuracy
from deixis.evaluation.benchmarks.rows.row_pictures import picture_file, picture_in_row
from deixis.evaluation.benchmarks.rows.tables import (
    cell,
    find_file,
    identifier,
    named,
    root_of,
    rows_of,
    texts_in,
    wrong,
)
from deixis.files.json_files import Fields, read_json

MODEL = "gpt-4-0613"
JUDGE_TOKENS = 512
FILES = ("testmini.json", "data/testmini.json", "data/testmini-*.parquet", "testmini-*.parquet")
STATED = re.compile(r"\banswer is:?\s+[\"'*$]*(.+?)[\"'*$]*\.?\s*$", re.IGNORECASE | re.MULTILINE)
NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?")
KINDS = ("multi_choice", "free_form")
TYPES = ("text", "integer", "float", "list")
MOST_DIGITS, LONGEST_READ = 12, 2_000


@dataclass(frozen=True)
class MathTruth:
    """What is right, and how it is compared. choices: by letter, none for free answers; digits: of floats."""

    answer: str
    kind: str
    type: str
    choices: Mapping[str, str]
    digits: int
    query: str


def read(path: Path) -> list[BenchmarkItem[MathTruth]]:
    """Return the questions of testmini, from its JSON or its Parquet file."""
    file = find_file(path, FILES, what="testmini.json, or testmini-*.parquet")
    if file.suffix == ".json":
        content = read_json(file)
        return [item_of(content.inside(name), name, root=root_of(path)) for name in content.values]
    return [item_of(row, identifier(row, "pid"), root=root_of(path)) for row in rows_of(file)]


def item_of(fields: Fields, name: str, *, root: Path) -> BenchmarkItem[MathTruth]:
    """Return one question."""
    kind, answer_type = named(fields, "question_type"), named(fields, "answer_type")
    if kind not in KINDS or answer_type not in TYPES:
        raise RecordError(
            f"{fields.where}: question_type is {kind!r:.40} and answer_type {answer_type!r:.40}; expected "
            f"one of {', '.join(KINDS)} and of {', '.join(TYPES)}"
        )
    answer = named(fields, "answer")
    choices = lettered(texts_in(fields, "choices")) if kind == KINDS[0] else {}
    if choices and answer not in choices.values():
        raise wrong(fields, "answer", f"one of the choices {', '.join(choices.values())}")
    meta = fields.inside("metadata") if fields.values.get("metadata") else Fields({}, fields.where)
    held = isinstance(fields.values.get("decoded_image"), dict)
    shown = (
        picture_in_row(fields, "decoded_image", root=root)
        if held
        else picture_file(root, named(fields, "image"), where=fields.where, folders=("", "data"))
    )
    query = cell(fields, "query") or query_of(fields, kind, answer_type, choices)
    truth = MathTruth(answer, kind, answer_type, choices, digits_of(fields), query)
    kinds = {heading: text for heading in ("task", "source") if (text := cell(meta, heading))}
    return BenchmarkItem(name, (shown,), fields.text("question"), truth, kinds={"type": kind, **kinds})


def digits_of(fields: Fields) -> int:
    """Return how many decimals of a number count."""
    value = fields.values.get("precision")
    if value is None or value == "" or (isinstance(value, float) and value != value):
        return 0
    if type(value) not in (int, float) or not 0 <= value <= MOST_DIGITS or value != int(value):
        raise wrong(fields, "precision", f"a whole number from 0 to {MOST_DIGITS}, or null")
    return int(value)


def query_of(fields: Fields, kind: str, answer_type: str, choices: Mapping[str, str]) -> str:
    """Return the published prompt of a question, for files without it."""
    hints = judge_words("mathvista_prompts.json")
    hint = hints[kind] if kind == KINDS[0] else hints.get(answer_type, hints["text"])
    if answer_type == "float":
        hint = hints["float_one"] if digits_of(fields) == 1 else hints["float_two"]
    unit = cell(fields, "unit")
    question = fields.text("question") + (f" (Unit: {unit})" if unit else "")
    lines = [f"Hint: {hint}", f"Question: {question}"]
    if choices:
        lines += ["Choices:", *(f"({letter}) {text}" for letter, text in choices.items())]
    return "\n".join(lines)


def prompt(item: BenchmarkItem[MathTruth]) -> str:
    """Return what is asked: the file's own query."""
    return item.truth.query


def score(item: BenchmarkItem[MathTruth], reply: Reply, scoring: Scoring) -> Mark:
    """Return whether a reply is right. What rules can't read a judge extracts; without one it is unparsed."""
    truth = item.truth
    read_as = by_rule(reply.text, truth)
    if read_as is None and scoring.judge is not None:
        said = asked(scoring, judge_request(truth, reply.text, model=scoring.judge_model or MODEL))
        if isinstance(said, Mark):
            return said
        if not said.strip():
            return unjudged("the judge says nothing")
        read_as = normalised(said.strip(), truth)
        if read_as is None:
            return unparsed(f"the judge extracts {said.strip()!r:.80}, which is no answer of this type")
    if read_as is None:
        return unparsed("rules find no answer in it, and there is no judge")
    true = normalised(truth.answer, truth)
    return Mark(float(read_as == true), read=read_as)


def by_rule(text: str, truth: MathTruth) -> str | None:
    """Return what a reply answers where that is plain: it is the answer alone, or ends "the answer is …"."""
    text = text.strip()[:LONGEST_READ]
    alone = normalised(text, truth)
    if alone is not None:
        return alone
    stated = {normalised(one.strip(), truth) for one in STATED.findall(text)} - {None}
    return stated.pop() if len(stated) == 1 else None


def normalised(text: str, truth: MathTruth) -> str | None:
    """Return an answer as it is compared: a choice's words, a number, a list; None if it is none of them."""
    if truth.choices:
        letter = read_letter(text, truth.choices)
        return None if letter is None else truth.choices[letter]
    if truth.type == "list":
        return list_in(text)
    if truth.type == "text":
        return plain(text) or None
    text = text.strip().removesuffix(".")
    if not text or not NUMBER.fullmatch(text) or not text.strip("+-.,"):
        return None
    value = float(text.replace(",", ""))
    if not math.isfinite(value):
        return None
    if truth.type == "float":
        return str(round(value, truth.digits))
    return str(int(value)) if value == int(value) else str(value)


def list_in(text: str) -> str | None:
    """Return a list of numbers as it is compared; None if it is none.

    >>> list_in("[1, 2.0]"), list_in("1 and 2")
    ('[1.0, 2.0]', None)
    """
    if not text.startswith("["):
        return None
    try:
        values = ast.literal_eval(text.removesuffix("."))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    if not isinstance(values, list) or any(type(one) not in (int, float) for one in values):
        return None
    return str([float(one) for one in values])


def judge_request(truth: MathTruth, reply: str, *, model: str) -> ChatRequest:
    """Return what a judge is asked: the answer in a reply, after five published examples."""
    examples = judge_words("mathvista_judge.json")["examples"]
    text = f"{examples}\n\n{truth.query}\n\n{reply}\n\nExtracted answer: "
    return ChatRequest(model, (("user", text),), 0.0, JUDGE_TOKENS)


MATHVISTA = Benchmark(
    name="mathvista",
    title="MathVista (testmini)",
    layout="folder with testmini.json and images/1.jpg, …; or data/testmini-*.parquet",
    prompt_text="<the file's query: Hint, Question and, where there are any, Choices>",
    metric="accuracy; a reply is read by rule where it is the answer alone or ends in it, else a judge "
    "extracts the answer; numbers are compared at the question's precision, choices by their words; no "
    "answer is matched to the most similar choice, as the published program does",
    read=read,
    prompt=prompt,
    score=score,
    tabulate=accuracy("type", "task", "source"),
    numbers="Florence-VL, tables 2 and 3",
    unread="wrong, and counted as unparsed; without a judge these are all replies that rules can't read, so "
    "that the score is a lower bound",
    judge="optional",
    judge_model=MODEL,
    max_new_tokens=1024,
)
