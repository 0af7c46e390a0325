"""Checks of the evaluation of the Ferret family: questions, scores, and the judge of Ferret-Bench."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from deixis.data.sources.flickr30k_files import Annotation, read_annotation, read_captions
from deixis.endpoints.chat import ChatRequest
from deixis.errors import EndpointError
from deixis.evaluation.benchmarks.ferret_bench import BenchRecord, bench_question, rules_of, shown_to_judge
from deixis.evaluation.benchmarks.ferret_ui import screen_item
from deixis.evaluation.benchmarks.lvis_questions import record_of
from deixis.evaluation.judging.judge import FAILED, Review, aggregate, judge_request, printed, review
from deixis.evaluation.metrics.flickr_entities import read_true_phrases, score_phrases, sentences_of
from deixis.evaluation.metrics.pope import score_pope
from deixis.evaluation.metrics.referring_classification import NamedObject, score_classification
from deixis.evaluation.metrics.referring_expressions import (
    ExpressionScores,
    expressions_of,
    score_expressions,
)
from deixis.files.json_files import Fields
from deixis.regions.pixels import RegionPixels
from tests.parity.case import Case
from tests.parity.planning import Check

KNOWN_DATASETS = ("refcoco", "refcoco+", "refcocog")


def check_lvis_questions(case: Case) -> None:
    """The question about an object and the pixels that are marked, in every form of region."""
    records = [record_of(Fields(row, f"record {i}")) for i, row in enumerate(case.given("records"))]
    for row in case.rows("cases"):
        index, marked = row.given("index"), row.given("add_region_feature")
        record = records[index]
        question = record.question(index, form=row.given("region_format"))
        token = {} if marked else {"region_token": None}
        row.expect("question", ours=question.written(coordinates=not row.given("no_coor"), **token))
        (pointing,) = question.pointings
        pixels = pointing.pixels(width=record.width, height=record.height)
        row.expect("mask_rows_by_x", ours=rows_by_x(pixels) if marked else None)


def rows_by_x(pixels: RegionPixels) -> list[str]:
    """Return a mask as one string of 0 and 1 for each column."""
    return ["".join("01"[pixel] for pixel in column) for column in pixels.mask().T.astype(int).tolist()]


def check_lvis_scoring(case: Case) -> None:
    """Which answers name their object, and their share as printed."""
    rows = case.given("predictions")
    objects = {i: NamedObject(row["name"], tuple(row["synonyms"])) for i, row in enumerate(rows)}
    answers = {i: row["text"] for i, row in enumerate(rows)}
    scores = score_classification(objects, answers, protocol="published")
    case.expect("correct", ours=scores.right)
    case.expect("printed", ours=scores.printed)


def check_eval_rec(case: Case) -> None:
    """Precision of expressions by the first box, the mean box and the best box."""
    expressions = expressions_of(Fields(case.given("annotations"), "annotations"))
    answers = {str(row["image_id"]): row["text"] for row in case.given("predictions")}
    columns = list(case.lookup(case.full(("by_k",))))
    ks = [int(k) for k in columns if k.isdecimal()]
    scores = score_expressions(expressions, answers, protocol="published", ks=ks)
    # The original starts from these three names; one without expressions stays at 0.
    names = list(dict.fromkeys([*KNOWN_DATASETS, *scores]))
    table = {k: {name: column(scores.get(name), k) for name in names} for k in columns}
    case.expect("by_k", ours=table)
    case.expect("written_metric", ours={name: sorted(table[k][name] for k in columns) for name in names})


def column(scores: ExpressionScores | None, k: str) -> float:
    """Return one of the scores of a dataset by its name in the case."""
    if scores is None:
        return 0.0
    value = (
        {"mean": scores.mean_box, "upper bound": scores.upper_bound}.get(k)
        if not k.isdecimal()
        else scores.at[int(k)]
    )
    assert value is not None
    return value


def check_eval_flickr(case: Case) -> None:
    """The files of Flickr30k Entities as they are read, and the recalls against merged and single boxes."""
    sentences = sentences_of(Fields(case.given("annotations"), "annotations"))
    texts = [row["text"] for row in case.given("predictions")]
    answers = dict(zip(sentences, texts, strict=True))
    with TemporaryDirectory() as name:
        folder = Path(name)
        files = case.given("files")
        for path, content in files.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(content, encoding="utf-8")
        (split,) = (path.removesuffix(".txt") for path in files if "/" not in path and path.endswith(".txt"))
        for path in case.lookup(case.full(("parsed_sentences",))):
            case.expect("parsed_sentences", path, ours=parsed_sentences(folder / path))
        for path in case.lookup(case.full(("parsed_annotations",))):
            case.expect("parsed_annotations", path, ours=parsed_annotation(read_annotation(folder / path)))
        truth = read_true_phrases(folder, split)
    for rule in case.lookup(case.full(("scores",))):
        merged = {"merged_boxes": True, "any_box": False}[rule]
        scores = score_phrases(sentences, answers, truth, merged=merged, protocol="published")
        case.expect("scores", rule, ours=scores.to_dict())


def parsed_sentences(path: Path) -> list[dict[str, Any]]:
    """Return the captions of a file as the original lists them."""
    return [
        {
            "sentence": " ".join(caption.text.split()),
            "phrases": [
                {
                    "first_word_index": len(caption.text[: phrase.start].split()),
                    "phrase": phrase.text,
                    "phrase_id": phrase.entity,
                    "phrase_type": phrase.types,
                }
                for phrase in caption.phrases
            ],
        }
        for caption in read_captions(path, things={})
    ]


def parsed_annotation(annotation: Annotation) -> dict[str, Any]:
    """Return an annotation as the original lists it."""
    boxes: dict[str, list[tuple[int, ...]]] = {}
    for marked in annotation.objects:
        for entity in marked.entities if marked.corners is not None else ():
            boxes.setdefault(entity, []).append(marked.corners or ())
    return {
        "width": annotation.width,
        "height": annotation.height,
        "depth": annotation.depth,
        "boxes": boxes,
        "nobox": [
            entity for marked in annotation.objects if marked.without_box for entity in marked.entities
        ],
        "scene": [entity for marked in annotation.objects if marked.scene for entity in marked.entities],
    }


def check_eval_pope(case: Case) -> None:
    """Accuracy, precision, recall, F1 and the share of yes."""
    labels = dict(enumerate(case.given("labels")))
    scores = score_pope(labels, dict(enumerate(case.given("answers"))), protocol="published")
    ours = {
        "Accuracy": scores.value,
        "Precision": scores.precision,
        "Recall": scores.recall,
        "F1 score": scores.f1,
        "Yes ratio": scores.yes_ratio,
    }
    case.expect("scores", ours=ours)


def check_ferret_bench(case: Case) -> None:
    """Questions with their regions, requests to the judge, its ratings, and what they add up to."""
    for row in case.rows("questions"):
        width, height = row.given("image_size_wh")
        question = bench_question(row.given("text"), width=width, height=height)
        row.expect("question", ours=question.written())
        row.expect("question_without_region_token", ours=question.written(region_token=None))
        masks = [pointing.pixels(width=width, height=height) for pointing in question.pointings]
        row.expect("mask_boxes", ours=[bounds(mask) for mask in masks])
        row.expect("mask_counts", ours=[mask.count for mask in masks])
    rules = rules_of(Fields(case.given("rule"), "rule"))
    replies, answers = case.given("judge_replies"), case.given("model_answers")
    rows, requests = case.rows("reviews"), case.rows("judge_requests")
    reviews: list[Review] = []
    for i, context in enumerate(case.given("contexts")):
        record = BenchRecord(
            id=context["question_id"],
            picture=context["image"],
            category=context["category"],
            question=case.given("questions", i, "text"),
            context=context["text"],
            reference=rows[i].given("answer1"),
        )
        shown = shown_to_judge(answers[i], record.category, protocol="published").text
        model = requests[i].given("model")
        request = judge_request(record, shown, rules[record.category], model=model, protocol="published")
        content = request.to_dict()
        del content["model"]
        for name, value in content.items():
            requests[i].expect(name, ours=value)
        reviews.append(
            review(fixed_judge(replies[i]), record, shown, rules, model=model, protocol="published")
        )
        rows[i].expect("id", ours=i + 1)
        for name in ("question_id", "answer1_id", "answer2_id"):
            rows[i].expect(name, ours=reviews[-1].question)
        rows[i].expect("category", ours=reviews[-1].category)
        rows[i].expect("content", ours=reviews[-1].reply)
        rows[i].expect("tuple", ours=reviews[-1].scores or FAILED)
        rows[i].expect("answer2", ours=shown)
    case.expect("summary_printed", ours=printed(aggregate(reviews, protocol="published")))


def fixed_judge(reply: str | None) -> Any:
    """Return a judge that gives one reply, or fails where there is none."""

    def judge(request: ChatRequest) -> str:
        if reply is None:
            raise EndpointError("no reply was recorded")
        return reply

    return judge


def bounds(pixels: RegionPixels) -> list[int]:
    """Return first column and row, last column and row of some pixels."""
    rows, columns = np.nonzero(pixels.mask())
    return [int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())]


def check_eval_items(case: Case) -> None:
    """Questions about screens with the pixels of the element that they point at."""
    for i, row in enumerate(case.rows("cases")):
        item = screen_item(Fields(row.given("item"), f"item {i}"), protocol="published")
        row.expect("question", ours=item.question.written())
        row.expect("image_size", ours=(item.width, item.height))
        masks = [one.pixels(width=item.width, height=item.height) for one in item.question.pointings]
        ours = [
            {"shape": (item.width, item.height), "bounds": bounds(mask), "count": mask.count}
            for mask in masks
        ]
        if row.has("mask"):
            listed = isinstance(row.lookup(row.full(("mask",))), list)
            row.expect("mask", ours=ours if listed else next(iter(ours), None))


CHECKS: dict[str, Check] = {
    "lvis_questions": Check(
        check_lvis_questions,
        given=(
            "records",
            "cases/*/index",
            "cases/*/region_format",
            "cases/*/add_region_feature",
            "cases/*/no_coor",
        ),
    ),
    "lvis_scoring": Check(check_lvis_scoring, given=("predictions",)),
    "eval_rec": Check(check_eval_rec, given=("annotations", "predictions")),
    "eval_flickr": Check(check_eval_flickr, given=("files", "annotations", "predictions")),
    "eval_pope": Check(check_eval_pope, given=("labels", "answers")),
    "ferret_bench": Check(
        check_ferret_bench,
        given=(
            "questions/*/text",
            "questions/*/image_size_wh",
            "contexts",
            "rule",
            "model_answers",
            "judge_replies",
            "judge_requests/*/model",
            "reviews/*/answer1",
        ),
    ),
}
V2_CHECKS: dict[str, Check] = {
    "eval_items": Check(check_eval_items, given=("cases/*/item",)),
}
