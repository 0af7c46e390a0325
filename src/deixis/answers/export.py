"""Answers in the forms of other tools: COCO's list of results, and the detections of ``supervision``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.answers.grounded import Answer, Place, Span
from deixis.errors import UsageError

if TYPE_CHECKING:
    import supervision


def to_coco_results(
    answer: Answer, *, image_id: int, category_ids: Mapping[str, int] | int
) -> list[dict[str, Any]]:
    """Return one result a place, as COCO's evaluation reads them: "bbox" is x, y, width, height.

    category_ids: the category of each phrase, or one for all of them; UsageError for a phrase without one.
    A place with a mask has a "segmentation" too. A phrase that is nowhere gives no result.

    >>> from deixis import Box
    >>> from deixis.pictures.opening import open_picture
    >>> picture = open_picture(np.zeros((30, 40, 3), dtype=np.uint8))
    >>> place = Place(Box(4, 6, 20, 10, frame=picture.frame), 0.5)
    >>> answer = Answer("a dog", (Span(2, 5, "dog", (place,)),), picture, "toy", 0.1)
    >>> to_coco_results(answer, image_id=7, category_ids={"dog": 18})
    [{'image_id': 7, 'category_id': 18, 'bbox': [4.0, 6.0, 16.0, 4.0], 'score': 0.5}]
    """
    results = []
    for span in answer.spans:
        for place in span.places:
            box = place.box
            result: dict[str, Any] = {
                "image_id": image_id,
                "category_id": category_of(span, category_ids),
                "bbox": [box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0],
                "score": place.score,
            }
            if place.mask is not None:
                result["segmentation"] = place.mask.to_coco()
            results.append(result)
    return results


def category_of(span: Span, category_ids: Mapping[str, int] | int) -> int:
    """Return the category of a span's phrase; UsageError if it has none."""
    if not isinstance(category_ids, Mapping):
        return category_ids
    if span.phrase not in category_ids:
        known = ", ".join(map(repr, list(category_ids)[:8])) or "none"
        raise UsageError(
            f"category_ids has no category for the phrase {span.phrase!r}; it has {known}; add the phrase, or "
            "give one number for all phrases"
        )
    return category_ids[span.phrase]


def to_supervision(answer: Answer) -> supervision.Detections:
    """Return one detection a place: box, score as ``confidence``, number of the span as ``class_id``.

    ``data["class_name"]`` has the phrases. Masks are there only if every place has one, for ``supervision``
    knows no detections of which some have a mask. UsageError if ``supervision`` is not installed.
    """
    try:
        import supervision
    except ImportError as fault:
        raise UsageError(
            f"to_supervision needs the package supervision, which cannot be imported ({fault}); install it: "
            "pip install 'deixis[supervision]'"
        ) from fault
    found: list[tuple[int, Span, Place]] = [
        (number, span, place) for number, span in enumerate(answer.spans) for place in span.places
    ]
    masks = [place.mask.rasterise() for _, _, place in found if place.mask is not None]
    return supervision.Detections(
        xyxy=np.array([place.box.as_tuple() for _, _, place in found], dtype=np.float32).reshape(-1, 4),
        mask=np.stack(masks) if masks and len(masks) == len(found) else None,
        confidence=np.array([place.score for _, _, place in found], dtype=np.float32),
        class_id=np.array([number for number, _, _ in found], dtype=np.int64),
        data={"class_name": np.array([span.phrase for _, span, _ in found], dtype=np.str_)},
    )
