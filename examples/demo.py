"""Ask the embedded model about real photographs, and say which of its answers are right.

The photographs come with scikit-image. Run it with `make demo`; the drawn answers are written to out/demo.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from skimage import data

import deixis
from deixis.answers.as_text import describe

OUT = Path("out/demo")
ENOUGH = 0.5  # a place is right if it overlaps the right box so far (intersection over union)


@dataclass(frozen=True)
class Ask:
    """One question about one of scikit-image's photographs, and what is true.

    truth: a word that a right answer has, or the right box. The box of what is asked for, in pixels, was
    drawn by hand. note: what can be seen, for a wrong answer.
    """

    photo: str
    question: str
    truth: str | deixis.Box
    note: str
    region: deixis.Point | deixis.Box | deixis.Polygon | deixis.Scribble | deixis.Mask | None = None


def disc(width: int, height: int, *, x: float, y: float, radius: float) -> deixis.Mask:
    """Return a round mask, as a segmentation tool would give one."""
    ys, xs = np.mgrid[:height, :width]
    return deixis.Mask.from_array((xs - x) ** 2 + (ys - y) ** 2 < radius**2)


QUESTIONS = (
    Ask("coffee", "What is {it}?", "cup", "a cup of coffee", deixis.Point(300, 250)),
    Ask("coffee", "Is {it} a plate or a cup?", "cup", "a cup", deixis.Box(150, 25, 450, 345)),
    Ask("coffee", "Where is the cup?", deixis.Box(172, 18, 410, 310), "the white cup"),
    Ask("chelsea", "What is {it}?", "cat", "a cat", disc(451, 300, x=220, y=130, radius=110)),
    Ask("chelsea", "Is {it} a dog?", "No, a cat", "a cat", deixis.Box(80, 20, 430, 290)),
    Ask("chelsea", "Where is the cat?", deixis.Box(0, 2, 420, 300), "the cat fills the photo"),
    Ask("camera", "What is {it}?", "camera", "a camera", deixis.Box(237, 141, 284, 185)),
    Ask("camera", "Where is the man?", deixis.Box(5, 70, 303, 505), "the photographer"),
    Ask("camera", "Is there a dog?", "No", "there is no dog"),
    Ask(
        "motorcycle",
        "What is {it}?",
        "motorcycle",
        "a motorcycle",
        deixis.Scribble(((200, 350), (300, 300), (420, 330), (560, 360))),
    ),
    Ask("motorcycle", "Is {it} red?", "Yes", "the motorcycle is red", deixis.Box(78, 96, 673, 441)),
    Ask("astronaut", "Where is her face?", deixis.Box(178, 65, 275, 190), "her face"),
    Ask(
        "astronaut",
        "What is {it}?",
        "head",
        "a head",
        deixis.Polygon(((150, 20), (290, 20), (300, 190), (150, 190))),
    ),
    Ask("astronaut", "Where is the shuttle?", deixis.Box(355, 0, 468, 288), "a model of one, on the right"),
)


def photograph(name: str) -> np.ndarray:
    """Return one of scikit-image's photographs as an array, grey (H, W) or colour (H, W, 3)."""
    if name == "motorcycle":
        return np.asarray(data.stereo_motorcycle()[0])
    return np.asarray(getattr(data, name)())


def is_right(answer: deixis.Answer, truth: str | deixis.Box) -> bool:
    """Tell whether an answer has the right word, or its best place is the right one."""
    if isinstance(truth, str):
        return truth.lower() in answer.text.lower()
    places = [place for span in answer.spans for place in span.places]
    if not places:
        return False
    best = max(places, key=lambda place: place.score).box
    return overlap(best.as_tuple(), truth.as_tuple()) >= ENOUGH


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Return the intersection over union of two boxes x0, y0, x1, y1 of the same picture."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0) * max(height, 0)
    both = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return shared / (both - shared)


def main() -> int:
    """Ask everything, print the answers with a verdict each, and draw them."""
    model = deixis.load()
    OUT.mkdir(parents=True, exist_ok=True)
    right = 0
    for number, ask in enumerate(QUESTIONS, start=1):
        regions = {} if ask.region is None else {"it": ask.region}
        answer = model.ask(photograph(ask.photo), ask.question, regions=regions)
        path = OUT / f"{number:02d}-{ask.photo}.png"
        answer.draw().save(path)
        good = is_right(answer, ask.truth)
        right += good
        pointed = "" if ask.region is None else f" ({type(ask.region).__name__.lower()})"
        print(f"{ask.photo}: {ask.question}{pointed}\n{describe(answer)}")
        print(f"  {'right' if good else f'wrong: {ask.note}'}\n  drawn: {path}\n")
    print(f"{right} of {len(QUESTIONS)} answers are right.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
