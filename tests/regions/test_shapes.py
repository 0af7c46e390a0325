"""Regions check themselves, move between frames and are cut at the picture's edge."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.errors import BadRegion, DeixisError, FrameMismatch, RegionClipped
from deixis.regions.frames import PIXELS, THOUSANDTHS, UNIT, Frame
from deixis.regions.raster import fill_polygon
from deixis.regions.shapes import MOST_POINTS, Box, Mask, Point, Polygon, Region, Scribble

PICTURE = Frame.original(40, 30)
OTHER = Frame.original(50, 30)
SQUARE = ((5, 5), (15, 5), (15, 20), (5, 20))
UNBOUND = [
    Point(12, 9),
    Box(5, 5, 15, 20),
    Polygon(SQUARE),
    Scribble(SQUARE),
    Scribble([(3, 4)]),
    Mask.from_array(np.eye(30, 40)),
]
BOUND = [region.bind(PICTURE) for region in UNBOUND]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Box(10, 5, 10, 20), r"box \(10, 5, 10, 20\) needs x0 < x1 .* is it x y width height"),
        (lambda: Box(20, 5, 10, 20), "needs x0 < x1"),
        (lambda: Box(5, 20, 10, 20), "needs x0 < x1 and y0 < y1"),
        (lambda: Box(math.nan, 0, 1, 1), "box has coordinates .*nan.*; expected finite numbers"),
        (lambda: Box(0, 0, math.inf, 1), "expected finite numbers of ordinary size"),
        (lambda: Box(0, 0, 1e12, 1), "ordinary size"),
        (lambda: Point(math.nan, 1), "point has coordinates"),
        (lambda: Point(1, -math.inf), "point has coordinates"),
        (lambda: Polygon([(0, 0), (1, 1)]), "a polygon needs 3 to 20000 points of x and y; got 2"),
        (lambda: Polygon([]), "a polygon needs 3 .* got 0"),
        (lambda: Polygon([(0, 0), (1, 1), (math.nan, 2)]), "polygon has coordinates"),
        (lambda: Polygon([(0, 0), (1, 1), (2, 3, 4)]), "points of x and y"),
        (lambda: Scribble([]), "a scribble needs 1 to 20000 points"),
        (lambda: Scribble([(0, 0)] * (MOST_POINTS + 1)), "got 20001"),
        (lambda: Scribble([(0, math.inf)]), "scribble has coordinates"),
        (lambda: Mask.from_array(np.zeros((3, 4))), "the mask is empty; expected at least one pixel"),
        (lambda: Mask.from_array(np.ones(4)), r"an array of height x width; got shape \(4,\)"),
        (lambda: Mask.from_array(np.ones((2, 2, 3))), r"got shape \(2, 2, 3\)"),
        (lambda: Mask.from_array(np.ones((0, 3))), r"got shape \(0, 3\)"),
        (lambda: Mask((1, 2), 2, 2), "mask runs add up to 3, expected 2 x 2 = 4"),
        (lambda: Mask((0, 4), 2, 2, frame=UNIT), "a mask is made of pixels; it cannot be in frame unit"),
        (lambda: Mask((0, 4), 2, 2, frame=PICTURE), "the mask has 2 x 2 pixels, its frame is pixels 40x30"),
        (lambda: Mask.from_coco({"counts": "04"}), "needs 'size': .height, width.; got None"),
        (lambda: Mask.from_coco({"size": [2], "counts": "04"}), "needs 'size'"),
        (lambda: Mask.from_coco({"size": [2, 2.0], "counts": "04"}), "needs 'size'"),
        (lambda: Mask.from_coco({"size": [2, 2]}), "needs 'counts': a string or a list of whole numbers"),
        (lambda: Mask.from_coco({"size": [2, 2], "counts": [0.5, 3.5]}), "list of whole numbers"),
    ],
)  # fmt: skip
def test_unusable_coordinates_are_refused(make: Any, message: str) -> None:
    with pytest.raises(BadRegion, match=message):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Box("x", 0, 1, 1),
        lambda: Box(None, 0, 1, 1),
        lambda: Box(0, 0, [3], 1),
        lambda: Box(0, 0, 10**400, 1),
        lambda: Box(0, 0, 10**5000, 1),
        lambda: Point(1j, 2),
        lambda: Point(2, "1,5"),
        lambda: Polygon(None),
        lambda: Polygon(5),
        lambda: Polygon([1, 2, 3]),
        lambda: Polygon([(0, 0), (1, None), (2, 2)]),
        lambda: Scribble([(0, -(10**400))]),
        lambda: Scribble(["ab"]),
        lambda: Mask(("a",), 2, 2),
        lambda: Mask(None, 2, 2),
        lambda: Mask((0, math.inf), 2, 2),
        lambda: Mask((0, math.nan), 2, 2),
        lambda: Mask((0, 10**5000), 2, 2),
        lambda: Mask((0, 4), "2", 2),
        lambda: Mask((0, 4), 2, None),
        lambda: Mask((0, 4), 2.5, 2),
        lambda: Mask((0, 4), 10**5000, 2),
        lambda: Mask.from_array(None),
        lambda: Mask.from_array([[1], [1, 2]]),
        lambda: Mask.from_coco(None),
        lambda: Mask.from_coco({"size": [2, 10**5000], "counts": [0, 4]}),
        lambda: Mask.from_coco({"size": ["2" * 9000], "counts": [0, 4]}),
    ],
)
def test_what_is_no_region_is_refused_shortly(make: Any) -> None:
    with pytest.raises(BadRegion) as caught:
        make()
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ("unit", r"'unit'; expected deixis\.UNIT$"),
        ("Pixels", r"expected deixis\.PIXELS$"),
        ("furlongs", r"expected deixis\.PIXELS or deixis\.UNIT or deixis\.THOUSANDTHS, or a picture's frame"),
        (None, r"the frame is None; expected deixis\.PIXELS or"),
        ((40, 30), r"the frame is \(40, 30\); expected"),
    ],
)
def test_a_frame_that_is_none_is_told_how_to_say_it(frame: Any, expected: str) -> None:
    ways = [
        lambda: Box(0, 0, 1, 1, frame=frame),
        lambda: Point(0, 0, frame=frame),
        lambda: Polygon(SQUARE, frame=frame),
        lambda: Scribble(SQUARE, frame=frame),
        lambda: Mask.from_array(np.ones((3, 4)), frame=frame),
        *(lambda region=region: region.to(frame) for region in BOUND),
        *(lambda region=region: region.bind(frame) for region in UNBOUND),
        *(lambda region=region: region.clipped(frame) for region in UNBOUND),
    ]
    for way in ways:
        with pytest.raises(BadRegion, match=expected):
            way()


@pytest.mark.parametrize(
    "make",
    [
        lambda frame: Box(45, 0.3, 83, 0.9, frame=frame),
        lambda frame: Box(0.1, 0.2, 1.51, 0.9, frame=frame),
        lambda frame: Box(-0.51, 0.2, 0.5, 0.9, frame=frame),
        lambda frame: Point(0.5, 2, frame=frame),
        lambda frame: Polygon(SQUARE, frame=frame),
        lambda frame: Scribble([(0.5, 0.5), (0.5, -7)], frame=frame),
    ],
)
def test_what_cannot_be_fractions_of_a_picture_is_refused_at_once(make: Any) -> None:
    with pytest.raises(BadRegion, match=r"in frame 'unit', which is 0\.\.1; is it frame 'pixels'\?"):
        make(UNIT)
    assert make(PICTURE.unit()).to(PICTURE).frame == PICTURE  # what was converted may lie anywhere


def test_coordinates_become_floats() -> None:
    assert [type(value) for value in Box(np.int64(1), 2, np.float32(3), 4).as_tuple()] == [float] * 4
    assert Polygon([[0, 0], [1, 0], [1, 1]]).points == ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))
    assert Polygon(np.array(SQUARE)) == Polygon(SQUARE)


@pytest.mark.parametrize("region", UNBOUND, ids=repr)
def test_regions_are_values(region: Region) -> None:
    assert region.frame is PIXELS
    assert region == region.bind(PICTURE).__class__(**vars(region))
    assert len({region, region.bind(PICTURE)}) == 2
    with pytest.raises(AttributeError):
        region.frame = UNIT  # type: ignore[misc]


@pytest.mark.parametrize("region", BOUND, ids=repr)
@pytest.mark.parametrize(
    "frame",
    [PICTURE.resized(80, 120), PICTURE.padded(60, 50, left=7, top=9), PICTURE.cropped(2, 3, 38, 29)],
    ids=str,
)
def test_regions_go_to_other_frames_and_back(region: Region, frame: Frame) -> None:
    there = region.to(frame)
    assert there.frame == frame
    back = there.to(PICTURE)
    if isinstance(region, Mask):
        expected = region.rasterise()
        if frame.kind == "cropped":
            expected[:3] = expected[29:] = expected[:, :2] = expected[:, 38:] = False
        assert np.array_equal(back.rasterise(), expected)  # type: ignore[union-attr]
    else:
        assert np.allclose(back.bounds().as_tuple(), region.bounds().as_tuple(), rtol=0, atol=1e-9)


@pytest.mark.parametrize("region", BOUND, ids=repr)
def test_a_region_of_another_picture_is_refused(region: Region) -> None:
    for act in (region.to, region.bind, region.clipped):
        with pytest.raises(FrameMismatch, match="picture"):
            act(OTHER)


def test_comparing_across_frames_says_how_to_convert() -> None:
    box, mask = Box(0, 0, 10, 10), Mask.from_array(np.ones((30, 40)))
    for one, other in ((box, box.bind(PICTURE)), (mask, mask.bind(PICTURE))):
        with pytest.raises(FrameMismatch, match=r"convert one: region.to\(other.frame\) \(after region.bind"):
            one.iou(other)  # type: ignore[arg-type]
    with pytest.raises(BadRegion, match="masks of 40 x 30 and 2 x 2 cannot be compared"):
        mask.iou(Mask.from_array(np.ones((2, 2))))


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        (Box(0.25, 0.5, 0.5, 1, frame=UNIT), (10, 15, 20, 30)),
        (Box(250, 500, 500, 1000, frame=THOUSANDTHS), (10, 15, 20, 30)),
        (Box(10, 15, 20, 30), (10, 15, 20, 30)),
        (Polygon([(0.25, 0.5), (0.5, 0.5), (0.5, 1)], frame=UNIT), (10, 15, 20, 30)),
        (Scribble([(250, 500), (500, 1000)], frame=THOUSANDTHS), (10, 15, 20, 30)),
    ],
)
def test_named_frames_are_bound_to_the_picture(region: Region, expected: tuple[float, ...]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clipped = region.clipped(PICTURE)
    assert clipped.frame == PICTURE
    assert clipped.bounds().as_tuple() == pytest.approx(expected)


@pytest.mark.parametrize("region", UNBOUND, ids=repr)
def test_a_region_inside_is_not_cut(region: Region) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert region.clipped(PICTURE) == region.bind(PICTURE)


@pytest.mark.parametrize(
    ("region", "bounds"),
    [
        (Box(-5, -5, 10, 10), (0, 0, 10, 10)),
        (Box(30, 20, 99, 99), (30, 20, 40, 30)),
        (Box(-5, -5, 99, 99), (0, 0, 40, 30)),
        (Box(-0.1, 0.5, 0.5, 1, frame=UNIT), (0, 15, 20, 30)),
        (Polygon([(-10, 5), (10, 5), (10, 15), (-10, 15)]), (0, 5, 10, 15)),
        (Polygon([(20, -100), (200, 15), (20, 130), (-160, 15)]), (0, 0, 40, 30)),
        (Scribble([(-10, 10), (10, 10)]), (0, 10, 10, 10)),
        (Scribble([(-40, -30), (80, 60)]), (0, 0, 40, 30)),
        (Scribble([(-20, 0), (20, 40)]), (0, 20, 10, 30)),
    ],
)
def test_what_sticks_out_is_cut_with_a_warning(region: Region, bounds: tuple[float, ...]) -> None:
    with pytest.warns(RegionClipped, match=r"sticks out of the picture pixels 40x30; it was cut at its edge"):
        clipped = region.clipped(PICTURE)
    assert clipped.bounds().as_tuple() == pytest.approx(bounds, abs=0.05)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert clipped.clipped(PICTURE) == clipped


@pytest.mark.parametrize(
    "region",
    [
        Point(41, 5),
        Point(5, -0.001),
        Point(1.01, 0.5, frame=UNIT),
        Box(40, 0, 50, 10),
        Box(-10, 0, 0, 10),
        Box(100, 100, 200, 200),
        Box(0.2, 1.1, 0.5, 1.4, frame=UNIT),
        Polygon([(-10, 5), (-5, 5), (-5, 15)]),
        Polygon([(-10, 35), (10, 50), (-10, 50)]),
        Polygon([(-20, 5), (15, 60), (-20, 60)]),
        Polygon([(-10, 5), (0, 5), (0, 15)]),
        Scribble([(41, 0), (50, 10)]),
        Scribble([(-20, 5), (15, 60)]),
    ],
)
def test_what_lies_outside_is_refused(region: Region) -> None:
    with pytest.raises(
        BadRegion, match=r"lies outside the picture pixels 40x30; are the coordinates in another frame"
    ):
        region.clipped(PICTURE)


coordinates = st.tuples(st.floats(-60, 100, width=32), st.floats(-60, 90, width=32))


def distance_to_edges(point: tuple[float, float], corners: Sequence[tuple[float, float]]) -> float:
    """Return how far a point is from the nearest edge of a closed outline."""
    at, starts = np.array(point), np.array(corners)
    ways = np.roll(starts, -1, axis=0) - starts
    lengths = np.maximum((ways**2).sum(axis=1), 1e-30)
    shares = np.clip(((at - starts) * ways).sum(axis=1) / lengths, 0, 1)
    return float(np.linalg.norm(starts + shares[:, None] * ways - at, axis=1).min())


@settings(max_examples=120, deadline=None)
@given(st.lists(coordinates, min_size=3, max_size=7))
def test_a_cut_polygon_holds_the_pixels_that_it_held(points: list[tuple[float, float]]) -> None:
    outline = Polygon(points)
    expected = fill_polygon([(x + 60, y + 60) for x, y in outline.points], 160, 150)[60:90, 60:100]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RegionClipped)
        try:
            clipped = outline.clipped(PICTURE)
        except BadRegion:
            assert not expected.any()
            return
    rows, columns = np.nonzero(clipped.rasterise() ^ expected)
    for centre in zip(columns + 0.5, rows + 0.5, strict=True):  # an edge may pass through a centre
        assert distance_to_edges(centre, outline.points) < 1e-4
    assert np.min(clipped.points) >= 0 and (np.max(clipped.points, axis=0) <= [40, 30]).all()


@settings(max_examples=120, deadline=None)
@given(st.lists(coordinates, min_size=1, max_size=7))
def test_a_cut_scribble_stays_on_its_stroke(points: list[tuple[float, float]]) -> None:
    stroke = Scribble(points)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RegionClipped)
        try:
            clipped = stroke.clipped(PICTURE)
        except BadRegion:
            return
    assert np.min(clipped.points) >= 0 and (np.max(clipped.points, axis=0) <= [40, 30]).all()
    pairs = list(zip(stroke.points, stroke.points[1:], strict=False)) or [(points[0], points[0])]
    for point in clipped.points:
        assert min(distance(point, *pair) for pair in pairs) < 1e-4


def distance(point: tuple[float, float], start: tuple[float, float], end: tuple[float, float]) -> float:
    """How far a point is from a line between two others."""
    a, b, p = np.array(start), np.array(end), np.array(point)
    length = ((b - a) ** 2).sum()
    along = 0.0 if length == 0 else float(np.clip(((p - a) @ (b - a)) / length, 0, 1))
    return float(np.linalg.norm(p - (a + along * (b - a))))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((0, 0, 4, 2), (2, 0, 6, 2), 1 / 3),
        ((0, 0, 4, 2), (0, 0, 4, 2), 1),
        ((0, 0, 4, 2), (4, 0, 6, 2), 0),
        ((0, 0, 4, 2), (10, 10, 11, 11), 0),
        ((0, 0, 4, 4), (1, 1, 3, 3), 0.25),
    ],
)
def test_iou_of_boxes_and_of_their_masks(first: Any, second: Any, expected: float) -> None:
    one, two = Box(*first, frame=PICTURE), Box(*second, frame=PICTURE)
    assert one.iou(two) == two.iou(one) == pytest.approx(expected)
    masks = [Mask.from_array(box.rasterise(), frame=PICTURE) for box in (one, two)]
    assert masks[0].iou(masks[1]) == pytest.approx(expected)


def test_what_regions_cover() -> None:
    assert Box(0, 0, 40, 30, frame=PICTURE).rasterise().all()
    assert Box(0.6, 0, 1.4, 1, frame=PICTURE).rasterise().sum() == 0
    assert np.argwhere(Point(12.9, 9.1, frame=PICTURE).rasterise()).tolist() == [[9, 12]]
    assert np.argwhere(Point(40, 30, frame=PICTURE).rasterise()).tolist() == [[29, 39]]
    assert Polygon(SQUARE, frame=PICTURE).rasterise().sum() == 150
    assert Scribble([(0, 0.5), (40, 0.5)], frame=PICTURE).rasterise()[0].all()
    with pytest.raises(FrameMismatch, match="has no size yet"):
        Polygon(SQUARE).rasterise()


@pytest.mark.parametrize("region", BOUND, ids=repr)
def test_bounds_hold_the_pixels(region: Region) -> None:
    bounds, (ys, xs) = region.bounds(), np.nonzero(region.rasterise())
    assert bounds.frame == PICTURE
    assert bounds.x0 <= xs.min() + 0.5 and bounds.x1 >= xs.max() - 0.5
    assert bounds.y0 <= ys.min() + 0.5 and bounds.y1 >= ys.max() - 0.5


def test_bounds_of_a_mask_are_tight() -> None:
    pixels = np.zeros((30, 40), dtype=bool)
    pixels[4:9, 7:30] = True
    assert Mask.from_array(pixels, frame=PICTURE).bounds() == Box(7, 4, 30, 9, frame=PICTURE)


def test_masks_in_coco_form() -> None:
    mask = Mask.from_array(np.arange(6).reshape(2, 3) % 2)
    assert mask.runs == (1, 2, 2, 1) or mask.runs == (1, 1, 1, 1, 1, 1) or sum(mask.runs) == 6
    packed = mask.to_coco()
    assert packed["size"] == [2, 3] and isinstance(packed["counts"], str)
    assert Mask.from_coco(packed) == mask
    assert Mask.from_coco({**packed, "counts": packed["counts"].encode()}) == mask
    assert Mask.from_coco({**packed, "counts": list(mask.runs)}) == mask


def test_a_mask_that_vanishes_is_an_error() -> None:
    pixels = np.zeros((30, 40))
    pixels[0, 0] = 1
    with pytest.raises(BadRegion, match="the mask is empty"):
        Mask.from_array(pixels, frame=PICTURE).to(PICTURE.cropped(10, 10, 20, 20))


@pytest.mark.parametrize("scale", [1, 2, 5])
def test_a_mask_of_a_larger_or_smaller_picture_takes_the_nearest_pixels(scale: int) -> None:
    pixels = np.random.default_rng(0).random((30, 40)) < 0.3
    mask, large = Mask.from_array(pixels, frame=PICTURE), PICTURE.resized(40 * scale, 30 * scale)
    enlarged = mask.to(large)
    assert np.array_equal(enlarged.rasterise(), pixels.repeat(scale, axis=0).repeat(scale, axis=1))
    assert enlarged.clipped(PICTURE) == mask
    tiny = mask.to(PICTURE.resized(8, 6)).rasterise()
    assert np.array_equal(tiny, pixels[2::5, 2::5])


def test_a_mask_that_is_not_bound_goes_nowhere() -> None:
    with pytest.raises(FrameMismatch, match=r"call region\.bind"):
        Mask.from_array(np.ones((30, 40))).to(PICTURE)


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(BadRegion, match="the mask has 4 x 3 pixels, its frame is pixels 40x30"):
        Mask.from_array(np.ones((3, 4))).clipped(PICTURE)


def test_all_faults_are_ours() -> None:
    assert issubclass(FrameMismatch, BadRegion) and issubclass(BadRegion, DeixisError)
