"""LLaVA-Bench (COCO) (Liu et al., 2023): 30 pictures of COCO, three questions each, rated by a judge.

A folder of the benchmark has the published files: questions (qa90_questions.jsonl: question_id, image, text,
category), the answers of text-only GPT-4 (qa90_gpt4_answer.jsonl: question_id, text), what the judge knows of
the pictures (caps_boxes_coco2014_val_80.jsonl: image, captions, instances with category and bbox) and
rule.json, what the judge is told about each category.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deixis.endpoints.chat import ChatRequest
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
from deixis.evaluation.benchmarks.ferret_bench import BenchRecord, JudgeRule, by_id, matching, read_rules
from deixis.evaluation.benchmarks.rows.row_pictures import picture_file
from deixis.evaluation.benchmarks.rows.tables import find_file
from deixis.evaluation.judging.judge import (
    INSTRUCTION,
    MOST,
    RelativeScore,
    Review,
    aggregate,
    judge_request,
    review,
)
from deixis.files.json_files import Fields, read_json_lines

JUDGE = "gpt-4-0613"
FOLDERS = ("val2014", "images", "")
CATEGORIES = ("conv", "detail", "complex")
SCALE = float(MOST)


@dataclass(frozen=True)
class Rated:
    """A question and all that its judge is given, but for the answer."""

    record: BenchRecord
    rules: Mapping[str, JudgeRule]


def read(path: Path) -> list[BenchmarkItem[Rated]]:
    """Return the questions of a folder, in their file's order.

    RecordError: a question lacks its reference, its picture or what the judge knows of it, or has a category
    without a rule.
    """
    folder = path.parent if path.is_file() else path
    questions, answers = (
        by_id(find_file(folder, (pattern,), what=pattern))
        for pattern in ("qa90_questions.jsonl", "qa90_gpt4_answer.jsonl")
    )
    contexts = read_contexts(
        find_file(folder, ("caps_boxes*.jsonl",), what="caps_boxes_coco2014_val_80.jsonl")
    )
    rules = read_rules(find_file(folder, ("rule.json",), what="rule.json"))
    return [
        item_of(line, matching(answers, number, line, folder=folder), contexts, rules, root=folder)
        for number, line in questions.items()
    ]


def item_of(
    line: Fields, answer: Fields, contexts: Mapping[str, str], rules: Mapping[str, JudgeRule], *, root: Path
) -> BenchmarkItem[Rated]:
    """Return the question of a line."""
    picture, category = line.text("image"), line.text("category")
    if picture not in contexts:
        raise RecordError(f"{line.where}: nothing is told about picture {picture!r:.80} in caps_boxes")
    if category not in rules:
        raise RecordError(
            f"{line.where}: rule.json has no category {category!r:.40}; it has {', '.join(rules)}"
        )
    record = BenchRecord(
        id=line.whole("question_id"),
        picture=picture,
        category=category,
        question=line.text("text"),
        context=contexts[picture],
        reference=answer.text("text"),
    )
    names = (picture, f"COCO_val2014_{picture}")
    folders = [name for name in names if any((root / folder / name).is_file() for folder in FOLDERS)]
    return BenchmarkItem(
        id=str(record.id),
        pictures=(picture_file(root, (folders or names)[0], where=line.where, folders=FOLDERS),),
        question=record.question,
        truth=Rated(record, rules),
        kinds={"category": category},
    )


def read_contexts(path: Path) -> dict[str, str]:
    """Return what the judge knows of each picture, by its file's name: sentences, then things with boxes."""
    found: dict[str, str] = {}
    for line in read_json_lines(path):
        picture = line.text("image")
        if picture in found:
            raise RecordError(f"{line.where}: picture {picture!r:.80} stands here a second time")
        found[picture] = context_of(line)
    return found


