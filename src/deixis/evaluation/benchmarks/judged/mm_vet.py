"""MM-Vet (Yu et al., 2023): 218 questions that need several of six abilities, answers rated by a judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deixis.endpoints.chat import ChatRequest
from deixis.evaluation.benchmarks.benchmark import (
    Benchmark,
    BenchmarkItem,
    Mark,
    Reply,
    Scoring,
    Table,
    unjudged,
)
from deixis.evaluation.benchmarks.judged.judging import asked, judge_words
from deixis.evaluation.benchmarks.marking import ALL, row
from deixis.evaluation.benchmarks.rows.row_pictures import picture_file
from deixis.evaluation.benchmarks.rows.tables import find_file, named, root_of, wrong
from deixis.evaluation.benchmarks.vip_bench import (
    LONGEST_REPLY,
    MOST_RETRIES,
    RETRY_END,
    WARMER,
    read_grade,
)
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
    words = judge_words("mm_vet_judge.json")
    spaced = item.truth.answer.replace("<AND>", " <AND> ").replace("<OR>", " <OR> ")
    text = f"{words['prefix']}\n{item.question} | {spaced} | {reply.text} | "
    said = ""
    for attempt in range(MOST_RETRIES):
        message = text + RETRY_END if attempt else text
        request = ChatRequest(
            scoring.judge_model or MODEL,
            (("user", message),),
            WARMER * max(attempt - 1, 0),
            LONGEST_REPLY,
        )
        answered = asked(scoring, request)
        if isinstance(answered, Mark):
            return answered
        said = answered
        if (grade := read_grade(said)) is not None:
            return Mark(grade.score, read=grade.content)
    return unjudged(f"the judge says {said!r:.80}; expected a number from 0 to 1")


def tabulate(items: Sequence[BenchmarkItem[VetTruth]], marks: Sequence[Mark]) -> Table:
    """Return the mean grade of all, of each ability, and of each combination of abilities, in percent."""
    rows = {ALL: row(marks)}
    abilities = sorted({ability for item in items for ability in item.truth.abilities})
    pairs = list(zip(items, marks, strict=True))
    for ability in abilities:
        rows[f"ability: {ability}"] = row([one for item, one in pairs if ability in item.truth.abilities])
    for combination in sorted({tuple(sorted(item.truth.abilities)) for item in items}):
        own = [one for item, one in pairs if tuple(sorted(item.truth.abilities)) == combination]
        rows[f"together: {' + '.join(combination)}"] = row(own)
    return Table(rows)


MM_VET = Benchmark(
    name="mm_vet",
    title="MM-Vet",
    layout="folder with mm-vet.json and images/v1_0.png, …",
    prompt_text="<question>",
    metric="mean of the judge's grades, 0 to 1, in percent, in one run (the paper averages five); the judge "
    "is asked with the published examples, and again where its reply is no grade",
    read=read,
    prompt=prompt,
    score=score,
    tabulate=tabulate,
    numbers="Florence-VL, tables 2 and 3",
    unread="an empty reply is worth nothing, and counted as unparsed; what the judge doesn't grade is left "
    "out, and counted as unjudged",
    judge="needed",
    judge_model=MODEL,
    max_new_tokens=MAX_NEW_TOKENS,
)
