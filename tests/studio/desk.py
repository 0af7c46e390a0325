"""The page as somebody sits before it: pictures are opened, regions drawn, questions asked."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from tests.studio.browser import Served

Point = tuple[float, float]
SIZE = {"width": 1200, "height": 800}


class Desk:
    """A page in a browser. problems: what its console said, and whom else it asked."""

    def __init__(self, browser: Any, served: Served, *, lenient: bool = False, **context: Any) -> None:
        self.served = served
        self.context = browser.new_context(**{"viewport": SIZE, **context})
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda fault: self.problems.append(f"page: {fault}"))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.begin(lenient=lenient)

    def begin(self, *, lenient: bool = False) -> None:
        """Load the page. lenient: its console may say what it likes, as it does of requests that fail."""
        self.problems: list[str] = []
        self.asked: list[str] = []
        self.lenient = lenient
        self.page.goto(self.served.address)
        self.page.wait_for_selector("#model option", state="attached")

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning") and not self.lenient:
            self.problems.append(f"{message.type}: {message.text}")

    def close(self) -> None:
        """Close the page, after it was checked."""
        self.context.close()
        self.check()

    def check(self) -> None:
        """Raise AssertionError if anything was wrong with the page."""
        own = f"http://127.0.0.1:{self.served.port}/"
        foreign = [url for url in self.asked if not url.startswith((own, "blob:" + own[:-1]))]
        assert not self.problems, self.problems
        assert not foreign, foreign

    def open(self, content: bytes, name: str = "picture.png", kind: str = "image/png") -> None:
        """Give the page a file, and wait until its picture is on the stage."""
        self.page.set_input_files("#picker", [{"name": name, "mimeType": kind, "buffer": content}])
        self.page.wait_for_function(
            "name => document.querySelector('#title').textContent.includes(name)", arg=name
        )
        self.page.evaluate("document.querySelector('#photo').decode()")
        self.settle()

    def sample(self, number: int = 0) -> None:
        """Open one of the samples."""
        self.page.click(f".sample >> nth={number}")
        self.page.wait_for_selector("#strip .thumb")
        self.page.evaluate("document.querySelector('#photo').decode()")
        self.settle()

    def settle(self) -> None:
        """Wait for two frames: what was asked to be painted is."""
        self.page.evaluate("() => new Promise(f => requestAnimationFrame(() => requestAnimationFrame(f)))")

    def zoom(self, percent: int) -> None:
        """Zoom by keys, as shown in percent."""
        self.page.focus("#stage")
        self.page.keyboard.press("1")
        for key in {50: "--", 100: "", 200: "2"}[percent]:
            self.page.keyboard.press(key)
        assert self.page.inner_text("#zoom") == f"{percent} %"

    def at(self, point: Point) -> Point:
        """Return where a place of the picture is in the window."""
        scale, x, y = map(float, str(self.page.get_attribute("#stage", "data-view")).split())
        corner = self.page.locator("#stage").bounding_box()
        return corner["x"] + x + point[0] * scale, corner["y"] + y + point[1] * scale

    def tool(self, name: str) -> None:
        """Choose a tool."""
        self.page.click(f"button[data-tool={name}]")

    def drag(self, points: Sequence[Point], *, steps: int = 3) -> None:
        """Draw with the mouse along places of the picture."""
        self.page.mouse.move(*self.at(points[0]))
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*self.at(point), steps=steps)
        self.page.mouse.up()

    def click(self, point: Point) -> None:
        """Click a place of the picture."""
        self.page.mouse.click(*self.at(point))

    def touch(self, *fingers: Sequence[Point]) -> None:
        """Draw with fingers along places of the picture, all at the same time."""
        client = self.context.new_cdp_session(self.page)

        def send(kind: str, number: int | None) -> None:
            own = [] if number is None else [self.at(finger[number]) for finger in fingers]
            points = [{"x": x, "y": y, "id": which} for which, (x, y) in enumerate(own)]
            client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        places = [[self.at(point) for point in finger] for finger in fingers]
        for number in range(len(fingers[0])):
            points = [{"x": p[number][0], "y": p[number][1], "id": which} for which, p in enumerate(places)]
            kind = "touchMove" if number else "touchStart"
            client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        client.detach()

    def ask(self, question: str = "") -> None:
        """Type a question, or leave what is there, and send it."""
        self.page.focus("#question")
        if question:
            self.page.keyboard.press("ControlOrMeta+a")
            self.page.keyboard.type(question)
        self.page.keyboard.press("Enter")

    def answered(self, count: int = 1) -> None:
        """Wait until so many answers are there as a whole."""
        self.page.wait_for_function("n => document.querySelectorAll('.slot.done').length >= n", arg=count)
        self.settle()

    def labels(self) -> list[str]:
        """Return what the chips of the regions say of them."""
        return [one.get_attribute("aria-label") for one in self.page.query_selector_all("#regions .chip")]

    def pixel(self, point: Point) -> tuple[int, int, int]:
        """Return the colour on the screen at a place of the picture."""
        x, y = self.at(point)
        shot = self.page.screenshot(clip={"x": int(x), "y": int(y), "width": 1, "height": 1})
        red, green, blue = np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"))[0, 0].tolist()
        return red, green, blue


def picture(width: int = 320, height: int = 240, *, orientation: int = 1, form: str = "PNG") -> bytes:
    """Return an encoded picture of a grid. orientation: of EXIF; the size is that before turning."""
    ys, xs = np.mgrid[:height, :width]
    pixels = np.stack([xs * 255 // width, ys * 255 // height, (xs // 16 + ys // 16) % 2 * 120], -1)
    image = Image.fromarray(pixels.astype(np.uint8))
    exif = image.getexif()
    exif[0x0112] = orientation
    packed = io.BytesIO()
    image.save(packed, form, exif=exif, quality=95)
    return packed.getvalue()
