"""Small scenes for tests that ask nobody: captions with phrases, each with a box of its own."""

from __future__ import annotations

from pathlib import Path

from deixis.data.scene import Caption, Phrase, PictureFile, Scene, Thing
from deixis.regions.shapes import Box


def captioned(name: str, *phrases: str) -> Scene:
    """A scene of 100 x 50 pixels with one caption for each phrase, which is all that the caption says."""
    return Scene(
        name,
        PictureFile(Path(f"{name}.jpg")),
        100,
        50,
        things=tuple(Thing(i, Box(i, 0, i + 9, 9), "thing") for i in range(len(phrases))),
        captions=tuple(Caption(text, (Phrase(0, len(text), text, (i,)),)) for i, text in enumerate(phrases)),
        expressions=(),
    )
