"""Views for a detector: what is drawn, what becomes of boxes."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deixis.data.groma.boxes import SA1B_AREAS
from deixis.data.groma.detection import (
    ProposalSource,
    ViewDraws,
    draw_view,
    resized_sides,
    squashed,
    view_of,
)
from deixis.data.scene import PictureFile, Scene, Thing
from deixis.errors import RecordError
from deixis.regions.shapes import Box

RNG = np.random.default_rng


def spotted(width: int, height: int, box: tuple[int, int, int, int]) -> np.ndarray:
    """Return a black picture with a white box."""
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[box[1] : box[3], box[0] : box[2]] = 255
    return pixels


@pytest.mark.parametrize("mirrored", [False, True])
def test_boxes_lie_on_what_they_lay_on(mirrored: bool) -> None:
    box = (200, 100, 300, 220)
    draws = ViewDraws(400, (50, 20, 450, 350), mirrored)
    view = view_of(spotted(640, 480, box), np.array([box], dtype=float), draws, side=448)
    assert view.pixels.shape == (448, 448, 3)
    x0, y0, x1, y1 = view.boxes[0].round().astype(int)
    inside = view.pixels[y0 + 3 : y1 - 3, x0 + 3 : x1 - 3]
    assert inside.size and inside.min() == 255
    assert (view.pixels > 127).any(axis=2).sum() == pytest.approx((x1 - x0) * (y1 - y0), rel=0.03)


def test_draws_are_within_their_bounds() -> None:
    shorts = set()
    for seed in range(60):
        draws = draw_view(640, 300, RNG(seed))
        wide, high = resized_sides(640, 300, short=draws.short)
        left, top, width, height = draws.cut
        assert min(wide, 448) <= width <= min(wide, 896) and left + width <= wide
        assert min(high, 448) <= height <= min(high, 896) and top + height <= high
        shorts.add(draws.short)
    assert shorts == {400, 500, 600}
    assert draw_view(640, 300, RNG(5)) == draw_view(640, 300, RNG(5))


def test_a_long_picture_stays_below_the_longest_side() -> None:
    assert max(resized_sides(50, 9000, short=600)) == 4200


def test_boxes_outside_of_the_cut_or_too_small_are_gone() -> None:
    boxes = np.array([[0, 0, 30, 30], [200, 200, 400, 400], [300, 300, 300.5, 400]], dtype=float)
    view = view_of(spotted(640, 480, (0, 0, 1, 1)), boxes, ViewDraws(480, (100, 100, 448, 380), False))
    assert view.kept.tolist() == [1]
    areas = squashed(
        np.zeros((448, 448, 3), np.uint8), np.array([[0, 0, 14, 14], [0, 0, 20, 20]], float), sizes=SA1B_AREAS
    )
    assert areas.kept.tolist() == [1]


def scene(
    folder: Path, name: str, boxes: list[tuple[float, ...]], size: tuple[int, int] = (600, 500)
) -> Scene:
    path = folder / f"{name}.png"
    Image.fromarray(RNG(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)).save(path)
    things = tuple(Thing(number, Box(*box), "dog") for number, box in enumerate(boxes))
    return Scene(name, PictureFile(path), *size, things=things, captions=(), expressions=())


def test_pictures_without_a_fitting_box_are_left_out_with_their_number(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scenes = [
        scene(tmp_path, "a", [(0, 0, 300, 300)]),
        scene(tmp_path, "b", [(0, 0, 1, 1)]),
        scene(tmp_path, "c", []),
    ]
    with caplog.at_level(logging.WARNING, logger="deixis"):
        source = ProposalSource(scenes, side=64)
    assert [one.id for one in source.scenes] == ["a"]
    assert "2 pictures left out" in caplog.text
    assert source.lengths() == [2]
    with pytest.raises(RecordError, match="none of 1 pictures"):
        ProposalSource(scenes[1:2])


def test_an_example_is_a_function_of_the_state_and_never_empty(tmp_path: Path) -> None:
    corner = [scene(tmp_path, "a", [(0, 0, 20, 20)])]
    source = ProposalSource(corner, side=64)
    for seed in range(8):
        one, again = (source.example(0, RNG(seed)) for _ in range(2))
        assert one.boxes == again.boxes and np.array_equal(one.picture.pixels, again.picture.pixels)
        assert one.boxes and one.head == "coco" and one.labels == ("dog",) * len(one.boxes)


def test_the_published_replacement_is_a_picture_of_the_same_shape(tmp_path: Path) -> None:
    scenes = [
        scene(tmp_path, "corner", [(0, 0, 9, 9)], (900, 800)),
        scene(tmp_path, "lying", [(0, 0, 900, 800)], (900, 800)),
        scene(tmp_path, "upright", [(0, 0, 500, 600)], (500, 600)),
    ]
    source = ProposalSource(scenes, side=32, rejected="replaced")
    seen = {source.example(0, RNG(seed)).name for seed in range(12)}
    assert "lying" in seen and "upright" not in seen


def test_without_augmentation_all_of_a_picture_is_seen(tmp_path: Path) -> None:
    one = ProposalSource([scene(tmp_path, "a", [(60, 50, 300, 250)])], side=60, augmented=False).example(
        0, RNG(0)
    )
    assert one.boxes[0].as_tuple() == pytest.approx((6, 6, 30, 30))
