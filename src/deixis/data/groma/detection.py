"""Views of pictures for a detector: resized, cut out, squashed to the square, mirrored; boxes follow.

The draws are a value of their own (``ViewDraws``), so that a view can be made again (groma.md section 12.1).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from deixis.data.detection import DetectionExample, single_things
from deixis.data.groma.boxes import MIN_SIDE, SA1B_AREAS, SIDE, SizeFilter, on_square
from deixis.data.groma.linear_resizing import linear_pixels
from deixis.data.opening import open_scene
from deixis.data.scene import Scene
from deixis.errors import RecordError
from deixis.pictures.opening import Picture
from deixis.regions.clipping import clip_boxes
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box

LOG = logging.getLogger("deixis")
SHORT_SIDES = (400, 500, 600)
LONGEST_SIDE = 4200
CUT = (448, 896)  # the least and the largest side of a cut-out, where the picture has as much
TRIES = 10

ClassHead = Literal["coco", "sa1b"]
"""Which of the two class heads learns from a source: objects with names, or whatever has a mask."""
Rejected = Literal["redrawn", "replaced"]
"""What becomes of a view without boxes: other draws for the same picture, in the end all of it; or, as
published, another picture of the same shape (upright or lying)."""


@dataclass(frozen=True)
class ViewDraws:
    """What is left to chance in a view.

    short: pixels of the shorter side that the picture is resized to. cut: left, top, width, height of the
    cut-out in the resized picture.
    """

    short: int
    cut: tuple[int, int, int, int]
    mirrored: bool


@dataclass(frozen=True)
class ProposalExample(DetectionExample):
    """A view and what is in it. head: which class head learns from it."""

    head: ClassHead = "coco"


@dataclass(frozen=True)
class SquareView:
    """A view. pixels (S, S, 3) uint8; boxes (n, 4) x0 y0 x1 y1 on it; kept (n,): which of all boxes."""

    pixels: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    kept: NDArray[np.intp]


def resized_sides(width: int, height: int, *, short: int) -> tuple[int, int]:
    """Return width and height with the shorter side resized to ``short``, the longer one to 4200 at most.

    >>> resized_sides(640, 480, short=400), resized_sides(100, 4000, short=400)
    ((533, 400), (105, 4200))
    """
    scale = min(short / min(width, height), LONGEST_SIDE / max(width, height))
    return max(int(width * scale + 0.5), 1), max(int(height * scale + 0.5), 1)


def draw_view(width: int, height: int, rng: np.random.Generator) -> ViewDraws:
    """Return draws for a picture of that size."""
    short = SHORT_SIDES[int(rng.integers(len(SHORT_SIDES)))]
    sides = resized_sides(width, height, short=short)
    least, most = CUT
    cut_width, cut_height = (int(rng.integers(min(side, least), min(side, most) + 1)) for side in sides)
    left, top = int(rng.integers(sides[0] - cut_width + 1)), int(rng.integers(sides[1] - cut_height + 1))
    return ViewDraws(short, (left, top, cut_width, cut_height), bool(rng.random() < 0.5))


def view_of(
    pixels: NDArray[np.uint8],
    boxes: NDArray[np.float64],
    draws: ViewDraws,
    *,
    sizes: SizeFilter = MIN_SIDE,
    side: int = SIDE,
) -> SquareView:
    """Return the view of a picture (H, W, 3) with boxes (n, 4) x0 y0 x1 y1 in its pixels.

    sizes: which boxes are kept, by their size on the square of 448 pixels, whatever ``side`` is.
    """
    height, width = pixels.shape[:2]
    wide, high = resized_sides(width, height, short=draws.short)
    left, top, cut_width, cut_height = draws.cut
    cut = linear_pixels(pixels, wide, high, window=draws.cut)
    moved = boxes.reshape(-1, 4) * np.array([wide / width, high / height] * 2) - np.array([left, top] * 2)
    clipped = clip_boxes(moved, (cut_width, cut_height))
    return squashed(cut, clipped, mirrored=draws.mirrored, sizes=sizes, side=side)


def squashed(
    pixels: NDArray[np.uint8],
    boxes: NDArray[np.float64],
    *,
    mirrored: bool = False,
    sizes: SizeFilter = MIN_SIDE,
    side: int = SIDE,
) -> SquareView:
    """Return all of a picture as a square, as evaluation sees it; the arguments are those of ``view_of``."""
    height, width = pixels.shape[:2]
    kept = np.nonzero(sizes.kept(on_square(boxes, width=width, height=height)))[0]
    seen = on_square(boxes, width=width, height=height, side=side)[kept]
    square = linear_pixels(pixels, side, side)
    if mirrored:
        square = np.ascontiguousarray(square[:, ::-1])
        seen = np.stack([side - seen[:, 2], seen[:, 1], side - seen[:, 0], seen[:, 3]], axis=1)
    return SquareView(square, seen.astype(np.float32), kept)


class ProposalSource:
    """Views of scenes for a detector without classes.

    head: see ``ClassHead``; it also says which sizes of boxes are kept. rejected: see ``Rejected``.
    augmented False: always all of a picture. Scenes of which nothing is large enough are left out, their
    number is logged; RecordError where none is left.
    """

    def __init__(
        self,
        scenes: Sequence[Scene],
        *,
        head: ClassHead = "coco",
        side: int = SIDE,
        rejected: Rejected = "redrawn",
        augmented: bool = True,
    ) -> None:
        self.head, self.side, self.rejected, self.augmented = head, side, rejected, augmented
        self.fitting = SA1B_AREAS if head == "sa1b" else MIN_SIDE
        self.scenes = tuple(scene for scene in scenes if self.has_boxes(scene))
        if left_out := len(scenes) - len(self.scenes):
            LOG.warning("%d pictures left out, none of their boxes has a fitting size", left_out)
        if not self.scenes:
            raise RecordError(f"none of {len(scenes)} pictures has a box of a fitting size to learn from")
        self.alike = {
            lying: [n for n, one in enumerate(self.scenes) if (one.width > one.height) == lying]
            for lying in (True, False)
        }

    def __len__(self) -> int:
        return len(self.scenes)

    def lengths(self) -> list[int]:
        """Return how many boxes each scene has, plus one."""
        return [1 + len(single_things(scene)) for scene in self.scenes]

    def has_boxes(self, scene: Scene) -> bool:
        """Tell whether a scene has a box of a fitting size when all of it is seen."""
        edges = [thing.box.as_tuple() for thing in single_things(scene)]
        return bool(self.fitting.kept(on_square(edges, width=scene.width, height=scene.height)).any())

    def example(self, index: int, rng: np.random.Generator) -> ProposalExample:
        """Return a view of scene ``index``; the same for the same state of ``rng``."""
        for _ in range(TRIES if self.augmented else 0):
            made = self.view(index, rng)
            if made is not None:
                return made
            if self.rejected == "replaced":
                scene = self.scenes[index]
                others = self.alike[scene.width > scene.height]
                index = others[int(rng.integers(len(others)))]
        picture, scene = open_scene(self.scenes[index])
        return self.made(scene, squashed(picture.pixels, edges_of(scene), sizes=self.fitting, side=self.side))

    def view(self, index: int, rng: np.random.Generator) -> ProposalExample | None:
        """Return a drawn view of a scene; None where no box is in it."""
        picture, scene = open_scene(self.scenes[index])
        draws = draw_view(picture.width, picture.height, rng)
        seen = view_of(picture.pixels, edges_of(scene), draws, sizes=self.fitting, side=self.side)
        return self.made(scene, seen) if len(seen.boxes) else None

    def made(self, scene: Scene, view: SquareView) -> ProposalExample:
        """Return a view as an example."""
        frame = Frame.original(self.side, self.side)
        things = single_things(scene)
        return ProposalExample(
            name=scene.id,
            picture=Picture(view.pixels, frame, "view"),
            boxes=tuple(Box(*map(float, box), frame=frame) for box in view.boxes),
            labels=tuple(things[number].category for number in view.kept),
            head=self.head,
        )


def edges_of(scene: Scene) -> NDArray[np.float64]:
    """Return the boxes (n, 4) of a scene's single things."""
    edges = [thing.box.as_tuple() for thing in single_things(scene)]
    return np.array(edges, dtype=np.float64).reshape(-1, 4)
