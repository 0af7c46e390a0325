"""Frames convert exactly both ways and refuse to be mixed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.errors import BadRegion, FrameMismatch
from deixis.regions.frames import PIXELS, THOUSANDTHS, UNIT, Frame, bind, convert

PICTURE = Frame.original(400, 300)
sides = st.integers(1, 5000)
shares = st.floats(0, 0.9)


@st.composite
def chains(draw: st.DrawFn, original: Frame | None = None) -> Frame:
    """A frame made of a picture by up to six steps of any kind."""
    frame = original or Frame.original(draw(sides), draw(sides))
    for _ in range(draw(st.integers(0, 6))):
        width, height = frame.size
        kind = draw(st.sampled_from(["resized", "padded", "cropped", "tile", "unit", "thousandths"]))
        if kind == "resized":
            frame = frame.resized(draw(sides), draw(sides))
        elif kind == "padded":
            left, top = draw(st.integers(0, 500)), draw(st.integers(0, 500))
            frame = frame.padded(left + width + draw(shares), top + height, left=left, top=top)
        elif kind == "unit":
            frame = frame.unit()
        elif kind == "thousandths":
            frame = frame.thousandths()
        else:
            x0, y0 = draw(shares) * width, draw(shares) * height
            x1, y1 = x0 + (width - x0) * draw(st.floats(0.1, 1)), y0 + (height - y0) * draw(st.floats(0.1, 1))
            frame = frame.cropped(x0, y0, x1, y1) if kind == "cropped" else frame.tile(3, x0, y0, x1, y1)
    return frame


def reach(frame: Frame, *points: np.ndarray) -> float:
    """The largest number that a conversion to or from a frame meets: what 1e-9 is relative to."""
    offset = frame.to_root()[1]
    numbers = [np.abs(offset).max(), *frame.root.size, *(np.abs(values).max() for values in points)]
    return max(1.0, *numbers)


@settings(max_examples=150, deadline=None)
@given(chains(), st.lists(st.tuples(shares, shares), min_size=1, max_size=4))
def test_any_chain_converts_exactly_there_and_back(frame: Frame, places: list[tuple[float, float]]) -> None:
    start = np.array(places) * frame.root.size
    there = convert(start, frame.root, frame)
    back = convert(there, frame, frame.root)
    assert np.abs(back - start).max() <= 1e-9 * reach(frame, start)
    own = np.array(places) * frame.size
    scale = frame.to_root()[0]
    again = convert(convert(own, frame, frame.root), frame.root, frame)
    assert np.abs((again - own) * scale).max() <= 1e-9 * reach(frame, own * scale)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_two_chains_of_one_picture_convert_through_it(data: st.DataObject) -> None:
    first, second = data.draw(chains(PICTURE)), data.draw(chains(PICTURE))
    start = np.array([[0.0, 0.0], [17.25, 33.0]])
    there = convert(start, first, second)
    via = convert(convert(start, first, PICTURE), PICTURE, second)
    scale, _ = second.to_root()
    assert np.abs((there - via) * scale).max() <= 1e-9 * max(reach(first, start), reach(second))
    own, _ = first.to_root()
    assert np.abs((convert(there, second, first) - start) * own).max() <= 1e-9 * max(
        reach(first), reach(second)
    )


@settings(max_examples=100, deadline=None)
@given(chains())
def test_a_chain_is_its_steps_one_by_one(frame: Frame) -> None:
    steps, step = [], frame
    while step.parent is not None:
        steps.append(step)
        step = step.parent
    point = np.array(frame.root.size) / 3
    for step in reversed(steps):
        point = point * step.scale + step.offset
    scale, _ = frame.to_root()
    error = np.abs((convert(np.array(frame.root.size) / 3, frame.root, frame) - point) * scale).max()
    assert error <= 1e-9 * reach(frame)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (PICTURE, (100, 60)),
        (PICTURE.resized(200, 150), (50, 30)),
        (PICTURE.resized(800, 100), (200, 20)),
        (PICTURE.padded(500, 400, left=50, top=7), (150, 67)),
        (PICTURE.cropped(90, 50, 390, 290), (10, 10)),
        (PICTURE.tile(2, 0, 50, 200, 150), (100, 10)),
        (PICTURE.unit(), (0.25, 0.2)),
        (PICTURE.thousandths(), (250, 200)),
        (PICTURE.resized(200, 150).padded(200, 200, left=0, top=25), (50, 55)),
        (PICTURE.resized(200, 150).padded(200, 200, left=0, top=25).thousandths(), (250, 275)),
        (PICTURE.cropped(100, 0, 300, 300).unit(), (0, 0.2)),
    ],
    ids=str,
)
def test_known_conversions(frame: Frame, expected: tuple[float, float]) -> None:
    assert convert([100, 60], PICTURE, frame).tolist() == pytest.approx(expected, abs=1e-12)
    assert convert(expected, frame, PICTURE).tolist() == pytest.approx((100, 60), abs=1e-12)
    assert frame.root is PICTURE


def test_conversion_keeps_the_shape_of_what_it_gets() -> None:
    assert convert(np.zeros((0, 2)), PICTURE, PICTURE.unit()).shape == (0, 2)
    assert convert(np.zeros((3, 5, 2)), PICTURE, PICTURE.unit()).shape == (3, 5, 2)
    assert convert([[1, 2]], PICTURE, PICTURE).dtype == np.float64


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (PIXELS, PICTURE, r"between pixels and pixels 400x300.*call region.bind\(picture.frame\) first"),
        (PICTURE, UNIT, "'unit' is not bound to a picture; call region.bind"),
        (PIXELS, THOUSANDTHS, "is not bound to a picture"),
        (PICTURE, Frame.original(300, 400), "from pixels 400x300 to pixels 300x400: .* different pictures"),
        (PICTURE.unit(), Frame.original(300, 400).unit(), "they belong to different pictures"),
        (
            PICTURE,
            Frame.original(400, 300, label="other"),
            "to other 400x300: they belong to different pictures",
        ),
    ],
)
def test_mixing_frames_says_how_to_convert(source: Frame, target: Frame, message: str) -> None:
    with pytest.raises(FrameMismatch, match=message):
        convert([0, 0], source, target)


@pytest.mark.parametrize(
    ("frame", "bound"),
    [
        (PIXELS, PICTURE),
        (UNIT, PICTURE.unit()),
        (THOUSANDTHS, PICTURE.thousandths()),
        (PICTURE.unit(), PICTURE.unit()),
    ],
)
def test_binding(frame: Frame, bound: Frame) -> None:
    assert bind(frame, PICTURE) == bound


def test_binding_to_another_picture_is_refused() -> None:
    with pytest.raises(
        FrameMismatch, match="of the picture pixels 400x300 were given with the picture pixels 3x3"
    ):
        bind(PICTURE.unit(), Frame.original(3, 3))


def test_an_unbound_frame_has_no_size() -> None:
    with pytest.raises(
        FrameMismatch, match=r"frame unit has no size yet; bind it .* region.bind\(picture.frame\)"
    ):
        _ = UNIT.size
    with pytest.raises(FrameMismatch, match="has no size"):
        PIXELS.resized(3, 3)


@pytest.mark.parametrize("side", [0, -1, math.nan, math.inf, 1e8])
def test_sides_are_above_0_and_ordinary(side: float) -> None:
    with pytest.raises(BadRegion, match=r"a frame's sides lie between 0 and 10,000,000; got"):
        PICTURE.resized(side, 10)
    with pytest.raises(BadRegion, match=r"sides lie between"):
        PICTURE.cropped(10, 10, 10 + side, 20)


@pytest.mark.parametrize("side", ["3", 3j, [3], 10**400, 10**5000], ids=range(5))
def test_sides_and_offsets_are_numbers(side: Any) -> None:
    with pytest.raises(BadRegion, match=r"a frame's sides lie between 0 and 10,000,000; got"):
        Frame.original(side, 3)
    with pytest.raises(BadRegion, match="finite offsets"):
        PICTURE.padded(500, 500, left=side, top=0)


@pytest.mark.parametrize("scale", [(0.0, 1.0), (-1.0, 1.0), (math.nan, 1.0), (1.0, math.inf)])
def test_scales_are_finite_and_above_0(scale: tuple[float, float]) -> None:
    with pytest.raises(BadRegion, match="finite offsets and scales above 0"):
        Frame("resized", 3, 3, parent=PICTURE, scale=scale)


def test_offsets_are_finite() -> None:
    with pytest.raises(BadRegion, match="finite offsets"):
        PICTURE.padded(500, 500, left=math.nan, top=0)


def test_frames_are_named_in_messages() -> None:
    assert str(PICTURE.tile(4, 0, 0, 100, 50)) == "tile 4 100x50"
    assert str(UNIT) == "unit"
