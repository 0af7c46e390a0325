"""Answers about a picture as a task of Label Studio, with the places as predictions to be looked through.

The labelling interface that they fit has ``<Image name="image" value="$image"/>`` and
``<RectangleLabels name="label" toName="image">`` with the labels in it. Coordinates are percentages of the
upright picture's width and height; masks are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deixis.answers.content import AnswerContent
from deixis.answers.export.labels import label_of
from deixis.answers.export.results import all_places
from deixis.answers.parts import Place, Span
from deixis.pictures.opening import Picture

DECIMALS = 6  # of percentages


def label_studio_task(
    answers: Sequence[AnswerContent], picture: Picture, *, image: str, model: str
) -> dict[str, Any]:
    """Return the task of one picture and of all answers about it.

    image: the address under which Label Studio finds the picture. model: what made the predictions.
    """
    found = [pair for answer in answers for pair in all_places(answer)]
    results = [
        rectangle(span, place, picture, number=number) for number, (span, place) in enumerate(found, start=1)
    ]
    prediction: dict[str, Any] = {"model_version": model, "result": results}
    if found:
        prediction["score"] = min(place.score for _, place in found)  # the least sure come first in a queue
    return {"data": {"image": image}, "predictions": [prediction]}


def rectangle(span: Span, place: Place, picture: Picture, *, number: int) -> dict[str, Any]:
    """Return a place as a labelled rectangle."""
    x0, y0, x1, y1 = place.box.as_tuple()
    return {
        "id": str(number),
        "type": "rectanglelabels",
        "from_name": "label",
        "to_name": "image",
        "original_width": picture.width,
        "original_height": picture.height,
        "image_rotation": 0,
        "score": place.score,
        "value": {
            "x": percent(x0, picture.width),
            "y": percent(y0, picture.height),
            "width": percent(x1 - x0, picture.width),
            "height": percent(y1 - y0, picture.height),
            "rotation": 0,
            "rectanglelabels": [label_of(span.phrase)],
        },
    }


def percent(length: float, side: float) -> float:
    """Return a length in hundredths of a side.

    >>> percent(40, 160)
    25.0
    """
    return round(100 * length / side, DECIMALS)
