"""Regions as text and pixels: every kind of region, both variants, and what covers nothing."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.errors import BadRegion, FrameMismatch, UsageError
from deixis.regions import Box, Frame, Mask, Point, Polygon, Region, Scribble
from deixis.regions.marked_pixels import region_pixels
from deixis.systems.ferret.region_pixels import pointed, whole_pixels

PHOTO = Frame.original(100, 50)
SIZE = {"width": 100, "height": 50}


def rectangle(x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    """Return the mask (50, 100) of x0 to x1 and y0 to y1, the last ones included."""
    mask = np.zeros((50, 100), dtype=bool)
    mask[y0 : y1 + 1, x0 : x1 + 1] = True
    return mask


STROKE = [(10.5, 10.5), (14.5, 10.5), (14.5, 20.5)]
DRAWN = rectangle(10, 10, 14, 10) | rectangle(14, 10, 14, 20)


@pytest.mark.parametrize(
    ("region", "text", "mask"),
    [
        (Point(30, 20), "[300, 400]", rectangle(25, 15, 35, 25)),
        (Point(30.9, 20.9), "[300, 400]", rectangle(25, 15, 35, 25)),
        (Point(0, 0), "[0, 0]", rectangle(0, 0, 5, 5)),
        (Point(100, 50), "[990, 980]", rectangle(94, 44, 99, 49)),
        (Box(10, 20, 30, 40), "[100, 400, 300, 800]", rectangle(10, 20, 30, 40)),
        (Box(0, 0, 100, 50), "[0, 0, 990, 980]", rectangle(0, 0, 99, 49)),
        (Box(10.2, 20.2, 10.8, 20.8), "[100, 400, 100, 400]", rectangle(10, 20, 10, 20)),
        (Scribble(STROKE), "[100, 200, 140, 400]", DRAWN),
        (Mask.from_array(DRAWN), "[100, 200, 140, 400]", DRAWN),
        (
            Polygon([(10, 20), (30, 20), (30, 40), (10, 40)]),
            "[100, 400, 290, 780]",
            rectangle(10, 20, 29, 39),
        ),
        # Too thin for any pixel's centre: the pixels that it touches.
        (Polygon([(10, 20.1), (30, 20.2), (10, 20.3)]), "[100, 400, 300, 400]", rectangle(10, 20, 30, 20)),
    ],
)
def test_every_kind_of_region(region: Region, text: str, mask: np.ndarray) -> None:
    found = pointed(region.clipped(PHOTO))
    assert found.coordinates == text
    assert found.text == f"{text} <region_fea>"
    assert np.array_equal(found.pixels.mask(), mask)


def test_a_region_of_another_frame_is_written_after_it_was_carried_over() -> None:
    box = Box(100, 400, 300, 800, frame=PHOTO.thousandths())
    wrong = [box, Box(1, 2, 3, 4), Point(5, 5, frame=PHOTO.resized(10, 10))]
    for region in wrong:
        with pytest.raises(FrameMismatch, match=r"carry it over: region.clipped\(picture.frame\)"):
            pointed(region)
    with pytest.raises(FrameMismatch, match="its segment in"):
        pointed(Box(1, 2, 3, 4, frame=PHOTO), segment=Mask.from_array(DRAWN))
    assert pointed(box.clipped(PHOTO)).coordinates == "[100, 400, 300, 800]"


@given(
    st.tuples(*[st.integers(0, 639), st.integers(0, 479)] * 2).filter(lambda b: b[0] < b[2] and b[1] < b[3])
)
def test_a_change_of_frames_costs_no_pixel(corners: tuple[int, int, int, int]) -> None:
    photo = Frame.original(640, 480)
    box = Box(*corners, frame=photo)
    away = box.to(photo.resized(336, 336).thousandths())
    assert pointed(away.to(photo)).coordinates == pointed(box).coordinates


SEGMENT = rectangle(20, 20, 40, 30)
INSIDE, BESIDE = [25, 25], [60, 40]


@pytest.mark.parametrize(
    ("coordinates", "options", "expected"),
    [
        # A point in training keeps to its object: the segment, or else the box; in evaluation it does not.
        (INSIDE, {"variant": "train", "segment": SEGMENT}, rectangle(20, 20, 30, 30)),
        (
            INSIDE,
            {"variant": "train", "segment": SEGMENT, "box": [24, 24, 26, 26]},
            rectangle(20, 20, 30, 30),
        ),
        (INSIDE, {"variant": "train", "box": [24, 24, 26, 26]}, rectangle(24, 24, 26, 26)),
        (INSIDE, {"variant": "train"}, rectangle(20, 20, 30, 30)),
        (INSIDE, {"variant": "eval", "segment": SEGMENT, "box": [24, 24, 26, 26]}, rectangle(20, 20, 30, 30)),
        (BESIDE, {"variant": "eval", "segment": SEGMENT}, rectangle(55, 35, 65, 45)),
        # A box is cut by the segment; one that the segment misses stays whole in training only.
        ([30, 25, 50, 45], {"variant": "train", "segment": SEGMENT}, rectangle(30, 25, 40, 30)),
        ([30, 25, 50, 45], {"variant": "eval", "segment": SEGMENT}, rectangle(30, 25, 40, 30)),
        ([60, 40, 70, 45], {"variant": "train", "segment": SEGMENT}, rectangle(60, 40, 70, 45)),
        ([-5, -5, 500, 500], {"variant": "eval"}, rectangle(0, 0, 99, 49)),
    ],
)
def test_variants(coordinates: list[float], options: dict, expected: np.ndarray) -> None:
    assert np.array_equal(region_pixels(coordinates, **SIZE, **options).mask(), expected)


@pytest.mark.parametrize(
    ("coordinates", "options"),
    [
        (BESIDE, {"variant": "train", "segment": SEGMENT}),
        (BESIDE, {"variant": "train", "box": [0, 0, 10, 10]}),
        ([60, 40, 70, 45], {"variant": "eval", "segment": SEGMENT}),
        ([30, 25, 20, 15], {"variant": "eval"}),
        ([200, 10, 210, 20], {"variant": "train"}),
        ([200, 10], {"variant": "eval"}),
        ([-20, 10], {"variant": "train"}),
    ],
)
def test_regions_of_no_pixel_are_refused(coordinates: list[float], options: dict) -> None:
    with pytest.raises(BadRegion, match="no pixel is left"):
        region_pixels(coordinates, **SIZE, **options)


def test_wrong_arguments() -> None:
    with pytest.raises(BadRegion, match="got 3 numbers"):
        region_pixels([1, 2, 3], **SIZE)
    with pytest.raises(BadRegion, match=r"expected \(height, width\) = \(50, 100\)"):
        region_pixels([1, 2], **SIZE, segment=SEGMENT.T)
    with pytest.raises(UsageError, match='expected "train" or "eval"'):
        region_pixels([1, 2], **SIZE, variant="test")  # type: ignore[arg-type]


@given(st.floats(0, 100), st.floats(0, 50))
def test_the_square_of_a_point_lies_around_it(x: float, y: float) -> None:
    pixels = region_pixels([x, y], **SIZE)
    places = pixels.take(np.arange(pixels.count))
    low, high = places.min(axis=0), places.max(axis=0)
    assert (low <= np.minimum([x, y], [99, 49])).all() and (
        high >= np.floor(np.minimum([x, y], [99, 49]))
    ).all()
    assert (high - low <= 11).all() and pixels.count == np.prod(high - low + 1)


@given(st.lists(st.floats(-10, 700), min_size=4, max_size=4))
def test_whole_pixels_lie_in_the_picture_and_keep_their_order(values: list[float]) -> None:
    found = whole_pixels(values, width=640, height=480)
    assert all(0 <= value < side for value, side in zip(found, (640, 480, 640, 480), strict=True))
    for first, second in pairwise(sorted(values)):
        one, other = whole_pixels([first, 0], **SIZE)[0], whole_pixels([second, 0], **SIZE)[0]
        assert one <= other
