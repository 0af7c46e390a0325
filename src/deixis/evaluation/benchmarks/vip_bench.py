"""ViP-Bench (ViP-LLaVA, section 5): questions about marked regions, answers rated by a language model.

303 questions in two variants, whose pictures are marked already: "bbox" with tight boxes or masks, "human" by
hand. Each question needs one or more of six capabilities. The judge gives 0 to 1; where its reply is no such
number it is asked again, warmer each time (vip_llava.md section 9).
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal

from deixis.errors import RecordError
from deixis.files.json_files import Fields, read_json, read_json_lines

Variant = Literal["bbox", "human"]
LONGEST_REPLY, WARMER, MOST_RETRIES = 3, 0.5, 5  # tokens; temperature a retry; retries
PAPER_RUNS = 5
RETRY_END = "\nPredict the correctness of the answer (digit): "
Ask = Callable[[str, float], str]
"""A message and a temperature -> the judge's reply."""


@dataclass(frozen=True)
class VipQuestion:
    """A question of the benchmark.

    text: as the variant asks it, naming the mark. named: the same with "<obj>" in the place of what is
    marked, as the metadata have it. truth: with <AND> and <OR> between its parts.
    """

    key: str
    image: str
    text: str
    named: str
    truth: str
    capabilities: tuple[str, ...]


@dataclass(frozen=True)
class Grade:
    """What the judge gave. content: the number as written, "" where no reply was one; score: 0 then."""

    content: str
    score: float


def read_items(folder: Path, variant: Variant) -> list[VipQuestion]:
    """Return the questions of a variant from a folder of the published layout.

    RecordError: a file is missing, or a question has no metadata.
    """
    listed = read_json_lines(folder / variant / "questions.jsonl")
    return items_of(list(listed), read_json(folder / "vip-bench-meta-data.json"))


def items_of(questions: Iterable[Fields], metadata: Fields) -> list[VipQuestion]:
    """Return questions with their metadata, which are found by "v1_" and the question's number."""
    items = []
    for one in questions:
        key = f"v1_{one.whole('question_id')}"
        known = metadata.inside(key)
        texts = (one.text("image"), one.text("text"), known.text("question"), known.text("answer"))
        items.append(VipQuestion(key, *texts, tuple(known.texts("capability"))))
    return items


def judge_prefix() -> str:
    """Return the fixed beginning of every message to the judge, with the published examples."""
    file = resources.files("deixis.evaluation.benchmarks").joinpath("vip_bench_judge.json")
    return str(json.loads(file.read_text(encoding="utf-8"))["prefix"])


def message(question: str, truth: str, prediction: str) -> str:
    """Return what the judge is asked."""
    spaced = truth.replace("<AND>", " <AND> ").replace("<OR>", " <OR> ")
    return f"{judge_prefix()}\n{question} | {spaced} | {prediction} | "


def read_grade(reply: str) -> Grade | None:
    """Return what a reply gives: its first word as a number from 0 to 1, or None.

    >>> read_grade("0.3 of 1"), read_grade("1.5"), read_grade("The")
    (Grade(content='0.3', score=0.3), None, None)
    """
    word = reply.split(" ", 1)[0].strip()
    try:
        score = float(word)
    except ValueError:
        return None
    return Grade(word, score) if 0 <= score <= 1 else None


def grade(item: VipQuestion, prediction: str, ask: Ask, *, temperature: float = 0.0) -> Grade:
    """Return what a judge gives an answer; it is asked again where its reply is no grade.

    The reply to the last retry is not read, as published: the grade is 0 then, and its content empty.
    """
    found = read_grade(ask(message(item.text, item.truth, prediction), temperature))
    retries = 0
    while found is None and retries < MOST_RETRIES:
        reply = ask(message(item.named, item.truth, prediction) + RETRY_END, temperature)
        retries, temperature = retries + 1, temperature + WARMER
        found = read_grade(reply) if retries < MOST_RETRIES else None
    return Grade("", 0.0) if found is None else found


@dataclass(frozen=True)
class Scores:
    """Percentages over runs: the mean for each column and of all, the spread of the total, and its runs."""

    columns: Mapping[str, float]
    total: float
    std: float
    runs: tuple[float, ...]

    def rounded(self) -> dict[str, float | str]:
        """Return the published table: one decimal, the runs as text."""
        row: dict[str, float | str] = {name: round(value, 1) for name, value in self.columns.items()}
        runs = str([round(run, 1) for run in self.runs])
        return row | {"total": round(self.total, 1), "std": round(self.std, 1), "runs": runs}


def by_capability(items: Sequence[VipQuestion], grades: Mapping[str, Sequence[Grade]]) -> Scores:
    """Return scores of items that need a capability, perhaps beside others. grades: by key, one a run."""
    return scores(items, grades, columns=lambda item: item.capabilities)


def by_combination(items: Sequence[VipQuestion], grades: Mapping[str, Sequence[Grade]]) -> Scores:
    """Return scores of items that need exactly the same capabilities; columns such as "know_rec"."""
    return scores(items, grades, columns=lambda item: ["_".join(sorted(item.capabilities))])


def scores(
    items: Sequence[VipQuestion],
    grades: Mapping[str, Sequence[Grade]],
    *,
    columns: Callable[[VipQuestion], Collection[str]],
) -> Scores:
    """Return percentages over all runs; RecordError where items have none or different numbers of grades."""
    counts = {len(grades.get(item.key, ())) for item in items}
    if len(counts) != 1 or counts == {0}:
        raise RecordError(f"items have {sorted(counts)} grades; expected as many for each, at least one")
    runs = range(counts.pop())
    names = dict.fromkeys(name for item in items for name in columns(item))
    means = {}
    for name in names:
        own = [item for item in items if name in columns(item)]
        means[name] = statistics.fmean(percent(own, grades, run) for run in runs)
    totals = tuple(percent(items, grades, run) for run in runs)
    return Scores(means, statistics.fmean(totals), statistics.pstdev(totals), totals)


def percent(items: Sequence[VipQuestion], grades: Mapping[str, Sequence[Grade]], run: int) -> float:
    """Return the mean grade of items in one run, in percent."""
    return 100 * math.fsum(grades[item.key][run].score for item in items) / len(items)
