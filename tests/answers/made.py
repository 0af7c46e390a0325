"""Made-up answers that several tests speak of."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from deixis.answers.grounded import Answer, Place, Span
from deixis.pictures.opening import Picture, open_picture
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box, Mask

WIDTH, HEIGHT = 160, 90


def picture(width: int = WIDTH, height: int = HEIGHT) -> Picture:
    """A picture of slowly changing colours."""
    ys, xs = np.mgrid[:height, :width]
    channels = (xs * 255 // max(width - 1, 1), ys * 255 // max(height - 1, 1), np.full_like(xs, 90))
    return open_picture(np.stack(channels, axis=2).astype(np.uint8))


FRAME = picture().frame


def disc(frame: Frame = FRAME) -> Mask:
    """A mask with a disc in the upper left."""
    width, height = frame.size
    ys, xs = np.mgrid[: round(height), : round(width)]
    return Mask.from_array(
        (xs - width / 4) ** 2 + (ys - height / 4) ** 2 < min(width, height) ** 2 / 36, frame=frame
    )


def place(*edges: float, score: float = 0.5, mask: Mask | None = None, frame: Frame = FRAME) -> Place:
    """A place in the made-up picture."""
    return Place(Box(*(edges or (10, 20, 50, 60)), frame=frame), score, mask)


def answer(**changes: Any) -> Answer:
    """An answer with a dog in two places, one of them with a mask, and a cat that is nowhere."""
    dog = Span(2, 5, "dog", (place(mask=disc(), score=0.75), place(60.5, 1, 160, 90)), False, 0.125)
    cat = Span(15, 18, "cat", (), True, 0.9)
    given: dict[str, Any] = {
        "text": "A dog, but no  cat.",
        "spans": (dog, cat),
        "pictures": (picture(),),
        "system": "made up",
        "seconds": 0.25,
    }
    return Answer(**{**given, **changes})


@st.composite
def places(draw: st.DrawFn) -> Place:
    """Any place in the made-up picture."""
    xs = sorted(draw(st.lists(st.floats(0, WIDTH), min_size=2, max_size=2, unique=True)))
    ys = sorted(draw(st.lists(st.floats(0, HEIGHT), min_size=2, max_size=2, unique=True)))
    mask = draw(st.none() | st.just(disc()))
    return Place(Box(xs[0], ys[0], xs[1], ys[1], frame=FRAME), draw(st.floats(0, 1)), mask)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """Any answer about the made-up picture."""
    text = draw(st.text(st.characters(codec="utf-8"), max_size=30))
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6, unique=True)))
    spans = []
    for start, end in zip(cuts[::2], cuts[1::2], strict=False):
        found = sorted(draw(st.lists(places(), max_size=3)), key=lambda found: -found.score)
        nowhere = not found and draw(st.booleans())
        score = draw(st.floats(0, 1) if nowhere else st.none() | st.floats(0, 1))
        spans.append(Span(start, end, text[start:end], tuple(found), nowhere, score))
    return Answer(
        text=text,
        spans=tuple(spans),
        pictures=(picture(),),
        system=draw(st.sampled_from(["pointer", "öther"])),
        seconds=draw(st.floats(0, 1e6)),
        parse_failures=tuple(draw(st.lists(st.text(max_size=5), max_size=2))),
    )
