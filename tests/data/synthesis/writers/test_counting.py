"""What can be counted: only kinds of which all are known."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from deixis.data.scene import Caption, Phrase, PictureFile, Scene, Thing
from deixis.data.synthesis.writers.counting import countable
from deixis.regions.shapes import Box


def scene(*captions: tuple[str, tuple[int, ...]], things: int = 3, group: int = 0) -> Scene:
    return Scene(
        "1",
        PictureFile(Path("1.jpg")),
        50,
        50,
        things=tuple(Thing(n, Box(n, 0, n + 5, 5), "dog", group=n == group) for n in range(1, things + 1)),
        captions=tuple(Caption(text, (Phrase(0, len(text), text, ids),)) for text, ids in captions),
        expressions=(),
    )


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (scene(("two brown dogs", (1, 2))), {"brown dogs": (1, 2), "dogs": (1, 2)}),
        (scene(("two dogs", (1,))), {}),  # a box around both, or one that nobody drew
        (scene(("a dog", (1,))), {"dogs": (1,)}),
        (scene(("the dog", (1,))), {}),
        (scene(("a brown dog", (1,)), ("two white dogs", (2, 3))), {}),
        (scene(("two dogs", (1, 2)), ("two brown dogs", (1, 2))), {"brown dogs": (1, 2), "dogs": (1, 2)}),
        (scene(("some dogs", (1, 2))), {}),
        (scene(("two", (1, 2))), {}),
        (scene(("a dog", (1,)), group=1), {}),
        (scene(("a woman", (1,)), ("three dogs", (1, 2, 3))), {"women": (1,), "dogs": (1, 2, 3)}),
    ],
)
def test_countable(found: Scene, expected: dict[str, tuple[int, ...]]) -> None:
    assert countable(found) == expected


def test_categories_of_which_every_instance_is_boxed() -> None:
    every = dataclasses.replace(scene(), exhaustive=frozenset({"dog", "cat"}))
    assert countable(every) == {"dogs": (1, 2, 3)}
