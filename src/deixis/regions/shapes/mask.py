"""A set of pixels, kept as run lengths, so that what is mostly one surface takes no room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from deixis.errors import BadRegion, FrameMismatch
from deixis.regions import frames, rle
from deixis.regions.checking import whole, whole_runs
from deixis.regions.frames import PIXELS, Frame, shown
from deixis.regions.shapes.box import Box


@dataclass(frozen=True)
class Mask:
    """A set of pixels, kept as COCO run lengths (``rle.encode_runs``) of a ``height`` x ``width`` grid.

    >>> Mask.from_array(np.eye(3, dtype=bool)).area
    3
    """

    runs: tuple[int, ...]
    height: int
    width: int
    frame: Frame = field(default=PIXELS, kw_only=True)

    def __post_init__(self) -> None:
        frames.require_frame(self.frame)
        object.__setattr__(self, "runs", whole_runs(self.runs))
        for side in ("height", "width"):
            object.__setattr__(self, side, whole(getattr(self, side), side))
        rle.check_runs(self.runs, height=self.height, width=self.width)
        if self.area == 0:
            raise BadRegion("the mask is empty; expected at least one pixel that is not 0")
        if self.frame.kind in ("unit", "thousandths"):
            raise FrameMismatch(f"a mask is made of pixels; it cannot be in frame {self.frame.kind}")
        if self.frame.bound and (self.width, self.height) != tuple(map(round, self.frame.size)):
            raise BadRegion(
                f"the mask has {self.width} x {self.height} pixels, its frame is {self.frame}; "
                "expected a mask as large as the picture"
            )

    @classmethod
    def from_array(cls, mask: NDArray[np.generic], *, frame: Frame = PIXELS) -> Self:
        """Return the mask of an array (H, W), where anything but 0 belongs to it."""
        try:
            array = np.asarray(mask)
        except ValueError as fault:  # rows of unequal length
            raise BadRegion(f"a mask is an array of height x width; got {shown(mask)}") from fault
        if array.ndim != 2 or array.size == 0:
            raise BadRegion(f"a mask is an array of height x width; got shape {array.shape}")
        return cls(tuple(rle.encode_runs(array != 0)), *array.shape, frame=frame)

    @classmethod
    def from_coco(cls, encoded: dict[str, object], *, frame: Frame = PIXELS) -> Self:
        """Return the mask of COCO's ``{"size": [h, w], "counts": …}``, compressed or not."""
        if not isinstance(encoded, Mapping):
            raise BadRegion(f"a COCO mask is {{'size': …, 'counts': …}}; got {shown(encoded)}")
        size, counts = encoded.get("size"), encoded.get("counts")
        if not (isinstance(size, list | tuple) and len(size) == 2 and all(type(s) is int for s in size)):
            raise BadRegion(f"a COCO mask needs 'size': [height, width]; got {shown(size)}")
        if isinstance(counts, bytes):
            counts = counts.decode("ascii", errors="replace")
        if isinstance(counts, str):
            counts = rle.decompress(counts)
        if not isinstance(counts, list) or not all(type(run) is int for run in counts):
            raise BadRegion("a COCO mask needs 'counts': a string or a list of whole numbers")
        return cls(tuple(counts), int(size[0]), int(size[1]), frame=frame)

    def to_coco(self) -> dict[str, object]:
        """Return ``{"size": [h, w], "counts": compressed string}`` as COCO tools read it."""
        return {"size": [self.height, self.width], "counts": rle.compress(list(self.runs))}

    @property
    def area(self) -> int:
        """The number of pixels."""
        return sum(self.runs[1::2])

    def rasterise(self) -> NDArray[np.bool_]:
        """Return the pixels (H, W)."""
        return rle.decode_runs(list(self.runs), height=self.height, width=self.width)

    def iou(self, other: Mask) -> float:
        """Return intersection over union with a mask of the same frame and size."""
        frames.require_same_frame(self.frame, other.frame)
        if (self.height, self.width) != (other.height, other.width):
            raise BadRegion(
                f"masks of {self.width} x {self.height} and {other.width} x {other.height} cannot be compared"
            )
        shared = rle.shared_area(self.runs, other.runs)
        return shared / (self.area + other.area - shared)

    def bounds(self) -> Box:
        """Return the smallest box around the pixels."""
        return Box(*map(float, rle.bounds_of_runs(self.runs, height=self.height)), frame=self.frame)

    def bind(self, original: Frame) -> Self:
        """Return the mask as one of the picture ``original``; BadRegion if it has another size."""
        return replace(self, frame=frames.bind(self.frame, original))

    def to(self, frame: Frame) -> Self:
        """Return the mask on another frame's pixels (each takes the nearest one of ours).

        BadRegion if no pixel is left, as may happen to a small mask in a much smaller picture.
        """
        frames.require_frame(frame)
        width, height = (round(side) for side in frame.size)
        corner = frames.convert([[0.5, 0.5], [width - 0.5, height - 0.5]], frame, self.frame)
        xs = np.floor(np.linspace(corner[0, 0], corner[1, 0], width)).astype(int)
        ys = np.floor(np.linspace(corner[0, 1], corner[1, 1], height)).astype(int)
        pixels = self.rasterise()[np.ix_(np.clip(ys, 0, self.height - 1), np.clip(xs, 0, self.width - 1))]
        pixels &= np.outer((ys >= 0) & (ys < self.height), (xs >= 0) & (xs < self.width))
        return type(self).from_array(pixels, frame=frame)

    def clipped(self, original: Frame) -> Mask:
        """Return the mask bound to ``original``, whose size it must have."""
        mask = self.bind(original)
        return mask if mask.frame == original else mask.to(original)
