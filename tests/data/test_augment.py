"""Views: boxes follow the pixels, mirrored or not; nothing drawn means the letterboxed picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deixis.data.augment import Augmentation, View, draw_view, recolour
from deixis.pictures.opening import open_picture
from deixis.pictures.padding import letterbox
from deixis.regions.overlap import areas

STILL = Augmentation(zoom=(1, 1), shift=0, mirror=0, contrast=0, colour=0, grey=0)
GEOMETRY_ONLY = Augmentation(contrast=0, colour=0, grey=0)
BOX = (24, 8, 56, 32)


def picture_of_a_box() -> np.ndarray:
    pixels = np.zeros((48, 96, 3), dtype=np.uint8)
    x0, y0, x1, y1 = BOX
    pixels[y0:y1, x0:x1] = 255
    return pixels


def view_of(how: Augmentation, seed: int, *, boxes: tuple[tuple[float, ...], ...] = (BOX,)) -> View:
    drawn = np.array(boxes, dtype=np.float64).reshape(-1, 4)
    return draw_view(picture_of_a_box(), drawn, side=64, how=how, rng=np.random.default_rng(seed))


def test_nothing_drawn_is_the_letterboxed_picture() -> None:
    view, boxed = view_of(STILL, 0), letterbox(open_picture(picture_of_a_box()), 64)
    assert np.array_equal(view.picture.pixels, boxed.pixels)
    assert view.boxes[0] == pytest.approx(np.array(BOX) * 64 / 96 + np.array([0, 16, 0, 16]))
    assert view.kept.tolist() == [True] and not view.mirrored


def test_a_view_may_keep_the_proportions() -> None:
    view = view_of(replace(STILL, square=False), 0)
    assert view.picture.frame.size == (64, 32) and view.picture.pixels.shape == (32, 64, 3)
    assert view.boxes[0] == pytest.approx(np.array(BOX) * 64 / 96)
    high = np.ascontiguousarray(picture_of_a_box().transpose(1, 0, 2))
    turned = draw_view(
        high, np.zeros((0, 4)), side=64, how=replace(STILL, square=False), rng=np.random.default_rng(0)
    )
    assert turned.picture.frame.size == (32, 64)


@pytest.mark.parametrize("square", [True, False])
@pytest.mark.parametrize("seed", range(30))
def test_boxes_follow_the_pixels(seed: int, square: bool) -> None:
    view = view_of(replace(GEOMETRY_ONLY, square=square), seed)
    height = 64 if square else 32
    assert view.picture.pixels.shape == (height, 64, 3)
    assert (view.boxes >= 0).all() and (view.boxes <= [64, height, 64, height]).all()
    white = view.picture.pixels[:, :, 0] > 200
    if view.kept[0]:
        ys, xs = np.flatnonzero(white.any(axis=1)), np.flatnonzero(white.any(axis=0))
        assert np.abs(view.boxes[0] - [xs[0], ys[0], xs[-1] + 1, ys[-1] + 1]).max() <= 2


def test_mirroring_turns_boxes_round() -> None:
    view = view_of(Augmentation(zoom=(1, 1), shift=0, mirror=1, contrast=0, colour=0, grey=0), 0)
    assert view.mirrored
    assert view.boxes[0] == pytest.approx((np.array([96 - 56, 8, 96 - 24, 32])) * 64 / 96 + [0, 16, 0, 16])


def test_both_sides_occur_and_the_same_rng_gives_the_same_view() -> None:
    views = [view_of(Augmentation(), seed) for seed in range(20)]
    assert {view.mirrored for view in views} == {True, False}
    again = view_of(Augmentation(), 3)
    assert np.array_equal(again.picture.pixels, views[3].picture.pixels)
    assert np.array_equal(again.boxes, views[3].boxes)


def test_slivers_and_what_is_cut_off_are_not_kept() -> None:
    beyond = Augmentation(zoom=(1.4, 1.4), shift=0, mirror=0)
    view = view_of(beyond, 0, boxes=((0, 8, 6, 32), (40, 8, 41, 32), BOX))
    assert view.kept.tolist() == [False, False, True]


def test_a_picture_without_boxes_has_a_view() -> None:
    view = view_of(Augmentation(), 0, boxes=())
    assert view.boxes.shape == (0, 4) and view.kept.shape == (0,)


def test_grey_pictures_have_no_colour_and_none_leaves_pixels_alone() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    same = recolour(pixels, how=STILL, rng=np.random.default_rng(0))
    assert np.array_equal(same, pixels)
    grey_only = Augmentation(contrast=0, colour=0, grey=1)
    grey = recolour(pixels, how=grey_only, rng=np.random.default_rng(0)).astype(int)
    assert np.abs(grey - grey[:, :, :1]).max() == 0


def test_areas() -> None:
    assert areas(np.array([[0.0, 0, 2, 3], [1, 1, 1, 5]])).tolist() == [6, 0]
