"""Prepared pictures: the same pixels as one step at a time, whatever is shared between the steps."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from deixis.errors import BadPicture
from deixis.pictures import Picture, open_picture, resize, tile
from deixis.pictures.normalising import Normalisation
from deixis.pictures.resizing import Order
from deixis.systems.ferret_v2.grids import FERRET_UI_GRIDS, FERRET_V2_GRIDS, Grid
from deixis.systems.ferret_v2.tiles import NO_TILES, TiledPixels, Tiling, fitted_canvas

WHOLE = Normalisation((0.4, 0.5, 0.6), (0.2, 0.3, 0.4))
TILE = Normalisation((0.1, 0.2, 0.3), (0.5, 0.6, 0.7))


def noise(width: int, height: int) -> Picture:
    return open_picture(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def tiling(grids: tuple[Grid, ...], *, side: int = 24, order: Order = "width_first") -> Tiling:
    return Tiling(grids=grids, crop=24, side=side, whole=WHOLE, tile=TILE, order=order)


@pytest.mark.parametrize("order", ["width_first", "pillow13"])
@pytest.mark.parametrize("grids", [FERRET_UI_GRIDS, FERRET_V2_GRIDS])
@pytest.mark.parametrize("side", [24, 48, 40])
@pytest.mark.parametrize("size", [(50, 150), (150, 50), (33, 190), (24, 24), (7, 9)])
def test_the_same_as_one_step_at_a_time(
    size: tuple[int, int], side: int, grids: tuple[Grid, ...], order: Order
) -> None:
    picture, plan = noise(*size), tiling(grids, side=side, order=order)
    prepared = plan.prepare(picture)
    columns, rows = prepared.grid
    canvas = resize(picture, columns * 24, rows * 24, order=order)
    assert prepared.canvas is not None
    assert np.array_equal(prepared.canvas.pixels, canvas.pixels)
    whole = resize(picture, side, side, order=order)
    assert torch.equal(prepared.whole_pixels, WHOLE.tensor(whole.pixels))
    expected = [TILE.tensor(piece.pixels) for piece in tile(canvas, columns, rows)]
    assert torch.equal(prepared.tile_pixels, torch.stack(expected))
    assert prepared.size == size


@pytest.mark.parametrize("size", [(50, 150), (150, 50)])
def test_frames_lead_back_to_the_original(size: tuple[int, int]) -> None:
    picture = noise(*size)
    prepared = tiling(FERRET_UI_GRIDS).prepare(picture)
    assert prepared.canvas is not None
    for view in (prepared.whole, prepared.canvas):
        assert view.frame.root == picture.frame
        # From the original in one or two steps, the corners are the corners.
        scale = np.prod([frame.scale for frame in chain(view)], axis=0)
        assert np.allclose(scale, (view.width / picture.width, view.height / picture.height))


def chain(picture: Picture) -> list[object]:
    frames, frame = [], picture.frame
    while frame.parent is not None:
        frames.append(frame)
        frame = frame.parent
    return frames


def test_without_grids_only_the_whole_is_seen() -> None:
    prepared = tiling(()).prepare(noise(50, 70))
    assert prepared.canvas is None and prepared.grid == NO_TILES
    assert prepared.whole_pixels.shape == (3, 24, 24) and prepared.tile_pixels.shape == (0, 3, 24, 24)


def test_proportions_may_be_kept() -> None:
    white = open_picture(np.full((20, 60, 3), 255, dtype=np.uint8))
    canvas = fitted_canvas(white, 48, 48)
    assert (canvas.pixels[16:32] == 255).all()
    assert (canvas.pixels[:16] == 0).all() and (canvas.pixels[32:] == 0).all()
    high = fitted_canvas(open_picture(white.pixels.transpose(1, 0, 2)), 48, 48)
    assert np.array_equal(high.pixels, canvas.pixels.transpose(1, 0, 2))
    plan = Tiling(grids=((2, 2),), crop=24, side=24, whole=WHOLE, tile=TILE, padded=True)
    prepared = plan.prepare(white)
    assert prepared.canvas is not None and np.array_equal(prepared.canvas.pixels, canvas.pixels)


def test_a_batch_of_pictures() -> None:
    plan = tiling(FERRET_UI_GRIDS)
    pictures = [plan.prepare(noise(50, 150)), tiling(()).prepare(noise(30, 30)), plan.prepare(noise(90, 30))]
    batch = TiledPixels.stack(pictures)
    assert batch.whole.shape == (3, 3, 24, 24)
    assert [columns * rows for columns, rows in batch.grids] == [3, 0, 3]
    assert torch.equal(batch.tiles[3:], pictures[2].tile_pixels)
    assert batch.sizes == ((50, 150), (30, 30), (90, 30))
    half = batch.to("cpu", torch.bfloat16)
    assert half.whole.dtype == half.tiles.dtype == torch.bfloat16 and half.grids == batch.grids


@pytest.mark.parametrize(
    ("tiles", "grids", "says"),
    [(3, ((2, 1), NO_TILES), "3 tiles"), (2, ((2, 1),), "2 pictures"), (1, ((2, 1), NO_TILES), "expected 2")],
)
def test_tiles_are_counted(tiles: int, grids: tuple[Grid, ...], says: str) -> None:
    with pytest.raises(BadPicture, match=says):
        TiledPixels(torch.zeros(2, 3, 4, 4), torch.zeros(tiles, 3, 4, 4), grids, ((5, 5), (5, 5)))
