"""Boxes as datasets store them, brought to ours: x0 y0 x1 y1, continuous edges, pixels of the stored file."""

from __future__ import annotations

from deixis.errors import RecordError
from deixis.regions.shapes import Box

# Rounding of stored boxes may push an edge out of the picture by this much; more is a mistake in the data.
EDGE_SLACK = 1.0


def box_in_picture(
    edges: tuple[float, float, float, float], *, width: int, height: int, where: str
) -> Box | None:
    """The box of x0 y0 x1 y1 in a picture of that size, cut at its edges; None if it has no area.

    RecordError naming `where`: it is inverted, or further outside than rounding explains.

    >>> box_in_picture((2, 1, 20.4, 5), width=20, height=10, where="a.json").as_tuple()
    (2.0, 1.0, 20.0, 5.0)
    """
    x0, y0, x1, y1 = edges
    outside = max(-x0, -y0, x1 - width, y1 - height)
    if outside > EDGE_SLACK or x1 < x0 or y1 < y0:
        raise RecordError(
            f"{where}: box from ({x0:g}, {y0:g}) to ({x1:g}, {y1:g}) is not inside the picture of {width} "
            f"x {height} "
            "pixels; is it in the pixels of this very file?"
        )
    x0, y0, x1, y1 = max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height))
    return Box(float(x0), float(y0), x1, y1) if x1 > x0 and y1 > y0 else None
