"""Painting for people, and for systems that look at what is painted."""

from __future__ import annotations

import re
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deixis
from deixis.errors import BadRegion, UsageError
from deixis.painting.clean import Mark, line_width
from deixis.painting.colours import Colour, colour_of, standing_out
from deixis.painting.kinds import KINDS, Kind
from deixis.painting.labels import room_for, shared
from deixis.painting.outlines import outlines_of
from deixis.painting.painter import choose_signs, paint
from deixis.painting.shapes import Space, form_of, reach_of
from deixis.painting.sign import Sign
from deixis.painting.silhouette import contains, insides
from deixis.pictures.opening import Picture, open_picture
from deixis.regions.raster import fill_polygon
from deixis.regions.shapes import Box, Mask, Point, Polygon, Region, Scribble

WIDE, HIGH = 160, 120
REGIONS: list[Region] = [
    Box(20, 20, 90, 70),
    Box(0, 0, WIDE, HIGH),
    Box(0, 0, 1, 1),
    Box(WIDE - 0.5, HIGH - 0.5, WIDE, HIGH),
    Point(0, HIGH),
    Point(80, 60),
    Polygon([(10, 10), (150, 15), (70, 110)]),
    Polygon([(10, 10), (10, 10), (10, 10)]),
    Scribble([(5, 5)]),
    Scribble([(5, 5), (100, 90), (158, 3)]),
    Mask.from_array(np.eye(HIGH, WIDE, dtype=bool)),
]


def grey(value: int = 128) -> Picture:
    return open_picture(np.full((HIGH, WIDE, 3), value, dtype=np.uint8))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("region", REGIONS, ids=str)
def test_every_kind_shows_every_region(kind: Kind, region: Region) -> None:
    painted = paint(grey(), region, kind=kind)
    changed = (painted.picture.pixels != 128).any(axis=2)
    assert changed.sum() >= 2 and painted.picture.frame == grey().frame


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("mask", "mask contour")])
@given(x=st.floats(-50, WIDE), y=st.floats(-50, HIGH), wide=st.floats(0.1, 300), high=st.floats(0.1, 300))
@settings(max_examples=40, deadline=None)
def test_clean_marks_stay_inside_the_picture(
    kind: Kind, x: float, y: float, wide: float, high: float
) -> None:
    form = form_of(kind, Box(x, y, x + wide, y + high), Space(WIDE, HIGH, line_width(WIDE, HIGH)))
    x0, y0, x1, y1 = reach_of(form)
    assert 0 <= x0 <= x1 <= WIDE and 0 <= y0 <= y1 <= HIGH


def test_the_tip_of_an_arrow_is_in_its_region() -> None:
    for region in (
        Box(2, 2, 30, 30),
        Box(130, 90, 158, 118),
        Mask.from_array(np.eye(HIGH, WIDE, dtype=bool)),
    ):
        tip = form_of("arrow", region, Space(WIDE, HIGH, 2)).filled[0][0]
        box = region.bounds()
        assert box.x0 <= tip[0] <= box.x1 and box.y0 <= tip[1] <= box.y1


def test_lines_scale_with_the_picture() -> None:
    def share(side: int) -> float:
        picture = open_picture(np.zeros((side, side, 3), dtype=np.uint8))
        painted = paint(picture, Box(side * 0.2, side * 0.2, side * 0.8, side * 0.8), colour="lime")
        return float((painted.picture.pixels[..., 1] > 128).mean())

    assert share(400) == pytest.approx(share(1600), rel=0.15)


def test_lines_have_soft_edges() -> None:
    painted = paint(grey(0), Polygon([(10, 10), (150, 15), (70, 110)]), colour="lime")
    assert len(np.unique(painted.picture.pixels[..., 1])) > 10


@pytest.mark.parametrize(("value", "not_chosen"), [(255, "yellow"), (0, "blue")])
def test_colours_stand_out(value: int, not_chosen: str) -> None:
    chosen = standing_out(np.full((50, 3), value, dtype=np.uint8))
    assert chosen.name not in (None, not_chosen)
    red = np.tile(np.array([[250, 5, 5]], dtype=np.uint8), (50, 1))
    assert standing_out(red).name not in ("red", "orange", "fuchsia")


