"""Frames: every coordinate says which grid it is measured on, and can be carried to any other one.

A frame is the original picture or something made of it: resized, padded, cropped, a tile, or a scale of
thousandths or of 0..1. Each knows its parent and the affine map ``own = parent * scale + offset`` on each
axis, so that conversion between any two frames of one picture is exact both ways in float64.

Edges are continuous: pixel i covers [i, i + 1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deixis.errors import BadRegion, FrameMismatch

LONGEST_SIDE = 10_000_000


def shown(value: object) -> str:
    """Return anything that was given, shortened for a message.

    >>> shown("x"), shown(10**5000)
    ("'x'", 'int')
    """
    try:
        return f"{value!r:.60}"
    except Exception:  # whatever the value's own repr raises, as Python does for numbers of 5,000 digits
        return type(value).__name__


def usable(value: float, *, above: float = -math.inf, most: float = math.inf) -> bool:
    """Return whether a value is a finite number in a range."""
    try:
        return math.isfinite(value) and above < value <= most
    except (TypeError, OverflowError):
        return False


@dataclass(frozen=True)
class Frame:
    """A grid for coordinates.

    kind: "pixels" (the original picture), "resized", "padded", "cropped", "tile", "unit" or "thousandths".
    width, height: its extent in its own units; None for a frame that is not yet bound to a picture.
    parent: the frame it was made of; None for the original and for unbound frames.
    scale, offset: own = parent * scale + offset, x then y.
    content: of the original, a digest of its pixels, which tells pictures of one size apart; "" where it is
    not known, as in frames that come from a file of annotations: they fit any picture of their size.
    """

    kind: str
    width: float | None = None
    height: float | None = None
    parent: Frame | None = None
    scale: tuple[float, float] = (1.0, 1.0)
    offset: tuple[float, float] = (0.0, 0.0)
    label: str = ""
    content: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        for side in (self.width, self.height):
            if side is not None and not usable(side, above=0, most=LONGEST_SIDE):
                raise BadRegion(f"a frame's sides lie between 0 and {LONGEST_SIDE:,}; got {shown(side)}")
        if not all(usable(number, above=0) for number in self.scale) or not all(map(usable, self.offset)):
            raise BadRegion(
                "a frame needs finite offsets and scales above 0; "
                f"got {shown(self.scale)}, {shown(self.offset)}"
            )

    def __str__(self) -> str:
        size = "" if self.width is None else f" {self.width:g}x{self.height:g}"
        return f"{self.label or self.kind}{size}"

    @property
    def bound(self) -> bool:
        """Whether the frame belongs to a picture of known size."""
        return self.width is not None

    @property
    def root(self) -> Frame:
        """The original picture's frame that this one was made of."""
        return self if self.parent is None else self.parent.root

    @property
    def size(self) -> tuple[float, float]:
        """Width and height; FrameMismatch if the frame is not bound to a picture."""
        if self.width is None or self.height is None:
            raise FrameMismatch(
                f"frame {self} has no size yet; bind it to a picture with region.bind(picture.frame)"
            )
        return self.width, self.height

    @classmethod
    def original(cls, width: int, height: int, *, label: str = "", content: str = "") -> Self:
        """Return the frame of a picture as it was opened, in its pixels."""
        return cls("pixels", width, height, label=label, content=content)

    def resized(self, width: float, height: float) -> Frame:
        """Return the frame of this picture resized to ``width`` x ``height``."""
        own_width, own_height = self.size
        return Frame("resized", width, height, parent=self, scale=(width / own_width, height / own_height))

    def padded(self, width: float, height: float, *, left: float, top: float) -> Frame:
        """Return the frame of a larger canvas on which this one lies at ``left``, ``top``."""
        return Frame("padded", width, height, parent=self, offset=(left, top))

    def cropped(self, x0: float, y0: float, x1: float, y1: float) -> Frame:
        """Return the frame of a cut-out from ``x0``, ``y0`` to ``x1``, ``y1``."""
        return Frame("cropped", x1 - x0, y1 - y0, parent=self, offset=(-x0, -y0))

    def tile(self, number: int, x0: float, y0: float, x1: float, y1: float) -> Frame:
        """Return the frame of tile ``number``, which covers ``x0``, ``y0`` to ``x1``, ``y1``."""
        return Frame("tile", x1 - x0, y1 - y0, parent=self, offset=(-x0, -y0), label=f"tile {number}")

    def scaled_to(self, kind: str, extent: float) -> Frame:
        """Return the frame in which width and height both measure ``extent``."""
        width, height = self.size
        return Frame(kind, extent, extent, parent=self, scale=(extent / width, extent / height))

    def unit(self) -> Frame:
        """Return the frame in which width and height are 1."""
        return self.scaled_to("unit", 1.0)

    def thousandths(self) -> Frame:
        """Return the frame in which width and height are 1000."""
        return self.scaled_to("thousandths", 1000.0)

    def to_root(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return (scale, offset), each (2,), with root = own * scale + offset."""
        if self.parent is None:
            return np.ones(2), np.zeros(2)
        scale, offset = self.parent.to_root()
        own_scale = scale / np.array(self.scale)
        return own_scale, offset - np.array(self.offset) * own_scale


PIXELS = Frame("pixels")
UNIT = Frame("unit")
THOUSANDTHS = Frame("thousandths")
NAMED = {"pixels": PIXELS, "unit": UNIT, "thousandths": THOUSANDTHS}


def require_frame(value: object) -> None:
    """Raise BadRegion, with the way out, for a frame that is none, such as its name."""
    if isinstance(value, Frame):
        return
    named = [name for name in NAMED if isinstance(value, str) and name == value.strip().lower()]
    expected = " or ".join(f"deixis.{name.upper()}" for name in named or NAMED)
    raise BadRegion(
        f"the frame is {shown(value)}; expected {expected}" + ", or a picture's frame" * (not named)
    )


def same_frame(first: Frame, second: Frame) -> bool:
    """Tell whether two frames are one; of two pictures of one size only where their contents tell them apart.

    >>> known, other = (Frame.original(4, 3, content=digest) for digest in ("a1", "b2"))
    >>> same_frame(known, other), same_frame(known, Frame.original(4, 3))
    (False, True)
    """
    if first == second:
        return True
    contents = {first.root.content, second.root.content}
    return "" in contents and without_content(first) == without_content(second)


def without_content(frame: Frame) -> Frame:
    """Return a frame that doesn't say which picture of its size it belongs to."""
    if frame.parent is None:
        return replace(frame, content="") if frame.content else frame
    return replace(frame, parent=without_content(frame.parent))


def with_root(frame: Frame, root: Frame) -> Frame:
    """Return a frame made of another frame of the same picture, one that says which picture it is."""
    return root if frame.parent is None else replace(frame, parent=with_root(frame.parent, root))


def different(given: Frame, expected: Frame) -> str:
    """Return how to speak of two pictures that were taken for one."""
    if given.size == expected.size:
        return f"a picture were given with another one of the same size ({expected})"
    return f"the picture {given} were given with the picture {expected}"


def bind(frame: Frame, original: Frame) -> Frame:
    """Return an unbound frame as a frame of the picture ``original``; a bound one is checked and returned.

    One that doesn't say which picture of its size it belongs to belongs to this one from now on.

    >>> bind(THOUSANDTHS, Frame.original(200, 100)).scale
    (5.0, 10.0)
    """
    for one in (frame, original):
        require_frame(one)
    if frame.bound:
        if not same_frame(frame.root, original.root):
            raise FrameMismatch(
                f"coordinates of {different(frame.root, original.root)}; a region belongs to one picture only"
            )
        return with_root(frame, original.root) if original.root.content else frame
    if frame.kind == "pixels":
        return original
    return original.scaled_to(frame.kind, 1.0 if frame.kind == "unit" else 1000.0)


def convert(points: ArrayLike, source: Frame, target: Frame) -> NDArray[np.float64]:
    """Return points (…, 2) of frame ``source`` in frame ``target``; both must belong to one picture.

    >>> picture = Frame.original(200, 100)
    >>> convert([[100, 50]], picture, picture.thousandths()).tolist()
    [[500.0, 500.0]]
    """
    for frame in (source, target):
        require_frame(frame)
    values = np.asarray(points, dtype=np.float64)
    if source == target:
        return values
    for frame in (source, target):
        if not frame.bound:
            raise FrameMismatch(
                f"cannot convert between {source} and {target}: {frame.kind!r} is not bound to a picture; "
                "call region.bind(picture.frame) first"
            )
    if not same_frame(source.root, target.root):
        raise FrameMismatch(
            f"cannot convert from {source} to {target}: they belong to different pictures"
            + " of the same size" * (source.root.size == target.root.size)
        )
    scale, offset = source.to_root()
    back_scale, back_offset = target.to_root()
    return (values * scale + offset - back_offset) / back_scale


def require_same_frame(first: Frame, second: Frame) -> None:
    """Raise FrameMismatch, with the way out, unless two frames are one."""
    if not same_frame(first, second):
        raise FrameMismatch(
            f"one region is in frame {first}, the other in {second}; convert one: region.to(other.frame) "
            "(after region.bind(picture.frame) if a frame is not bound)"
        )
