"""Answers in the forms that other tools read: COCO results, and detections of the supervision package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.answers.content import AnswerContent
from deixis.answers.parts import Place, Span
from deixis.errors import UsageError

if TYPE_CHECKING:
    from supervision import Detections

DECIMALS = 2  # of COCO's box edges: hundredths of a pixel


def to_coco_results(
    answer: AnswerContent, *, image_id: int, category_ids: Mapping[str, int] | int
) -> list[dict[str, Any]]:
    """Return one COCO result a place: image_id, category_id, bbox, score; segmentation if it has a mask.

    category_ids: the category of each phrase, as it is or in small letters; or one for all phrases.
    A bbox is [x, y, width, height]; edges are rounded to hundredths of a pixel before width and height are
    taken, so that x + width is the rounded right edge. Scores are not rounded.
    UsageError: a phrase without a category.

    >>> from deixis.answers.grounded import Answer
    >>> from deixis.pictures.opening import open_picture
    >>> from deixis.regions.shapes import Box
    >>> picture = open_picture(np.zeros((90, 160, 3), np.uint8))
    >>> dog = Span(2, 5, "dog", (Place(Box(10, 20, 30.125, 60, frame=picture.frame), 0.5),))
    >>> to_coco_results(Answer("A dog.", (dog,), picture, "none", 0.0), image_id=7, category_ids={"dog": 18})
    [{'image_id': 7, 'category_id': 18, 'bbox': [10.0, 20.0, 20.12, 40.0], 'score': 0.5}]
    """
    results = []
    for span, place in all_places(answer):
        category = category_ids if isinstance(category_ids, int) else category_of(span, category_ids)
        x0, y0, x1, y1 = (round(edge, DECIMALS) for edge in place.box.as_tuple())
        result: dict[str, Any] = {
            "image_id": image_id,
            "category_id": category,
            "bbox": [x0, y0, round(x1 - x0, DECIMALS), round(y1 - y0, DECIMALS)],
            "score": place.score,
        }
        if place.mask is not None:
            result["segmentation"] = place.mask.to_coco()
        results.append(result)
    return results


def to_supervision(answer: AnswerContent) -> Detections:
    """Return an answer's places as ``supervision.Detections``, which its annotators draw.

    xyxy: boxes in pixels of the picture; confidence: scores; class_id: the number of the span;
    data["class_name"]: its phrase; mask: bool (n, H, W) if every place has a mask, else None.
    UsageError: supervision is not installed.
    """
    try:
        from supervision import Detections
    except ImportError as fault:
        raise UsageError(
            "to_supervision needs the package supervision; install it: pip install 'deixis[supervision]'"
        ) from fault
    placed = all_places(answer)
    numbers = [number for number, span in enumerate(answer.spans) for _ in span.places]
    masks = [place.mask.rasterise() for _, place in placed if place.mask is not None]
    return Detections(
        xyxy=np.array([place.box.as_tuple() for _, place in placed], dtype=np.float64).reshape(-1, 4),
        mask=np.stack(masks) if masks and len(masks) == len(placed) else None,
        confidence=np.array([place.score for _, place in placed], dtype=np.float64),
        class_id=np.array(numbers, dtype=np.int64),
        data={"class_name": np.array([span.phrase for span, _ in placed], dtype=np.str_)},
    )


def all_places(answer: AnswerContent) -> list[tuple[Span, Place]]:
    """Return every place with its span, in the order of the text."""
    return [(span, place) for span in answer.spans for place in span.places]


def category_of(span: Span, category_ids: Mapping[str, int]) -> int:
    """Return the category of a span's phrase; UsageError if it has none."""
    for phrase in (span.phrase, span.phrase.lower()):
        if phrase in category_ids:
            return category_ids[phrase]
    known = ", ".join(map(repr, list(category_ids)[:10])) or "none"
    raise UsageError(f"phrase {span.phrase!r} has no COCO category; category_ids has: {known}")