def test_signs_of_one_kind_differ_and_stay_when_more_are_asked_about() -> None:
    regions = [Box(10 * n, 10, 10 * n + 9, 40) for n in range(8)]
    kinds: list[Kind] = ["rectangle"] * 8
    signs = choose_signs(grey(), regions, kinds=kinds)
    assert len({sign.colour.name for sign in signs}) == 8
    assert choose_signs(grey(), regions[:3], kinds=kinds[:3]) == signs[:3]


def test_fifty_regions() -> None:
    regions = [Box(3 * n, 10, 3 * n + 9, 40) for n in range(50)]
    painted = paint(grey(), regions, labels=True)
    assert len(painted.references) == 50
    with pytest.raises(UsageError, match="257 regions; at most 256"):
        paint(grey(), [Point(5, 5)] * 257)


def test_labels_are_beside_what_they_name() -> None:
    boxes = [(60.0, 40.0, 100.0, 80.0), (62.0, 20.0, 90.0, 39.0)]
    place = room_for((20, 12), boxes, 0, [], (WIDE, HIGH), gap=2)
    assert shared(place, boxes[0]) == shared(place, boxes[1]) == 0
    again = room_for((20, 12), boxes, 0, [place], (WIDE, HIGH), gap=2)
    assert shared(again, place) == 0
    painted = paint(grey(), [Box(40, 30, 120, 100)], kind="rectangle", labels=True)
    inside = painted.picture.pixels[40:90, 50:110]
    assert (inside == 128).all()


@pytest.mark.parametrize("kind", ["point", "arrow", "ellipse"])
def test_labels_are_beside_what_is_drawn(kind: Kind) -> None:
    region = Box(10, 10, 150, 110)
    plain, labelled = (paint(grey(), region, kind=kind, labels=on).picture.pixels for on in (False, True))
    rows, columns = np.nonzero((plain != 128).any(axis=2))
    label_rows, label_columns = np.nonzero((plain != labelled).any(axis=2))
    down = max(label_rows.min() - rows.max(), rows.min() - label_rows.max(), 0)
    right = max(label_columns.min() - columns.max(), columns.min() - label_columns.max(), 0)
    assert max(down, right) <= 8, "the label is away from the mark"
    if kind != "ellipse":  # which leaves no room beside it
        assert not ((plain != 128) & (plain != labelled)).any(), "the label is on the mark"


