"""Where a record's questions point: each of their boxes stays one or becomes a point that is drawn in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deixis.answers.reading.dialects import STEPS, clamped
from deixis.data.grit.draws import Format, LocationDraws
from deixis.data.grit.records import HUMAN, Corners, GritPlace, GritRecord
from deixis.errors import BadRegion, RecordError
from deixis.regions import rle
from deixis.regions.shapes import Mask

SPREAD = 0.15  # standard deviation of a drawn point, in sides of its box
MOST_PIXELS = 1000  # of a mask that are looked at for the one nearest to a place
RULES = ("center", "gaussian", "uniform")


@dataclass(frozen=True)
class PointRule:
    """How a point is drawn in a box.

    rule: "center", "gaussian" (round the box's centre, inside the box) or, on a mask only, "uniform".
    on_mask: where a place has a mask, the point is the pixel of it that lies nearest (or any, if uniform);
    where it has none, it is gaussian.
    """

    rule: str = "center"
    on_mask: bool = True

    def __post_init__(self) -> None:
        if self.rule not in RULES or (self.rule == "uniform" and not self.on_mask):
            raise RecordError(
                f"points are drawn by {self.rule!r}, on_mask={self.on_mask}; expected one of "
                f"{', '.join(RULES)}, "
                "uniform only with on_mask=True"
            )

    @classmethod
    def parse(cls, text: str) -> PointRule:
        """The rule of a published option: "segment_mask|center", "segment_mask-uniform", "gaussian", ...

        >>> PointRule.parse("segment_mask|center")
        PointRule(rule='center', on_mask=True)
        """
        first, *rest = text.replace("|", "-").split("-")
        if first == "segment_mask" and len(rest) == 1:
            return cls(rest[0], on_mask=True)
        if not rest:
            return cls(first, on_mask=False)
        raise RecordError(
            f"point rule {text!r} is not known; expected center, gaussian, or segment_mask|center, "
            "|gaussian or "
            "|uniform"
        )


@dataclass(frozen=True)
class Location:
    """One place as it is spoken of in a question or an answer, in pixels of the picture.

    box: x0 y0 x1 y1, moved into [0, width - 1] x [0, height - 1]; its last column and row are included.
    point: x, y if it is spoken of as a point. segment: the pixels of what is meant, where a record has them.
    """

    box: Corners
    point: tuple[float, float] | None = None
    segment: Mask | None = None

    @property
    def coordinates(self) -> tuple[float, ...]:
        """The point, or else the box."""
        return self.box if self.point is None else self.point

    def seen(self, *, width: int, height: int) -> tuple[float, ...]:
        """The coordinates from which the original's training made the region's pixels.

        A point has been on the scale of thousandths and back, unrounded, so that it may lie a hair lower: the
        window round (20, 15) in a picture 44 high begins at row 9.
        """
        if self.point is None:
            return tuple(float(int(edge)) for edge in self.box)
        scales = (STEPS / width, STEPS / height)
        return tuple(value * scale / scale for value, scale in zip(self.point, scales, strict=True))


def choose_locations(
    record: GritRecord, rule: PointRule, draws: LocationDraws
) -> tuple[tuple[Location, ...], ...]:
    """The locations of every turn of a record, in the order of its boxes.

    Order of the draws: for every human turn with boxes its format, then, if that is "point", box by box what
    `drawn_point` says. Answers speak of boxes. RecordError for a mask of another size than the picture's.
    """
    turns = []
    for turn in record.turns:
        form: Format = draws.format() if turn.speaker == HUMAN and turn.places else "box"
        turns.append(tuple(locate(place, record, form, rule, draws) for place in turn.places))
    return tuple(turns)


def locate(
    place: GritPlace, record: GritRecord, form: Format, rule: PointRule, draws: LocationDraws
) -> Location:
    """One place of a record as a box, or as a point that is drawn now."""
    width, height = record.size
    x0, y0, x1, y1 = clamped(place.box, width=width, height=height)
    box = (x0, y0, x1, y1)
    if not (x0 <= x1 and y0 <= y1):
        raise RecordError(
            f"{record.where}: box {list(place.box)} has x1 < x0 or y1 < y0; expected x0 y0 x1 y1"
        )
    segment = None if place.runs is None else segment_of(place.runs, record)
    point = drawn_point(box, segment, rule, draws) if form == "point" else None
    return Location(box, point, segment)


def segment_of(runs: Mapping[str, Any], record: GritRecord) -> Mask | None:
    """The mask of COCO run lengths; None for one without a pixel, RecordError for one of another size."""
    try:
        mask = Mask.from_coco(dict(runs))
    except BadRegion as fault:
        if is_empty(runs):
            return None
        raise RecordError(f"{record.where}: {fault}") from fault
    if (mask.width, mask.height) != record.size:
        raise RecordError(
            f"{record.where}: mask has {mask.width} x {mask.height} pixels; expected those of the picture, "
            f"{record.width} x {record.height}"
        )
    return mask


def is_empty(runs: Mapping[str, Any]) -> bool:
    """Whether run lengths are readable and hold no pixel."""
    counts = runs.get("counts")
    try:
        listed = rle.decompress(counts) if isinstance(counts, str) else counts
    except BadRegion:
        return False
    return isinstance(listed, list) and all(type(n) is int for n in listed) and not sum(listed[1::2])


def drawn_point(
    box: Corners, segment: Mask | None, rule: PointRule, draws: LocationDraws
) -> tuple[float, float]:
    """A point for a box.

    Draws on a mask: "uniform" one pixel; "center" a subset of the pixels (row by row, at most 1000), of which
    the first that is nearest to the centre, cut to whole pixels, is taken; "gaussian" first a place in the
    box, then such a subset. Without a mask: nothing for "center" alone, else a gaussian place in the box.
    """
    centre = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    if segment is None or not rule.on_mask:
        return centre if rule.rule == "center" and not rule.on_mask else gaussian_point(box, draws)
    pixels = np.argwhere(segment.rasterise())[:, ::-1]  # (n, 2) x, y
    if rule.rule == "uniform":
        x, y = pixels[draws.below(len(pixels))].tolist()
        return x, y
    aim = gaussian_point(box, draws) if rule.rule == "gaussian" else (int(centre[0]), int(centre[1]))
    chosen = pixels[np.array(draws.subset(len(pixels), min(MOST_PIXELS, len(pixels))))]
    return nearest(chosen, aim)


def nearest(pixels: NDArray[np.int64], aim: tuple[float, float]) -> tuple[float, float]:
    """The first of the pixels (n, 2) that is nearest to a place."""
    x, y = pixels[int(np.argmin(((pixels - np.array(aim)) ** 2).sum(axis=1)))].tolist()
    return x, y


def gaussian_point(box: Corners, draws: LocationDraws) -> tuple[float, float]:
    """A gaussian place round the centre of a box, x then y, drawn anew until it lies in the box."""
    x0, y0, x1, y1 = box
    while True:
        x = (x0 + x1) / 2 + draws.normal() * SPREAD * (x1 - x0)
        y = (y0 + y1) / 2 + draws.normal() * SPREAD * (y1 - y0)
        if x0 <= x <= x1 and y0 <= y <= y1:
            return x, y
