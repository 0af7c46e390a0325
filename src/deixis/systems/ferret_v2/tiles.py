"""A picture as Ferret-v2 and Ferret-UI see it: the whole at low resolution, and a grid of tiles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deixis.errors import BadPicture
from deixis.pictures.normalising import Normalisation
from deixis.pictures.opening import Picture
from deixis.pictures.padding import pad
from deixis.pictures.resizing import Order, resize, resize_each
from deixis.systems.ferret_v2.grids import Grid, best_grid

NO_TILES: Grid = (0, 0)
BLACK = (0, 0, 0)


@dataclass(frozen=True)
class TiledPicture:
    """One prepared picture.

    whole: resized to a square, with its frame. canvas: resized to the size of the grid, with its frame; None
    without tiles. whole_pixels (3, G, G) and tile_pixels (N, 3, C, C), row by row, are normalised. size:
    width and height of the picture as it came.
    """

    whole: Picture
    canvas: Picture | None
    whole_pixels: Tensor
    tile_pixels: Tensor
    grid: Grid
    size: tuple[int, int]


@dataclass(frozen=True)
class TiledPixels:
    """A batch of prepared pictures, as the network takes it."""

    whole: Tensor  # (B, 3, G, G)
    tiles: Tensor  # (K, 3, C, C): the tiles of all pictures, picture by picture, row by row
    grids: tuple[Grid, ...]  # columns and rows of each picture's tiles; NO_TILES for none
    sizes: tuple[tuple[int, int], ...]  # width and height of each picture as it came

    def __post_init__(self) -> None:
        if not len(self.whole) == len(self.grids) == len(self.sizes):
            raise BadPicture(
                f"{len(self.whole)} pictures came with {len(self.grids)} grids and {len(self.sizes)} sizes; "
                "expected one each"
            )
        expected = sum(columns * rows for columns, rows in self.grids)
        if len(self.tiles) != expected:
            raise BadPicture(f"{len(self.tiles)} tiles came for grids {self.grids}; expected {expected}")

    @classmethod
    def stack(cls, pictures: Sequence[TiledPicture]) -> TiledPixels:
        """Return prepared pictures as one batch."""
        return cls(
            whole=torch.stack([picture.whole_pixels for picture in pictures]),
            tiles=torch.cat([picture.tile_pixels for picture in pictures]),
            grids=tuple(picture.grid for picture in pictures),
            sizes=tuple(picture.size for picture in pictures),
        )

    def to(self, *where: torch.device | torch.dtype | str) -> TiledPixels:
        """Return the batch on another device or in another precision."""
        whole, tiles = self.whole, self.tiles
        for one in where:
            whole, tiles = whole.to(one), tiles.to(one)
        return TiledPixels(whole=whole, tiles=tiles, grids=self.grids, sizes=self.sizes)


@dataclass(frozen=True)
class Tiling:
    """How pictures are prepared for one network.

    grids: those offered; none means that pictures are never cut. crop: pixels of a tile's side. side: pixels
    of the whole picture's. whole, tile: the statistics of the two towers. padded: keep proportions, with
    black edges; published systems don't. order: see ``pictures.resize``.
    """

    grids: tuple[Grid, ...]
    crop: int
    side: int
    whole: Normalisation
    tile: Normalisation
    padded: bool = False
    order: Order = "width_first"

    def prepare(self, picture: Picture) -> TiledPicture:
        """Return a picture's pixels for the network; nothing is resized or normalised twice."""
        if not self.grids:
            return self.prepare_whole(picture)
        grid = best_grid(picture.width, picture.height, grids=self.grids, crop=self.crop)
        width, height = grid[0] * self.crop, grid[1] * self.crop
        if self.padded:
            whole = resize(picture, self.side, self.side, order=self.order)
            canvas = fitted_canvas(picture, width, height, order=self.order)
        else:
            sizes = [(self.side, self.side), (width, height)]
            whole, canvas = resize_each(picture, sizes, order=self.order)
        return TiledPicture(
            whole=whole,
            canvas=canvas,
            whole_pixels=self.whole.tensor(whole.pixels),
            tile_pixels=self.tile.tensor(cut(canvas.pixels, grid)),
            grid=grid,
            size=(picture.width, picture.height),
        )

    def prepare_whole(self, picture: Picture) -> TiledPicture:
        """Return a picture that is seen at low resolution only."""
        whole = resize(picture, self.side, self.side, order=self.order)
        return TiledPicture(
            whole=whole,
            canvas=None,
            whole_pixels=self.whole.tensor(whole.pixels),
            tile_pixels=torch.empty(0, 3, self.crop, self.crop),
            grid=NO_TILES,
            size=(picture.width, picture.height),
        )


def cut(canvas: NDArray[np.uint8], grid: Grid) -> NDArray[np.uint8]:
    """Return the tiles (N, H / rows, W / columns, 3) of a canvas (H, W, 3), row by row."""
    columns, rows = grid
    height, width = canvas.shape[0] // rows, canvas.shape[1] // columns
    parts = canvas.reshape(rows, height, columns, width, 3).swapaxes(1, 2)
    return parts.reshape(rows * columns, height, width, 3)


def fitted_canvas(picture: Picture, width: int, height: int, *, order: Order = "width_first") -> Picture:
    """Return the picture in the middle of a black canvas, as large as its proportions allow."""
    scale_x, scale_y = width / picture.width, height / picture.height
    if scale_x < scale_y:
        inner = width, min(math.ceil(picture.height * scale_x), height)
    else:
        inner = min(math.ceil(picture.width * scale_y), width), height
    resized = resize(picture, *inner, order=order)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    return pad(resized, width, height, left=left, top=top, fill=BLACK)
