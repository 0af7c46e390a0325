"""Any resolution: which grid of tiles suits a picture, and how the tiles' maps become one map again.

The rule of LLaVA-NeXT, which Ferret-v2 and Ferret-UI share: of all grids the one that keeps most of the
picture's pixels, and among those the one with the fewest empty ones.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from torch import Tensor

from deixis.errors import BadPicture, UsageError

Grid = tuple[int, int]  # columns, rows

# The order counts: of two grids that are equally good the earlier is taken.
FERRET_UI_GRIDS: tuple[Grid, ...] = ((1, 2), (2, 1), (2, 2), (3, 1), (1, 3))
FERRET_UI_PAPER_GRIDS: tuple[Grid, ...] = ((1, 2), (2, 1))
FERRET_V2_GRIDS: tuple[Grid, ...] = (
    *((1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (1, 6), (2, 2), (2, 3)),
    *((2, 1), (3, 1), (4, 1), (5, 1), (6, 1), (3, 2)),
)
FERRET_V2_LARGE_TILE_GRIDS: tuple[Grid, ...] = tuple(
    grid for grid in FERRET_V2_GRIDS if grid[0] * grid[1] <= 4
)


def best_size(width: int, height: int, sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return the canvas, of those offered as (width, height), that suits a picture of this size best.

    >>> best_size(1170, 2532, [(336, 672), (672, 336), (672, 672), (1008, 336), (336, 1008)])
    (336, 1008)
    """
    if width < 1 or height < 1:
        raise BadPicture(f"a picture of {width} x {height} has no pixels")
    best, most, least_waste = None, 0, float("inf")
    for canvas in sizes:
        scale = min(canvas[0] / width, canvas[1] / height)
        kept = min(int(width * scale) * int(height * scale), width * height)
        waste = canvas[0] * canvas[1] - kept
        if kept > most or (kept == most and waste < least_waste):
            best, most, least_waste = canvas, kept, waste
    if best is None:
        raise UsageError("no canvas is offered; expected at least one grid of tiles")
    return best


def best_grid(width: int, height: int, *, grids: Sequence[Grid], crop: int) -> Grid:
    """Return the grid (columns, rows) of tiles of ``crop`` pixels that suits a picture of this size best.

    >>> best_grid(640, 480, grids=FERRET_V2_GRIDS, crop=224)
    (3, 2)
    """
    chosen = best_size(width, height, [(columns * crop, rows * crop) for columns, rows in grids])
    return chosen[0] // crop, chosen[1] // crop


def grids_within(grids: Sequence[Grid], *, tokens: int | None, whole: int, tile: int) -> tuple[Grid, ...]:
    """Return the grids whose pictures become at most ``tokens`` tokens; None is no limit.

    whole, tile: tokens of the whole picture and of one tile. UsageError where none is left.

    >>> grids_within(FERRET_V2_GRIDS, tokens=1280, whole=256, tile=256)[-1]
    (4, 1)
    """
    fitting = tuple(
        (columns, rows)
        for columns, rows in grids
        if tokens is None or whole + columns * rows * tile <= tokens
    )
    if not fitting:
        raise UsageError(
            f"no grid of {list(grids)} stays within max_image_tokens={tokens}: the whole picture takes "
            f"{whole}, each tile {tile}"
        )
    return fitting


def grids_from_sizes(sizes: str | Sequence[Sequence[int]], *, crop: int) -> list[list[int]]:
    """Return grids from the canvas sizes in pixels that published configurations list (also as a string).

    >>> grids_from_sizes("[[336, 672], [672, 336]]", crop=336)
    [[1, 2], [2, 1]]
    """
    listed = ast.literal_eval(sizes) if isinstance(sizes, str) else sizes
    for width, height in listed:
        if width % crop or height % crop or width < crop or height < crop:
            raise UsageError(
                f"a canvas of {width} x {height} is not made of whole tiles of {crop} x {crop} pixels"
            )
    return [[width // crop, height // crop] for width, height in listed]


def merge_tiles(tiles: Tensor, grid: Grid) -> Tensor:
    """Return the one map (rows * n, columns * n, D) that tiles (N, n * n, D), row by row, are cut from.

    BadPicture unless there are columns x rows tiles, each square: folded wrongly they would still be a map.

    >>> import torch
    >>> merge_tiles(torch.arange(8.0).reshape(2, 4, 1), (2, 1))[..., 0].tolist()
    [[0.0, 1.0, 4.0, 5.0], [2.0, 3.0, 6.0, 7.0]]
    """
    columns, rows = grid
    number, cells, width = tiles.shape
    side = round(cells**0.5)
    if number != columns * rows or side * side != cells:
        raise BadPicture(
            f"{number} tiles of {cells} cells came for a grid of {columns} x {rows}; expected "
            f"{columns * rows} square ones"
        )
    parts = tiles.reshape(rows, columns, side, side, width).permute(0, 2, 1, 3, 4)  # (rows, n, columns, n, D)
    return parts.reshape(rows * side, columns * side, width)


def unpadded(height: int, width: int, *, picture: tuple[int, int]) -> tuple[slice, slice]:
    """Return which rows and columns of a map lie within a picture (width, height) kept in proportion on it.

    The published rule, whose edges are cut evenly on both sides; for a very long picture nothing is left.

    >>> unpadded(48, 48, picture=(640, 480))
    (slice(6, 42, None), slice(0, 48, None))
    """
    own_width, own_height = picture
    if own_width / own_height > width / height:
        covered = int(own_height * (width / own_width))
        edge = (height - covered) // 2
        return slice(edge, height - edge), slice(0, width)
    covered = int(own_width * (height / own_height))
    edge = (width - covered) // 2
    return slice(0, height), slice(edge, width - edge)
