"""MM-Vet (Yu et al., 2023): 218 questions that need several of six abilities, answers rated by a judge."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deixis.evaluation.benchmarks.benchmark import (
    Benchmark,
    BenchmarkItem,
    Mark,
    Reply,
    Scoring,
)
from deixis.evaluation.benchmarks.judged.grading import graded, graded_table
from deixis.evaluation.benchmarks.judged.judging import judge_words
from deixis.evaluation.benchmarks.rows.row_pictures import picture_file
from deixis.evaluation.benchmarks.rows.tables import find_file, named, root_of, wrong
from deixis.evaluation.benchmarks.vip_bench import PAPER_RUNS, RETRY_END
from deixis.files.json_files import Fields, read_json

MODEL = "gpt-4-0613"
MAX_NEW_TOKENS = 1024


@dataclass(frozen=True)
class VetTruth:
    """The true answer, with <AND> and <OR> between its parts, and the abilities that it needs."""

    answer: str
    abilities: tuple[str, ...]


def read(path: Path) -> list[BenchmarkItem[VetTruth]]:
    """Return all questions."""
    content = read_json(find_file(path, ("mm-vet.json",), what="mm-vet.json"))
    return [item_of(content.inside(name), name, root=root_of(path)) for name in content.values]


def item_of(fields: Fields, name: str, *, root: Path) -> BenchmarkItem[VetTruth]:
    """Return one question."""
    abilities = fields.texts("capability")
    if not abilities:
        raise wrong(fields, "capability", "a list of at least one ability")
    return BenchmarkItem(
        id=name,
        pictures=(
            picture_file(root, named(fields, "imagename"), where=fields.where, folders=("images", "")),
        ),
        question=fields.text("question"),
        truth=VetTruth(named(fields, "answer"), abilities),
    )


def prompt(item: BenchmarkItem[VetTruth]) -> str:
    """Return what is asked: the question as it is."""
    return item.question


def score(item: BenchmarkItem[VetTruth], reply: Reply, scoring: Scoring) -> Mark:
    """Return the judge's grade, 0 to 1. It is asked again, warmer each time, where its reply is none."""
    prefix = judge_words("mm_vet_judge.json")["prefix"]
    spaced = item.truth.answer.replace("<AND>", " <AND> ").replace("<OR>", " <OR> ")
    message = f"{prefix}\n{item.question} | {spaced} | {reply.text} | "
    return graded(scoring, message, again=message + RETRY_END, model=MODEL)


def abilities(item: BenchmarkItem[VetTruth]) -> tuple[str, ...]:
    """Return the abilities that a question needs."""
    return item.truth.abilities


MM_VET = Benchmark(
    name="mm_vet",
    title="MM-Vet",
    layout="folder with mm-vet.json and images/v1_0.png, …",
    prompt_text="<question>",
    metric="mean of the judge's grades, 0 to 1, in percent, averaged over its runs (the paper: five); the "
    "judge is asked with the published examples, and again where its reply is no grade",
    read=read,
    prompt=prompt,
    score=score,
    tabulate=graded_table(abilities),
    numbers="Florence-VL, tables 2 and 3",
    unread="an empty reply is worth nothing, and counted as unparsed; what the judge doesn't grade is left "
    "out, and counted as unjudged",
    judge="needed",
    judge_model=MODEL,
    judge_runs=PAPER_RUNS,
    max_new_tokens=MAX_NEW_TOKENS,
)
