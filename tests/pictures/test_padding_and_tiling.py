"""Padded, letterboxed, cropped and tiled pictures know where their pixels were."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.errors import BadPicture
from deixis.pictures import Picture, crop, letterbox, open_picture, pad, resize, tile
from deixis.pictures.padding import pad_to_square
from deixis.regions.frames import convert


def counted(width: int, height: int) -> Picture:
    """A picture whose red and green say the column and the row."""
    ys, xs = np.mgrid[:height, :width]
    return open_picture(np.stack([xs, ys, np.full_like(xs, 200)], axis=2).astype(np.uint8))


def check_frame(piece: Picture, *, original: Picture) -> None:
    """Every pixel of the original that is in a piece is where its frame says."""
    for y in range(piece.height):
        for x in range(piece.width):
            column, row = convert([x + 0.5, y + 0.5], piece.frame, original.frame)
            if piece.pixels[y, x, 2] == 200:
                assert piece.pixels[y, x, :2].tolist() == [int(column), int(row)]


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_chains_of_pieces_keep_track(data: st.DataObject) -> None:
    original = piece = counted(data.draw(st.integers(2, 9)), data.draw(st.integers(2, 9)))
    for _ in range(data.draw(st.integers(1, 4))):
        if data.draw(st.booleans()):
            left, top = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 3))
            piece = pad(piece, piece.width + left + 1, piece.height + top + 2, left=left, top=top)
        else:
            x0, y0 = data.draw(st.integers(0, piece.width - 1)), data.draw(st.integers(0, piece.height - 1))
            x1 = data.draw(st.integers(x0 + 1, piece.width))
            piece = crop(piece, x0, y0, x1, piece.height)
    check_frame(piece, original=original)


def test_padding() -> None:
    padded = pad(counted(3, 2), 6, 5, left=1, top=2, fill=(1, 2, 3))
    assert padded.pixels[2:4, 1:4].tolist() == counted(3, 2).pixels.tolist()
    assert padded.pixels.reshape(-1, 3).tolist().count([1, 2, 3]) == 6 * 5 - 3 * 2
    assert padded.frame == counted(3, 2).frame.padded(6, 5, left=1, top=2)


@pytest.mark.parametrize(
    ("width", "height", "left", "top"), [(2, 9, 0, 0), (9, 1, 0, 0), (9, 9, 7, 0), (9, 9, 0, -1)]
)
def test_a_canvas_that_is_too_small(width: int, height: int, left: int, top: int) -> None:
    with pytest.raises(
        BadPicture, match=rf"3 x 2 at \({left}, {top}\) doesn't fit a canvas of {width} x {height}"
    ):
        pad(counted(3, 2), width, height, left=left, top=top)


@pytest.mark.parametrize("size", [(20, 10), (10, 20), (16, 16), (1, 200), (200, 1), (3, 2)])
def test_a_letterbox_holds_the_whole_picture(size: tuple[int, int]) -> None:
    picture = counted(*size)
    boxed = letterbox(picture, 16)
    assert boxed.pixels.shape == (16, 16, 3)
    corners = convert([[0, 0], size], picture.frame, boxed.frame)
    assert (corners >= 0).all() and (corners <= 16).all()
    assert np.ptp(corners, axis=0).max() == 16
    (x0, y0), (x1, y1) = corners.round().astype(int)
    assert np.array_equal(boxed.pixels[y0:y1, x0:x1], resize(picture, x1 - x0, y1 - y0).pixels)
    assert boxed.frame.root == picture.frame


def test_tiles_row_by_row() -> None:
    picture = counted(6, 4)
    tiles = tile(picture, 3, 2)
    assert [str(piece.frame) for piece in tiles] == [f"tile {number} 2x2" for number in range(6)]
    assert [piece.pixels[0, 0, :2].tolist() for piece in tiles] == [
        [0, 0],
        [2, 0],
        [4, 0],
        [0, 2],
        [2, 2],
        [4, 2],
    ]
    for piece in tiles:
        check_frame(piece, original=picture)


@pytest.mark.parametrize(("columns", "rows"), [(0, 1), (4, 1), (1, 3), (1, -1)])
def test_tiles_are_equal(columns: int, rows: int) -> None:
    with pytest.raises(
        BadPicture, match=rf"6 x 4 can't be cut into {columns} x {rows} equal tiles; resize or pad"
    ):
        tile(counted(6, 4), columns, rows)


@pytest.mark.parametrize("cut", [(0, 0, 7, 4), (-1, 0, 3, 3), (3, 3, 3, 4), (4, 0, 2, 2), (0, 0, 6, 5)])
def test_a_cut_lies_inside(cut: tuple[int, int, int, int]) -> None:
    with pytest.raises(BadPicture, match="is not inside 6 x 4 pixels"):
        crop(counted(6, 4), *cut)


@pytest.mark.parametrize(("size", "offset"), [((6, 9), (1, 0)), ((9, 6), (0, 1)), ((5, 5), (0, 0))])
def test_a_square_around_a_picture(size: tuple[int, int], offset: tuple[int, int]) -> None:
    picture = counted(*size)
    square = pad_to_square(picture, fill=(1, 2, 3))
    assert (square.width, square.height) == (max(size), max(size))
    assert square.frame.offset == offset
    check_frame(square, original=picture)
    if offset != (0, 0):
        assert square.pixels[0, 0].tolist() == [1, 2, 3]
