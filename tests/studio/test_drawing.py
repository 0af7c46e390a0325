"""Each kind of region, drawn by mouse and by touch, in exact pixels of the upright picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from deixis.regions.shapes import Mask
from tests.studio.browser import Served
from tests.studio.desk import Desk, Point, picture
from tests.studio.scripted_server import Script

LINE: list[Point] = [(40, 50), (100, 50), (100, 120)]
EXPECTED: dict[str, Any] = {
    "point": [60.5, 70.5],
    "box": [40, 50, 160, 130],
    "polygon": [[40, 50], [160, 60], [120, 140]],
}
Open = Callable[..., Desk]


def draw(desk: Desk, kind: str, *, touch: bool) -> None:
    """Draw a region of a kind where EXPECTED has it."""
    desk.page.focus("#stage")
    desk.page.keyboard.press("Escape")  # nothing is selected: no handle is in the way
    desk.tool("brush" if kind == "mask" else kind)
    drag = desk.touch if touch else desk.drag
    if kind == "point":
        desk.touch([(60, 70)]) if touch else desk.click((60, 70))
    elif kind == "box":
        drag([(40, 50), (90, 90), (160, 130)])
    elif kind == "polygon":
        for corner in [*EXPECTED["polygon"], EXPECTED["polygon"][0]]:
            desk.touch([corner]) if touch else desk.click(corner)
    else:
        drag([(40, 50), (60, 50), (80, 50), (100, 50), (100, 70), (100, 95), (100, 120)])


def regions_asked(desk: Desk, script: Script, names: str) -> list[dict[str, Any]]:
    """Ask about regions, and return what was sent for them."""
    before = len(script.bodies)
    desk.ask("".join(f"{{{name}}}" for name in names) + "?")
    desk.answered(before + 1)
    content = script.bodies[-1]["messages"][-1]["content"]
    regions = [part["region"] for part in content if part["type"] == "region"]
    assert [region.pop("name") for region in regions] == list(names)
    return regions


def check(region: dict[str, Any], kind: str, *, zoom: float = 1.0) -> None:
    ((found, data),) = region.items()
    assert found == kind
    if kind in EXPECTED:
        assert data == EXPECTED[kind]
    elif kind == "scribble":
        assert data[0] == [40, 50] and data[-1] == [100, 120] and len(data) > 5
        assert all(abs(y - 50) <= 1 / zoom or abs(x - 100) <= 1 / zoom for x, y in data)
    else:
        check_mask(data, radius=16 / zoom, slack=0.75 / zoom)


def check_mask(data: dict[str, Any], *, radius: float, slack: float) -> None:
    """Check that just those pixels are set whose middles are within the radius of the brushed line.

    slack: how far the line may be from where the hand was told to go, a pixel of the screen at most.
    """
    bits = Mask.from_coco(data).rasterise()
    ys, xs = np.mgrid[: bits.shape[0], : bits.shape[1]] + 0.5
    across = np.hypot(xs - xs.clip(40, 100), ys - 50)
    down = np.hypot(xs - 100, ys - ys.clip(50, 120))
    far = np.minimum(across, down)
    assert bits[far < radius - slack].all() and not bits[far > radius + slack].any()


@pytest.mark.parametrize("touch", [False, True], ids=["mouse", "touch"])
def test_every_kind_is_drawn_in_exact_pixels(
    scripted: Served, script: Script, open_desk: Open, touch: bool
) -> None:
    script.phrase = ""
    desk = open_desk(scripted, has_touch=touch)
    desk.open(picture())
    desk.zoom(100)
    kinds = ("scribble", "mask", "polygon", "box", "point")
    for kind in kinds:
        draw(desk, kind, touch=touch)
    for region, kind in zip(regions_asked(desk, script, "abcde"), kinds, strict=True):
        check(region, kind)


@pytest.mark.parametrize("zoom", [50, 200])
def test_zooming_leaves_pixels_exact(scripted: Served, script: Script, open_desk: Open, zoom: int) -> None:
    script.phrase = ""
    desk = open_desk(scripted)
    desk.open(picture())
    desk.zoom(zoom)
    kinds = ("scribble", "mask", "polygon", "box", "point")
    for kind in kinds:
        draw(desk, kind, touch=False)
    for region, kind in zip(regions_asked(desk, script, "abcde"), kinds, strict=True):
        check(region, kind, zoom=zoom / 100)


@pytest.mark.parametrize("orientation", [3, 6])
def test_a_turned_photo_is_drawn_on_upright(
    scripted: Served, script: Script, open_desk: Open, orientation: int
) -> None:
    script.phrase = ""
    size = (320, 240) if orientation == 3 else (240, 320)
    desk = open_desk(scripted)
    desk.open(picture(*size, orientation=orientation, form="JPEG"), "turned.jpg", "image/jpeg")
    assert "320 × 240" in desk.page.inner_text("#title")
    desk.zoom(100)
    draw(desk, "box", touch=False)
    assert regions_asked(desk, script, "a") == [{"box": EXPECTED["box"]}]
    (kept,) = script.pictures.values()
    for x, y in ((20, 20), (300, 20), (20, 220), (200, 130)):
        shown = desk.pixel((x, y))
        assert np.abs(np.subtract(shown, kept.pixels[y, x].astype(int))).max() < 40, (x, y)


TWELVE_MEGAPIXELS = pytest.param(4000, 3000, marks=pytest.mark.slow)


@pytest.mark.parametrize(("width", "height"), [TWELVE_MEGAPIXELS, (40, 3000), (3, 2)])
def test_large_narrow_and_tiny_pictures(
    scripted: Served, script: Script, open_desk: Open, width: int, height: int
) -> None:
    script.phrase = ""
    desk = open_desk(scripted)
    desk.open(picture(width, height, form="JPEG"), "odd.jpg", "image/jpeg")
    x0, y0, x1, y1 = (
        round(side * part) for side, part in ((width, 0.1), (height, 0.25), (width, 0.9), (height, 0.5))
    )
    desk.drag([(x0, y0), (x1, y1)])
    (box,) = regions_asked(desk, script, "a")[0].values()
    scale = float(str(desk.page.get_attribute("#stage", "data-view")).split()[0])
    assert np.abs(np.subtract(box, (x0, y0, x1, y1))).max() <= max(1 / scale, 0)


def test_what_is_transparent_lies_over_white(scripted: Served, open_desk: Open) -> None:
    import io

    from PIL import Image

    packed = io.BytesIO()
    Image.new("RGBA", (200, 100), (0, 0, 0, 0)).save(packed, "PNG")
    desk = open_desk(scripted)
    desk.open(packed.getvalue())
    assert desk.pixel((100, 50)) == (255, 255, 255)


def test_a_format_that_no_browser_shows_is_shown_as_the_server_sees_it(
    scripted: Served, open_desk: Open
) -> None:
    desk = open_desk(scripted)
    desk.open(picture(form="TIFF"), "scan.tif", "image/tiff")
    assert desk.pixel((300, 20))[0] > 200


def test_regions_are_moved_and_resized_and_it_is_undone(scripted: Served, open_desk: Open) -> None:
    desk = open_desk(scripted)
    desk.open(picture())
    desk.zoom(100)
    draw(desk, "box", touch=False)
    desk.drag([(160, 130), (170, 140)])
    assert desk.labels() == ["Region a: box, from 40, 50 to 170, 140"]
    desk.tool("select")
    desk.drag([(100, 100), (110, 95)])
    assert desk.labels() == ["Region a: box, from 50, 45 to 180, 135"]
    desk.page.focus("#stage")
    desk.page.keyboard.press("ArrowRight")
    desk.page.keyboard.press("Alt+Shift+ArrowDown")
    assert desk.labels() == ["Region a: box, from 51, 45 to 181, 145"]
    for _ in range(3):
        desk.page.keyboard.press("Control+z")
    assert desk.labels() == ["Region a: box, from 40, 50 to 170, 140"]
    desk.page.keyboard.press("Control+Shift+z")
    assert desk.labels() == ["Region a: box, from 50, 45 to 180, 135"]
    desk.page.mouse.move(*desk.at((100, 100)))
    desk.page.mouse.down()
    desk.page.mouse.move(*desk.at((150, 130)))
    desk.page.keyboard.press("Escape")
    desk.page.mouse.up()
    assert desk.labels() == ["Region a: box, from 50, 45 to 180, 135"], "given up before it was let go"


def test_masks_are_erased_moved_and_scaled(scripted: Served, script: Script, open_desk: Open) -> None:
    script.phrase = ""
    desk = open_desk(scripted)
    desk.open(picture())
    desk.zoom(100)
    draw(desk, "mask", touch=False)
    assert desk.labels() == ["Region a: mask, from 24, 34 to 116, 136"]
    (before,) = (Mask.from_coco(one["mask"]).rasterise() for one in regions_asked(desk, script, "a"))
    desk.tool("select")
    desk.drag([(60, 50), (70, 45)])
    assert desk.labels() == ["Region a: mask, from 34, 29 to 126, 131"]
    (moved,) = (Mask.from_coco(one["mask"]).rasterise() for one in regions_asked(desk, script, "a"))
    assert (moved == np.roll(before, (-5, 10), (0, 1))).all()
    desk.drag([(126, 131), (218, 233)])
    assert desk.labels() == ["Region a: mask, from 34, 29 to 218, 233"]
    (scaled,) = (Mask.from_coco(one["mask"]).rasterise() for one in regions_asked(desk, script, "a"))
    assert (scaled[29:233, 34:218] == moved[29:131, 34:126].repeat(2, 0).repeat(2, 1)).all()
    assert scaled.sum() == 4 * moved.sum()
    desk.page.focus("#stage")
    desk.page.keyboard.press("Control+z")
    assert desk.labels() == ["Region a: mask, from 34, 29 to 126, 131"]
    desk.tool("erase")
    desk.drag([(30, 45), (70, 45)])
    assert not desk.labels()[0].startswith("Region a: mask, from 34, 29")
    desk.page.keyboard.press("Delete")
    assert desk.labels() == []


def test_two_fingers_zoom_and_draw_nothing(scripted: Served, open_desk: Open) -> None:
    desk = open_desk(scripted, has_touch=True)
    desk.open(picture())
    before = float(str(desk.page.get_attribute("#stage", "data-view")).split()[0])
    desk.touch([(100, 100), (80, 100), (60, 100)], [(200, 100), (220, 100), (240, 100)])
    after = float(str(desk.page.get_attribute("#stage", "data-view")).split()[0])
    assert after > 1.5 * before
    assert desk.labels() == []
