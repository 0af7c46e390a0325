"""LLaVA-Bench, in the wild (Liu et al., 2023): 60 questions; a judge rates reply beside reference."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deixis.errors import RecordError
from deixis.evaluation.benchmarks.benchmark import (
    Benchmark,
    BenchmarkItem,
    Mark,
    Reply,
    Row,
    Scoring,
    Table,
    unjudged,
)
from deixis.evaluation.benchmarks.ferret_bench import BenchRecord, JudgeRule, by_id
from deixis.evaluation.benchmarks.judged.judging import asked, judge_words
from deixis.evaluation.benchmarks.marking import ALL, count
from deixis.evaluation.benchmarks.rows.row_pictures import picture_file
from deixis.evaluation.judging.judge import judge_request, read_scores
from deixis.files.json_files import Fields, read_json_lines

MODEL = "gpt-4-0613"
MOST = 10
MAX_NEW_TOKENS = 1024
CATEGORIES = ("conv", "detail", "complex")


def read(path: Path) -> list[BenchmarkItem[BenchRecord]]:
    """Return all questions, each with its context and GPT-4's reference answer."""
    folder = Path(path)
    if not folder.is_dir():
        raise RecordError(
            f"{path} is no folder; expected one with questions.jsonl, context.jsonl and images/"
        )
    questions, references = by_id(folder / "questions.jsonl"), by_id(folder / "answers_gpt4.jsonl")
    contexts = {line.text("image"): line for line in read_json_lines(folder / "context.jsonl")}
    return [
        item_of(row, number, references=references, contexts=contexts, root=folder)
        for number, row in questions.items()
    ]


def item_of(
    row: Fields, number: int, *, references: dict[int, Fields], contexts: dict[str, Fields], root: Path
) -> BenchmarkItem[BenchRecord]:
    """Return one question; RecordError where another file lacks its line."""
    image, category = row.text("image"), row.text("category")
    if category not in CATEGORIES:
        raise RecordError(
            f"{row.where}: category is {category!r:.40}; expected one of {', '.join(CATEGORIES)}"
        )
    if number not in references or image not in contexts:
        lacking = "answers_gpt4.jsonl" if number not in references else "context.jsonl"
        raise RecordError(f"{row.where}: question {number} about {image} has no line in {root / lacking}")
    record = BenchRecord(
        id=number,
        picture=image,
        category=category,
        question=row.text("text"),
        context=contexts[image].text("caption"),
        reference=references[number].text("text"),
    )
    return BenchmarkItem(
        id=str(number),
        pictures=(picture_file(root, image, where=row.where, folders=("images", "")),),
        question=record.question,
        truth=record,
        kinds={"category": category},
    )


def prompt(item: BenchmarkItem[BenchRecord]) -> str:
    """Return what is asked: the question as it is."""
    return item.question


def score(item: BenchmarkItem[BenchRecord], reply: Reply, scoring: Scoring) -> Mark:
    """Return the judge's two scores, 1 to 10: of the reference and of the reply."""
    words = judge_words("llava_bench_judge.json")
    request = judge_request(
        item.truth,
        reply.text,
        JudgeRule(words["role"], words["prompt"]),
        model=scoring.judge_model or MODEL,
    )
    said = asked(scoring, request)
    if isinstance(said, Mark):
        return said
    scores = read_scores(said)
    if scores is None:
        return unjudged(f"the judge's first line is {said.split(chr(10))[0]!r:.80}; expected two scores")
    reference, own = scores
    return Mark(own / MOST, read=f"{own:g}", numbers={"reference": reference, "reply": own})


def tabulate(items: Sequence[BenchmarkItem[BenchRecord]], marks: Sequence[Mark]) -> Table:
    """Return the relative score of all, and of each category, in percent of the references' scores."""
    rows = {ALL: relative(marks)}
    for category in CATEGORIES:
        own = [one for item, one in zip(items, marks, strict=True) if item.kinds["category"] == category]
        if own:
            rows[f"category: {category}"] = relative(own)
    return Table(rows)


def relative(marks: Sequence[Mark]) -> Row:
    """Return 100 times the mean score of replies over that of the references.

    Replies that are empty or refused score 0, though no judge saw them; the references' mean is over others.
    """
    counted = [one for one in marks if one.value is not None]
    references = [one.numbers["reference"] for one in counted if "reference" in one.numbers]
    value = None
    if references:
        own = sum(one.numbers.get("reply", 0.0) for one in counted) / len(counted)
        value = 100 * own / (sum(references) / len(references))
    return Row(
        value, len(counted), count(marks, "unparsed"), count(marks, "refused"), count(marks, "unjudged")
    )


LLAVA_BENCH = Benchmark(
    name="llava_bench",
    title="LLaVA-Bench (in the wild)",
    layout="folder with questions.jsonl, context.jsonl, answers_gpt4.jsonl and images/001.jpg, …",
    prompt_text="<question>",
    metric="relative score: mean of the judge's scores of the replies over that of GPT-4's "
    "reference answers, in percent; the judge sees the reference first, and a description for the picture",
    read=read,
    prompt=prompt,
    score=score,
    tabulate=tabulate,
    numbers="Florence-VL, tables 2 and 3 (LLaVA-W)",
    unread="an empty reply scores 0, and is counted as unparsed; what the judge doesn't score is left out, "
    "and counted as unjudged",
    judge="needed",
    judge_model=MODEL,
    max_new_tokens=MAX_NEW_TOKENS,
)
