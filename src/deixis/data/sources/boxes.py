"""Boxes as datasets store them, brought to ours: x0 y0 x1 y1, continuous edges, pixels of the stored file."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

from deixis.errors import RecordError, UsageError
from deixis.regions.clipping import clip_edges
from deixis.regions.outside import CUT, OUTSIDE, REFUSE
from deixis.regions.shapes import Box

LOG = logging.getLogger("deixis")

# Rounding of stored boxes may push an edge out of the picture by this much; more is a mistake in the data.
EDGE_SLACK = 1.0
Edges = tuple[float, float, float, float]
MOST_PLACES = 20  # of boxes that stick out, to be named


@dataclass
class Boxes:
    """The boxes of one file and what is done with those that stick out of their pictures.

    outside: "refuse" (an error), "cut" (one wholly outside is passed over) or "pass_over".
    count: how many stuck out so far; places: where the first of them stand, up to ``MOST_PLACES``.
    """

    outside: str = REFUSE
    count: int = 0
    places: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.outside not in OUTSIDE:
            raise UsageError(f"outside is {self.outside!r}; expected one of {', '.join(OUTSIDE)}")

    def inside(self, edges: Edges, *, width: int, height: int, where: str) -> Box | None:
        """The box of x0 y0 x1 y1 in a picture of that size, cut at its edges; None if nothing is left of it.

        RecordError naming `where`: it is inverted, or sticks out and that is refused.
        """
        if self.tolerates(edges, width=width, height=height):
            self.count += 1
            if len(self.places) < MOST_PLACES:
                self.places.append(where)
            cut = clip_edges(edges, width=width, height=height)
            edges = cut if self.outside == CUT else (0.0, 0.0, 0.0, 0.0)
        try:
            return box_in_picture(edges, width=width, height=height, where=where)
        except RecordError as fault:
            if not Boxes(CUT).tolerates(edges, width=width, height=height):
                raise
            raise RecordError(
                f'{fault} Or let readers cut such boxes (outside="cut") or leave them out ("pass_over")'
            ) from fault

    def tolerates(self, edges: Edges, *, width: int, height: int) -> bool:
        """Whether a box sticks out and that is no mistake here; an inverted one always is."""
        x0, y0, x1, y1 = edges
        upside_down = x1 < x0 or y1 < y0
        return self.outside != REFUSE and not upside_down and sticks_out(edges, width=width, height=height)

    def report(self, file: Path) -> None:
        """Log how many boxes stuck out, if any did."""
        if self.count:
            done = "cut to them" if self.outside == CUT else "passed over"
            LOG.warning(
                "%s: boxes that stick out of their pictures and were %s: %d; the first: %s",
                file,
                done,
                self.count,
                self.places[0],
            )


def boxes_by(outside: str | Boxes) -> Boxes:
    """The boxes to be read by a rule, or those that the caller gave, to learn what became of them."""
    return outside if isinstance(outside, Boxes) else Boxes(outside)


def sticks_out(edges: Edges, *, width: int, height: int) -> bool:
    """Whether a box is further outside of a picture of that size than rounding explains."""
    x0, y0, x1, y1 = edges
    return max(-x0, -y0, x1 - width, y1 - height) > EDGE_SLACK


def box_in_picture(
    edges: tuple[float, float, float, float], *, width: int, height: int, where: str
) -> Box | None:
    """The box of x0 y0 x1 y1 in a picture of that size, cut at its edges; None if it has no area.

    RecordError naming `where`: it is inverted, or further outside than rounding explains.

    >>> box_in_picture((2, 1, 20.4, 5), width=20, height=10, where="a.json").as_tuple()
    (2.0, 1.0, 20.0, 5.0)
    """
    x0, y0, x1, y1 = edges
    if sticks_out(edges, width=width, height=height) or x1 < x0 or y1 < y0:
        raise RecordError(
            f"{where}: box from ({x0:g}, {y0:g}) to ({x1:g}, {y1:g}) is not inside the picture of {width} "
            f"x {height} "
            "pixels; is it in the pixels of this very file?"
        )
    x0, y0, x1, y1 = clip_edges(edges, width=width, height=height)
    return Box(x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None
