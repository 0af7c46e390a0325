"""Regions as the objects of JSON files: ``{"box": [x0, y0, x1, y1]}``, ``{"point": [x, y]}`` and so on."""

from __future__ import annotations

import json
import math
from typing import Any

from deixis.errors import BadRegion
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box, Mask, Point, Polygon, Region, Scribble

KINDS = ("box", "point", "polygon", "scribble", "mask")
LARGEST_WHOLE = 1e300  # float() takes no more


def region_object(region: Region) -> dict[str, Any]:
    """Return the object that ``region_of_object`` reads back as the same region.

    >>> region_object(Point(120, 80))
    {'point': [120.0, 80.0]}
    """
    match region:
        case Box():
            return {"box": list(region.as_tuple())}
        case Point():
            return {"point": [region.x, region.y]}
        case Mask():
            return {"mask": region.to_coco()}
    return {type(region).__name__.lower(): [list(point) for point in region.points]}


def region_of_object(value: Any, frame: Frame) -> Region:
    """Return the region of an object, in a frame; BadRegion says what is wrong. A mask has pixels always.

    >>> from deixis.regions.frames import PIXELS
    >>> region_of_object({"point": [120, 80]}, PIXELS).bounds().as_tuple()
    (119.5, 79.5, 120.5, 80.5)
    """
    kind = next(iter(value)) if isinstance(value, dict) and len(value) == 1 else None
    if kind not in KINDS:
        raise BadRegion(f"is {shown(value)}; expected an object with exactly one of {', '.join(KINDS)}")
    content = value[kind]
    match kind:
        case "box":
            return Box(*numbers(content, "x0, y0, x1, y1"), frame=frame)
        case "point":
            return Point(*numbers(content, "x, y"), frame=frame)
        case "mask":
            if not isinstance(content, dict):
                raise BadRegion(f'is {shown(content)}; expected {{"size": [height, width], "counts": "..."}}')
            return Mask.from_coco(content)
    if not isinstance(content, list):
        raise BadRegion(f"is {shown(content)}; expected a list of points [x, y]")
    points = tuple((x, y) for x, y in (numbers(point, "x, y") for point in content))
    return Polygon(points, frame=frame) if kind == "polygon" else Scribble(points, frame=frame)


def numbers(value: Any, names: str) -> list[float]:
    """Return the numbers of a list as long as ``names``; BadRegion for anything else."""
    count = names.count(",") + 1
    if not isinstance(value, list) or len(value) != count or not all(map(is_number, value)):
        raise BadRegion(f"is {shown(value)}; expected {count} finite numbers {names}")
    return [float(number) for number in value]


def is_number(value: object) -> bool:
    """Tell whether a JSON value is a finite number of ordinary size; true and false are none."""
    if type(value) is int:
        return abs(value) < LARGEST_WHOLE
    return isinstance(value, float) and math.isfinite(value)


def shown(value: Any) -> str:
    """Return a value as a message shows it: in JSON, shortened."""
    if value is None:
        return "missing or null"
    try:
        text = json.dumps(value)
    except (ValueError, RecursionError):  # numbers of 5,000 digits; lists as deep as reading them allows
        return f"a {type(value).__name__} too long or deep to be shown"
    return text if len(text) <= 80 else text[:77] + "..."
