"""ViP-Bench (ViP-LLaVA, section 5) under the interface of benchmarks; marks are on its pictures already."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from deixis.errors import RecordError, UsageError
from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem, Mark, Reply, Scoring
from deixis.evaluation.benchmarks.judged.grading import graded, graded_table
from deixis.evaluation.benchmarks.rows.row_pictures import picture_file
from deixis.evaluation.benchmarks.vip_bench import (
    PAPER_RUNS,
    RETRY_END,
    Variant,
    VipQuestion,
    message,
    read_items,
)
from deixis.evaluation.benchmarks.vip_bench_asking import MAX_NEW_TOKENS, MODEL

VARIANTS: tuple[Variant, ...] = get_args(Variant)
QUESTIONS = "questions.jsonl"


def read(path: Path) -> list[BenchmarkItem[VipQuestion]]:
    """Return the questions of a folder that has one variant; RecordError where it has both, or none."""
    found = [variant for variant in VARIANTS if (Path(path) / variant / QUESTIONS).is_file()]
    if len(found) != 1:
        raise RecordError(
            f"{path} has {QUESTIONS} in {' and '.join(found) or 'no folder of a variant'}; expected one of "
            f"{', '.join(VARIANTS)}, or --split to say which"
        )
    return read_split(path, found[0])


def read_split(path: Path, split: str) -> list[BenchmarkItem[VipQuestion]]:
    """Return the questions of a variant, each with its picture."""
    variant = next((one for one in VARIANTS if one == split), None)
    if variant is None:
        raise UsageError(f"--split is {split!r}; ViP-Bench has {' and '.join(VARIANTS)}")
    folder = Path(path)
    return [item_of(one, folder / variant) for one in read_items(folder, variant)]


def item_of(question: VipQuestion, folder: Path) -> BenchmarkItem[VipQuestion]:
    """Return one question of a variant's folder."""
    if not question.capabilities:
        raise RecordError(f"{folder}: question {question.key} needs no capability; expected at least one")
    picture = picture_file(folder, question.image, where=f"{folder} {question.key}", folders=("images", ""))
    return BenchmarkItem(id=question.key, pictures=(picture,), question=question.text, truth=question)


def prompt(item: BenchmarkItem[VipQuestion]) -> str:
    """Return what is asked: the question as it is, which names the mark."""
    return item.question


def score(item: BenchmarkItem[VipQuestion], reply: Reply, scoring: Scoring) -> Mark:
    """Return the judge's grade, 0 to 1; it is asked again about "<obj>" for the mark, as published."""
    own = item.truth
    first, again = (message(text, own.truth, reply.text) for text in (own.text, own.named))
    return graded(scoring, first, again=again + RETRY_END, model=MODEL)


def capabilities(item: BenchmarkItem[VipQuestion]) -> tuple[str, ...]:
    """Return the capabilities that a question needs."""
    return item.truth.capabilities


VIP_BENCH = Benchmark(
    name="vip_bench",
    title="ViP-Bench",
    layout="folder with vip-bench-meta-data.json, bbox/questions.jsonl and bbox/images/ (or human/, or both: "
    "--split bbox, human)",
    prompt_text="<question>",
    metric="mean of the judge's grades, 0 to 1, in percent, averaged over its runs (the paper: five); the "
    "judge is asked with the published examples, and again where its reply is no grade",
    read=read,
    read_split=read_split,
    prompt=prompt,
    score=score,
    tabulate=graded_table(capabilities),
    numbers="ViP-LLaVA's model zoo",
    unread="an empty reply is worth nothing, and counted as unparsed; what the judge doesn't grade is left "
    "out, and counted as unjudged (the published program counts it as 0)",
    judge="needed",
    judge_model=MODEL,
    judge_runs=PAPER_RUNS,
    max_new_tokens=MAX_NEW_TOKENS,
)
