"""Which grid suits a picture, and maps of tiles put together and cut."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from deixis.errors import BadPicture, UsageError
from deixis.systems.ferret_v2.grids import (
    FERRET_UI_GRIDS,
    FERRET_UI_PAPER_GRIDS,
    FERRET_V2_GRIDS,
    FERRET_V2_LARGE_TILE_GRIDS,
    best_grid,
    best_size,
    grids_from_sizes,
    grids_within,
    merge_tiles,
    unpadded,
)


@pytest.mark.parametrize(
    ("size", "ui", "v2"),
    [
        ((1170, 2532), (1, 3), (2, 3)),
        ((2532, 1170), (3, 1), (3, 2)),
        ((640, 480), (2, 2), (3, 2)),
        ((100, 100), (1, 2), (1, 1)),  # nothing is gained by more tiles
        ((10, 3000), (1, 3), (1, 6)),
    ],
)
def test_chosen_grids(size: tuple[int, int], ui: tuple[int, int], v2: tuple[int, int]) -> None:
    assert best_grid(*size, grids=FERRET_UI_GRIDS, crop=336) == ui
    assert best_grid(*size, grids=FERRET_V2_GRIDS, crop=224) == v2


def test_of_equally_good_grids_the_first_is_taken() -> None:
    assert best_grid(100, 100, grids=((2, 1), (1, 2)), crop=336) == (2, 1)
    assert best_grid(100, 100, grids=((1, 2), (2, 1)), crop=336) == (1, 2)


@given(
    size=st.tuples(st.integers(1, 4000), st.integers(1, 4000)),
    grids=st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), min_size=1, max_size=6),
)
def test_no_other_grid_keeps_more_pixels(size: tuple[int, int], grids: list[tuple[int, int]]) -> None:
    width, height = size

    def kept(grid: tuple[int, int]) -> int:
        scale = min(grid[0] * 224 / width, grid[1] * 224 / height)
        return min(int(width * scale) * int(height * scale), width * height)

    chosen = best_grid(width, height, grids=grids, crop=224)
    assert chosen in grids
    # A picture so narrow that it vanishes on every canvas leaves nothing to compare.
    assert kept(chosen) == max(map(kept, grids))


def test_presets() -> None:
    assert len(FERRET_V2_GRIDS) == 14 and len(set(FERRET_V2_GRIDS)) == 14
    assert max(columns * rows for columns, rows in FERRET_V2_GRIDS) == 6
    assert max(columns * rows for columns, rows in FERRET_V2_LARGE_TILE_GRIDS) == 4
    assert set(FERRET_UI_PAPER_GRIDS) < set(FERRET_UI_GRIDS)


def test_a_limit_on_tokens_drops_large_grids() -> None:
    assert grids_within(FERRET_V2_GRIDS, tokens=None, whole=256, tile=256) == FERRET_V2_GRIDS
    fitting = grids_within(FERRET_V2_GRIDS, tokens=1280, whole=256, tile=256)
    assert max(columns * rows for columns, rows in fitting) == 4
    with pytest.raises(UsageError, match="max_image_tokens=300"):
        grids_within(FERRET_V2_GRIDS, tokens=300, whole=256, tile=256)


def test_published_lists_of_sizes() -> None:
    assert grids_from_sizes([[336, 1008]], crop=336) == [[1, 3]]
    assert grids_from_sizes("[(448, 224)]", crop=224) == [[2, 1]]
    with pytest.raises(UsageError, match="whole tiles"):
        grids_from_sizes([[336, 500]], crop=336)


@pytest.mark.parametrize("size", [(0, 5), (5, 0)])
def test_pictures_without_pixels(size: tuple[int, int]) -> None:
    with pytest.raises(BadPicture, match="no pixels"):
        best_size(*size, [(336, 336)])


def test_no_grids() -> None:
    with pytest.raises(UsageError, match="at least one grid"):
        best_size(5, 5, [])


@given(columns=st.integers(1, 3), rows=st.integers(1, 3), side=st.integers(1, 3))
def test_tiles_of_a_map_give_the_map(columns: int, rows: int, side: int) -> None:
    whole = torch.arange(rows * side * columns * side).reshape(rows * side, columns * side, 1)
    tiles = [
        whole[row * side : (row + 1) * side, column * side : (column + 1) * side].reshape(side * side, 1)
        for row in range(rows)
        for column in range(columns)
    ]
    assert torch.equal(merge_tiles(torch.stack(tiles), (columns, rows)), whole)


@pytest.mark.parametrize(("shape", "grid"), [((3, 4, 1), (2, 1)), ((2, 4, 1), (2, 2)), ((2, 6, 1), (2, 1))])
def test_tiles_that_are_no_grid(shape: tuple[int, int, int], grid: tuple[int, int]) -> None:
    with pytest.raises(BadPicture, match="square"):
        merge_tiles(torch.zeros(shape), grid)


@given(
    size=st.tuples(st.integers(1, 72), st.integers(1, 72)),
    picture=st.tuples(st.integers(1, 4000), st.integers(1, 4000)),
)
def test_what_is_kept_has_the_pictures_proportions(size: tuple[int, int], picture: tuple[int, int]) -> None:
    height, width = size
    rows, columns = unpadded(height, width, picture=picture)
    kept = (columns.stop - columns.start, rows.stop - rows.start)
    assert kept[0] == width or kept[1] == height
    scale = min(width / picture[0], height / picture[1])
    # Cutting evenly on both sides leaves up to one cell more than the proportions say.
    assert all(
        own - one * scale + 1 >= -1e-6 and own - one * scale < 2
        for own, one in zip(kept, picture, strict=True)
    )
    assert rows.start + rows.stop == height and columns.start + columns.stop == width
