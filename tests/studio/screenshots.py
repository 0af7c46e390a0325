"""The pictures of the documentation, taken from the page: ``python -m tests.studio.screenshots [FOLDER]``.

It asks the embedded model; Debian's package fonts-inter has the letters they are shown in.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from deixis.pictures.opening import open_picture
from deixis.serving.asked import Asked
from deixis.serving.engine import Engine
from deixis.serving.models import Models
from deixis.studio.application import create_studio
from tests.studio.browser import Served, launched
from tests.studio.desk import Desk, picture

FOLDER = Path(__file__).parents[2] / "docs" / "images"
DESKTOP = {"viewport": {"width": 1180, "height": 720}}
PHONE = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}
COLOURS = 256


def talked(desk: Desk) -> None:
    """A cup is asked for, pointed at, and a dog missed."""
    desk.sample()
    desk.ask()
    desk.answered(1)
    desk.tool("polygon")
    corners = [(172, 40), (290, 18), (410, 60), (395, 190), (330, 245), (230, 240), (178, 160)]
    for corner in [*corners, corners[0]]:
        desk.click(corner)
    desk.ask()
    desk.answered(2)
    desk.tool("point")
    desk.click((352, 285))
    desk.page.click("#forget")
    desk.ask("Is there a dog?")
    desk.answered(3)
    desk.page.focus("#stage")
    desk.page.keyboard.press("Escape")
    desk.page.keyboard.press("/")
    desk.page.keyboard.type("Is {b")
    desk.page.hover(".turn >> nth=0 >> .phrase")


def looked(desk: Desk) -> None:
    """Where it looked for a cup."""
    desk.sample()
    desk.ask()
    desk.answered()
    desk.page.click("text=Why there?")
    desk.page.wait_for_selector("#why:not([hidden])")
    desk.page.mouse.move(5, 5)


def on_a_phone(desk: Desk) -> None:
    """A cat is pointed at and asked for."""
    desk.sample(1)
    desk.tool("scribble")
    desk.touch([(120, 60), (150, 100), (220, 130), (300, 120), (340, 170)])
    desk.ask()
    desk.answered()
    desk.ask("Where is the cat?")
    desk.answered(2)
    desk.page.evaluate("document.activeElement.blur()")


def corrected(desk: Desk) -> None:
    """A box is being dragged right."""
    desk.sample()
    desk.ask()
    desk.answered()
    desk.page.click("text=Correct")
    desk.page.evaluate("scrollTo(0, 0)")


SHOTS: Mapping[str, tuple[Callable[[Desk], None], dict[str, Any]]] = {
    "studio-desktop.png": (talked, DESKTOP | {"color_scheme": "light"}),
    "studio-why.png": (looked, DESKTOP | {"color_scheme": "dark"}),
    "studio-phone.png": (on_a_phone, PHONE | {"color_scheme": "light"}),
    "studio-correct.png": (corrected, PHONE | {"color_scheme": "dark"}),
}


def main(folder: Path = FOLDER) -> int:
    """Write the pictures and print their names."""
    with Engine(Models({"pointer": "pointer"}, device="cpu")) as engine, launched() as browser:
        engine.ask(Asked(None, (open_picture(picture()),), "What is there?"))  # loaded
        served = Served(create_studio(engine))
        for name, (act, context) in SHOTS.items():
            desk = Desk(browser, served, reduced_motion="reduce", **context)
            act(desk)
            desk.page.wait_for_timeout(400)
            shot = Image.open(io.BytesIO(desk.page.screenshot())).convert("RGB")
            small = shot.quantize(palette=shot.quantize(COLOURS), dither=Image.Dither.FLOYDSTEINBERG)
            small.save(folder / name, optimize=True)
            print(folder / name, f"{(folder / name).stat().st_size:,} bytes")
            desk.close()
        served.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
