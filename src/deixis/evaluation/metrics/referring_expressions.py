"""Referring expressions (RefCOCO, RefCOCO+, RefCOCOg): does the answer's box hit the one that is meant?

Annotations are a COCO file with one picture entry an expression, as MDETR (Kamath et al., 2021) prepared
them: images with id, file_name, width, height, caption and dataset_name, and one annotation each with bbox x
y w h.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deixis.answers.reading.boxed_phrases import read_boxes
from deixis.answers.reading.dialects import STEPS, scored_phrases
from deixis.errors import MalformedAnswer, RecordError
from deixis.evaluation.benchmarks.predictions import identifier, paired
from deixis.evaluation.metrics.edges import found, mean_box
from deixis.evaluation.metrics.rules import Overlap, Rules, check_rules, share
from deixis.files.json_files import Fields, read_json
from deixis.regions.overlap import Edges


@dataclass(frozen=True)
class ReferringExpression:
    """Words for one thing in a picture of ``width`` x ``height`` pixels, and its box in these pixels."""

    id: str
    picture: str
    width: int
    height: int
    words: str
    dataset: str
    box: Edges

    @property
    def question(self) -> str:
        """What the published evaluation asks."""
        return f"What is the location of {self.words.replace(',', '')} in the image?"


@dataclass(frozen=True)
class ExpressionScores:
    """The scores of one dataset; shares in 0..1.

    value: the first box of the answer is the one meant (precision at 1). at: any of the first k boxes is.
    mean_box: the mean of all boxes is; upper_bound: any box is. parse_failures: answers with coordinates that
    could not be read; no_box: answers without any box.
    """

    n: int
    value: float | None
    mean_box: float | None
    upper_bound: float | None
    parse_failures: int
    no_box: int
    at: Mapping[int, float | None] = field(default_factory=dict)


def read_expressions(path: Path) -> dict[str, ReferringExpression]:
    """Return the expressions of an annotation file by their id; RecordError says what is wrong in it."""
    return expressions_of(read_json(Path(path)))


def expressions_of(content: Fields) -> dict[str, ReferringExpression]:
    """Return the expressions of an annotation file's content, in the order of its images."""
    boxes: dict[str, Edges] = {}
    for row in content.rows("annotations"):
        name, (left, top, wide, high) = identifier(row, "image_id"), row.numbers("bbox", count=4)
        if name in boxes:
            raise RecordError(f"{row.where}: image_id {name!r} has a second box; an expression means one")
        if min(wide, high) <= 0:
            raise RecordError(
                f"{row.where}: bbox is {wide:g} wide and {high:g} high; expected x y width height"
            )
        boxes[name] = (left, top, left + wide, top + high)
    expressions: dict[str, ReferringExpression] = {}
    for row in content.rows("images"):
        name = identifier(row, "id")
        if name not in boxes or name in expressions:
            raise RecordError(f"{row.where}: image {name!r} has no annotation, or stands here a second time")
        expressions[name] = ReferringExpression(
            id=name,
            picture=row.text("file_name"),
            width=row.whole("width", least=1),
            height=row.whole("height", least=1),
            words=row.text("caption"),
            dataset=row.optional_text("dataset_name") or "",
            box=boxes[name],
        )
    return expressions


def answered_boxes(
    text: str, *, width: int, height: int, protocol: Rules = "corrected"
) -> tuple[list[Edges], bool]:
    """Return the boxes of an answer in pixels, in order, and whether some coordinates could not be read.

    published: cut off to whole pixels; one unreadable bracket and the answer counts as one without boxes.
    corrected: not rounded; sound boxes count beside an unreadable one, which is never a box.

    >>> answered_boxes("a cup [100, 200, 305, 400] [1, 2]", width=640, height=480)
    ([(64.0, 96.0, 195.2, 192.0)], True)
    """
    check_rules(protocol)
    if protocol == "published":
        try:
            return [one.box for one in scored_phrases(text, width=width, height=height)], False
        except MalformedAnswer:
            return [], True
    boxes, failures = read_boxes(text)
    return [in_pixels(box.steps, width=width, height=height) for box in boxes], bool(failures)


def in_pixels(steps: Sequence[int], *, width: int, height: int) -> Edges:
    """Return a box in thousandths as one in pixels, not rounded.

    >>> in_pixels([100, 200, 305, 400], width=640, height=480)
    (64.0, 96.0, 195.2, 192.0)
    """
    x0, y0, x1, y1 = steps
    return x0 * width / STEPS, y0 * height / STEPS, x1 * width / STEPS, y1 * height / STEPS


def score_expressions(
    expressions: Mapping[str, ReferringExpression],
    answers: Mapping[str, str],
    *,
    protocol: Rules = "corrected",
    overlap: Overlap | None = None,
    ks: Sequence[int] = (1,),
) -> dict[str, ExpressionScores]:
    """Return the scores of every dataset by its name; expressions and answers by the same ids.

    overlap: when a box is the one meant; None: IoU >= 0.5. RecordError where ids differ.
    """
    rows: dict[str, list[Judged]] = {}
    for expression, text in paired(expressions, answers, of="expressions"):
        boxes, failed = answered_boxes(
            text, width=expression.width, height=expression.height, protocol=protocol
        )
        judged = judge(boxes, failed, expression.box, overlap=overlap or Overlap())
        rows.setdefault(expression.dataset, []).append(judged)
    return {name: summary(own, ks=ks) for name, own in rows.items()}


@dataclass(frozen=True)
class Judged:
    """One answer: which boxes hit, in order, whether their mean does, whether some could not be read."""

    hits: tuple[bool, ...]
    mean_hits: bool
    failed: bool


def judge(boxes: Sequence[Edges], failed: bool, target: Edges, *, overlap: Overlap) -> Judged:
    """Return which boxes of an answer are the one meant."""
    hits = tuple(found([box], [target], overlap=overlap) for box in boxes)
    return Judged(hits, bool(boxes) and found([mean_box(boxes)], [target], overlap=overlap), failed)


def summary(rows: Sequence[Judged], *, ks: Sequence[int]) -> ExpressionScores:
    """Return the scores of some answers."""
    n = len(rows)
    return ExpressionScores(
        n=n,
        value=share(sum(any(row.hits[:1]) for row in rows), n),
        mean_box=share(sum(row.mean_hits for row in rows), n),
        upper_bound=share(sum(any(row.hits) for row in rows), n),
        parse_failures=sum(row.failed for row in rows),
        no_box=sum(not row.hits for row in rows),
        at={k: share(sum(any(row.hits[:k]) for row in rows), n) for k in ks},
    )