def context_of(line: Fields) -> str:
    """Return the context of a picture.

    >>> row = {"captions": ["A dog."], "instances": [{"category": "dog", "bbox": [0.1, 0.2, 0.5, 0.9]}]}
    >>> print(context_of(Fields(row, "a.jsonl:1")))
    A dog.
    <BLANKLINE>
    dog: [0.1, 0.2, 0.5, 0.9]
    """
    things = []
    for thing in line.rows("instances"):
        thing.numbers("bbox", count=4)
        things.append(f"{thing.text('category')}: {thing.values['bbox']}")
    return "\n".join(line.texts("captions")) + "\n\n" + "\n".join(things)


def request(item: BenchmarkItem[Rated], answer: str, *, model: str = JUDGE) -> ChatRequest:
    """Return what a judge is asked about an answer."""
    record = item.truth.record
    return judge_request(record, answer, item.truth.rules[record.category], model=model)


def judge_told(item: BenchmarkItem[Any]) -> str:
    """Return what the judge is told about a question of this category."""
    return f"{INSTRUCTION}\n{item.truth.rules[item.truth.record.category].prompt}"


def prompt(item: BenchmarkItem[Rated]) -> str:
    """Return what is asked: the question and nothing else."""
    return item.question


def score(item: BenchmarkItem[Rated], reply: Reply, scoring: Scoring) -> Mark:
    """Return the judge's ratings, as a share of ten; unjudged where there is no judge, or it gave none."""
    if scoring.judge is None:
        return unjudged("no judge was given")
    own = review(
        scoring.judge,
        item.truth.record,
        reply.text,
        item.truth.rules,
        model=scoring.judge_model or JUDGE,
        protocol=scoring.rules,
    )
    if own.scores is None:
        return unjudged(own.failure)
    reference, answer = own.scores
    value = min(max(answer / SCALE, 0.0), 1.0)
    return Mark(value, read=reply.text, numbers={"reference": reference, "answer": answer})


def relative_scores(items: Sequence[BenchmarkItem[Any]], marks: Iterable[Mark]) -> dict[str, RelativeScore]:
    """Return 100 times the mean rating of answers over that of references, by category and of "all".

    A refused or empty answer has no rating; it counts as one of 0 against a reference of the mean of others,
    so that keeping silent never helps.
    """
    pairs = list(zip(items, marks, strict=True))
    rated = [one.numbers["reference"] for _, one in pairs if "reference" in one.numbers]
    usual = sum(rated) / len(rated) if rated else SCALE
    reviews = []
    for item, one in pairs:
        scores = (
            None
            if one.value is None
            else (one.numbers.get("reference", usual), one.numbers.get("answer", 0.0))
        )
        record = item.truth.record
        reviews.append(Review(record.id, record.category, scores, failure=one.why))
    return aggregate(reviews)


def tabulate(items: Sequence[BenchmarkItem[Rated]], marks: Sequence[Mark]) -> Table:
    """Return the relative scores, that of all questions first."""
    scores = relative_scores(items, marks)
    rows = {}
    for name in ["all", *(name for name in scores if name != "all")]:
        own = [
            one for item, one in zip(items, marks, strict=True) if name in ("all", item.truth.record.category)
        ]
        faults: dict[str, Any] = {
            fault: sum(one.fault == fault for one in own) for fault in ("unparsed", "refused", "unjudged")
        }
        rows[name] = Row(scores[name].value, scores[name].n, **faults) if name in scores else Row(None, 0)
    return Table(rows)


LLAVA_BENCH_COCO = Benchmark(
    name="llava_bench_coco",
    title="LLaVA-Bench (COCO)",
    layout="folder with qa90_questions.jsonl, qa90_gpt4_answer.jsonl, caps_boxes_coco2014_val_80.jsonl and "
    "rule.json; pictures in val2014/ beside them",
    prompt_text="<question>",
    metric="mean rating of the answers over that of the reference answers, times 100, by category and of all",
    read=read,
    prompt=prompt,
    score=score,
    tabulate=tabulate,
    numbers="Groma, table 5",
    unread="rated 0 against an average reference",
    judge="needed",
    judge_model=JUDGE,
    judge_told=judge_told,
    rules=("corrected", "published"),
    max_new_tokens=1024,
    words_only=True,
)
