"""A picture as Groma sees it: squashed to one square, by one of two ways of resizing; and boxes to and fro.

"pillow" weighs all pixels (bicubic); the published program took it for single pictures, LLaVA's data, GRIT
and Groma Instruct. "opencv" takes two neighbours on each axis; COCO, RefCOCO, Visual Genome, Flickr30k and
LVIS came this way, in training and in the published evaluation. Pictures are upright in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from deixis.data.groma.boxes import SIDE, centred, on_square
from deixis.data.groma.linear_resizing import resize_linear
from deixis.errors import UsageError
from deixis.pictures.normalising import Normalisation
from deixis.pictures.opening import Picture
from deixis.pictures.resizing import Order, resize
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box, Point, Region

Route = Literal["pillow", "opencv"]
CELL = 14 / SIDE  # a patch of the encoder, as a share of a side
IMAGENET = Normalisation(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))


@dataclass(frozen=True)
class GromaPreparation:
    """Pictures resized to ``side`` x ``side`` pixels, proportions not kept, and normalised.

    order: of Pillow's two passes.
    """

    side: int = SIDE
    route: Route = "pillow"
    normalisation: Normalisation = IMAGENET
    order: Order = "width_first"

    def __post_init__(self) -> None:
        if self.route not in get_args(Route):
            raise UsageError(f"route is {self.route!r}; expected one of {', '.join(get_args(Route))}")

    def view(self, picture: Picture) -> tuple[Picture, Tensor]:
        """Return the square with its frame, and its pixels (3, S, S) float32."""
        if self.route == "opencv":
            seen = resize_linear(picture, self.side, self.side)
        else:
            seen = resize(picture, self.side, self.side, order=self.order)
        return seen, self.normalisation.tensor(seen.pixels)

    def stack(self, prepared: Sequence[Tensor]) -> Tensor:
        """Return pixels (B, 3, S, S)."""
        return torch.stack(list(prepared))


def unit_boxes(regions: Sequence[Region], picture: Picture) -> Tensor:
    """Return the boxes round regions of an original picture as (n, 4) float32 cx cy w h, fractions of it.

    They are cut at the picture's edges. A point is taken for a cell of the encoder's grid around it: the box
    of a point has nothing in it to look at. FrameMismatch for a region of another picture.
    """
    edges = [edges_round(region.to(picture.frame), picture) for region in regions]
    return unit_edges(edges, width=picture.width, height=picture.height)


def edges_round(region: Region, picture: Picture) -> tuple[float, float, float, float]:
    """Return the edges of a region in pixels of a picture; of a point those of a cell."""
    if not isinstance(region, Point):
        return region.bounds().as_tuple()
    wide, high = picture.width * CELL / 2, picture.height * CELL / 2
    return region.x - wide, region.y - high, region.x + wide, region.y + high


def unit_edges(edges: Sequence[Sequence[float]], *, width: float, height: float) -> Tensor:
    """Return x0 y0 x1 y1 in pixels of an original as (n, 4) float32 cx cy w h, fractions of its sides.

    >>> unit_edges([(0, 0, 20, 10)], width=40, height=10).tolist()
    [[0.25, 0.5, 0.5, 1.0]]
    """
    own = np.asarray(edges, dtype=np.float64).reshape(-1, 4)
    return torch.from_numpy(centred(on_square(own, width=width, height=height)))


def original_boxes(boxes: Tensor, frame: Frame) -> list[Box]:
    """Return boxes (n, 4) cx cy w h, fractions of a picture, as boxes in pixels of that original.

    frame: of the original. What sticks out is cut off; a box of which nothing is left, or that isn't finite,
    becomes none silently: UsageError.

    >>> original_boxes(torch.tensor([[0.25, 0.5, 0.5, 1.0]]), Frame.original(40, 10))[0].as_tuple()
    (0.0, 0.0, 20.0, 10.0)
    """
    width, height = frame.size
    own = boxes.detach().cpu().double()  # some devices have no float64
    edges = torch.cat([own[:, :2] - own[:, 2:] / 2, own[:, :2] + own[:, 2:] / 2], dim=1)
    edges = edges.clamp(0, 1) * torch.tensor([width, height, width, height], dtype=torch.float64)
    wrong = ~(edges[:, 2:] > edges[:, :2]).all(dim=1)
    if bool(wrong.any()):
        first = int(wrong.nonzero()[0])
        raise UsageError(
            f"box {first} is {boxes[first].tolist()} (cx cy w h, fractions); nothing of it is in the picture"
        )
    return [Box(*map(float, row), frame=frame) for row in edges.tolist()]
