"""Ask the embedded model about real photographs: point in every way, and ask where things are.

The photographs are the ones that come with scikit-image. Run it with `make demo`; the drawn answers are
written to out/demo.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from skimage import data

import deixis
from deixis.cli.commands.ask import describe

OUT = Path("out/demo")


@dataclass(frozen=True)
class Ask:
    """One question about one of scikit-image's photographs."""

    photo: str
    question: str
    region: deixis.Point | deixis.Box | deixis.Polygon | deixis.Scribble | deixis.Mask | None = None


def disc(width: int, height: int, *, x: float, y: float, radius: float) -> deixis.Mask:
    """Return a round mask, as a segmentation tool would give one."""
    ys, xs = np.mgrid[:height, :width]
    return deixis.Mask.from_array((xs - x) ** 2 + (ys - y) ** 2 < radius**2)


QUESTIONS = (
    Ask("astronaut", "What is {it}?", deixis.Point(225, 120)),
    Ask("astronaut", "What is {it}?", deixis.Box(60, 10, 400, 505)),
    Ask("astronaut", "Describe {it}.", deixis.Polygon(((150, 20), (290, 20), (300, 190), (150, 190)))),
    Ask("astronaut", "What is {it}?", deixis.Scribble(((110, 330), (160, 380), (220, 400), (280, 380)))),
    Ask("chelsea", "What is {it}?", disc(451, 300, x=220, y=130, radius=110)),
    Ask("chelsea", "Is {it} a dog?", deixis.Box(80, 20, 430, 290)),
    Ask("coffee", "Is {it} a plate or a cup?", deixis.Box(150, 50, 480, 370)),
    Ask("astronaut", "Where is the woman?"),
    Ask("astronaut", "Where is her face?"),
    Ask("chelsea", "Where is the cat?"),
    Ask("coffee", "Find the cup."),
    Ask("astronaut", "Is there a dog?"),
    Ask("astronaut", "Describe the picture."),
)


def main() -> int:
    """Ask everything, print the answers and draw them."""
    model = deixis.load()
    OUT.mkdir(parents=True, exist_ok=True)
    for number, ask in enumerate(QUESTIONS, start=1):
        photo = getattr(data, ask.photo)()
        regions = {} if ask.region is None else {"it": ask.region}
        answer = model.ask(photo, ask.question, regions=regions)
        path = OUT / f"{number:02d}-{ask.photo}.png"
        answer.draw().save(path)
        pointed = "" if ask.region is None else f" ({type(ask.region).__name__.lower()})"
        print(f"{ask.photo}: {ask.question}{pointed}\n{describe(answer)}\n  drawn: {path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