def test_published_style_is_drawn_from_a_seed() -> None:
    box = Box(20, 20, 90, 70)
    first, again, other = (
        paint(grey(), box, style="published", seed=seed).picture.pixels for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    opaque = paint(grey(), box, style="published", alpha=255, width=3, colour="red").picture.pixels
    assert (opaque[20, 30] == (255, 0, 0)).all()


THIN = [Polygon([(10, 10), (90, 10), (50, 10)]), Polygon([(0, 0), (160, 0), (160, 0.5), (0, 0.5)])]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("region", [*THIN, Polygon([(10, 10), (90, 90), (50, 50)])], ids=str)
def test_published_marks_of_regions_without_width_come_to_an_end(kind: Kind, region: Region) -> None:
    started = time.perf_counter()
    painted = paint(grey(), region, kind=kind, style="published", seed=1)
    assert (painted.picture.pixels != 128).any() and time.perf_counter() - started < 5


def test_masks_of_many_parts_take_linear_time() -> None:
    cells = np.zeros((600, 600), dtype=bool)
    cells[::2, ::2] = True
    started = time.perf_counter()
    assert len(outlines_of(cells)) == 90_000
    assert time.perf_counter() - started < 20


@pytest.mark.parametrize("kind", KINDS)
def test_masks_of_thousands_of_parts_are_painted_at_once(kind: Kind) -> None:
    cells = np.zeros((480, 640), dtype=bool)
    cells[2:-2:8, 2:-2:8] = cells[3:-2:8, 2:-2:8] = True
    mask = Mask.from_array(cells)
    assert len(outlines_of(cells)) == 4800
    started = time.process_time()
    painted = paint(np.zeros((480, 640, 3), dtype=np.uint8), mask, kind=kind, style="published", seed=1)
    assert painted.picture.pixels.any() and time.process_time() - started < 5


def test_many_polygons_contain_what_each_of_them_contains() -> None:
    rng = np.random.default_rng(0)
    corners = [
        [(x, y) for x, y in (rng.integers(0, 40, (n, 2)) / 2).tolist()]
        for n in rng.integers(3, 8, 40).tolist()
    ]
    inside = insides(corners)
    points = [(float(x), float(y)) for x, y in (rng.integers(0, 80, (500, 2)) / 4).tolist()]
    found = [inside(point) for point in points]
    assert found == [contains(corners, point) for point in points] and 0 < sum(found) < 500


def test_references_say_what_was_painted() -> None:
    painted = deixis.paint(grey(), {"a": Box(1, 1, 50, 50), "b": Point(80, 80)}, colour=(255, 0, 0))
    assert painted.references == {"a": "within the red rectangle", "b": "at the red point"}
    assert Sign("mask", Colour((1, 2, 3))).reference() == "with the mask"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "star"}, "no visual prompt 'star'; the kinds are rectangle, ellipse"),
        ({"kind": ["point", "arrow"]}, "2 kinds for 1 regions"),
        ({"colour": "pinkish"}, "no colour 'pinkish'; the named ones are red, lime"),
        ({"colour": (1, 2)}, "three numbers"),
        ({"colour": (1, 2, 300)}, "whole numbers from 0 to 255"),
        ({"colour": 7}, "a name or three numbers"),
        ({"style": "comic"}, "style is 'comic'; expected one of clean, published"),
        ({"alpha": 3}, "of style 'published'"),
        ({"alpha": 256, "style": "published"}, "alpha is 256; expected a whole number from 0 to 255"),
        ({"alpha": True, "style": "published"}, "alpha is True"),
        ({"width": 10**9, "style": "published"}, "width is 1000000000; expected"),
        ({"width": 0, "style": "published"}, "width is 0"),
        ({"seed": -1, "style": "published"}, "seed is -1"),
    ],
)
def test_mistakes_are_told(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        paint(grey(), Box(1, 1, 5, 5), **options)


def test_published_points_need_an_outline() -> None:
    with pytest.raises(BadRegion, match="only a box"):
        paint(grey(), Box(1, 1, 50, 50), kind="point", style="published")
    with pytest.raises(BadRegion, match="outside"):
        paint(grey(), Box(500, 500, 600, 600))


@given(cells=st.lists(st.lists(st.booleans(), min_size=7, max_size=7), min_size=1, max_size=6))
def test_outlines_enclose_the_mask(cells: list[list[bool]]) -> None:
    mask = np.array(cells)
    filled = np.zeros_like(mask)
    for outline in outlines_of(mask):
        filled |= fill_polygon(outline, mask.shape[1], mask.shape[0])
    assert (filled | ~mask).all(), "pixels of the mask lie outside of all outlines"
    assert not (filled & ~mask & ~holes(mask)).any()


def holes(mask: np.ndarray[Any, np.dtype[np.bool_]]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return the pixels outside a mask that can't be reached from the edge by sides."""
    reached = np.pad(~mask, 1, constant_values=True)
    free, seen, queue = reached, np.zeros_like(reached), [(0, 0)]
    seen[0, 0] = True
    while queue:
        y, x = queue.pop()
        for down, right in ((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)):
            if (
                0 <= down < free.shape[0]
                and 0 <= right < free.shape[1]
                and free[down, right]
                and not seen[down, right]
            ):
                seen[down, right] = True
                queue.append((down, right))
    return (~mask) & ~seen[1:-1, 1:-1]


def test_colours_of_numbers_know_their_names() -> None:
    assert colour_of([255, 0, 255]).name == "fuchsia" and colour_of((9, 9, 9)).name is None
    assert Mark(Box(0, 0, 1, 1), Sign("arrow", colour_of("red"))).sign.colour.rgb == (255, 0, 0)
