"""What a teacher is asked once, and the kinds of it: what each asks, how its replies are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from deixis.data.scene import Phrase, Scene
from deixis.regions.shapes import Region

Format = Literal["regions", "grit", "groma"]


class Rejected(Exception):
    """A reply that no sample is made of; its text is the reason, for the file of rejects."""


@dataclass(frozen=True)
class Lesson:
    """One question to a teacher, about one picture.

    id: unique in its file. scene: what is known of the picture. things: ids of what is marked on it, in the
    order in which the teacher's words count them. given: what it is told besides. phrases: those that it is
    asked about, where it is asked about phrases.
    """

    id: str
    scene: Scene
    things: tuple[int, ...]
    given: str
    phrases: tuple[Phrase, ...] = ()


@dataclass(frozen=True)
class Stored:
    """A picture as files name it. scene: what is known of it, in pixels of the stored file."""

    image: str
    scene: Scene


@dataclass(frozen=True)
class Made:
    """Samples of one reply, and why parts of it gave none."""

    samples: tuple[dict[str, Any], ...]
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """A kind of lesson.

    title: what it makes, in a line. instruction: what every teacher is told. schema: of the reply, in the
    part of JSON Schema that ``schema`` knows. file: what reads its samples, ``painted.records`` ("regions"),
    ``grit.records`` or ``groma.records``. max_tokens: of a reply.
    choose: at most so many lessons about a scene, drawn from a generator; none where it has nothing to ask.
    paint: pixels (H, W, 3) with the marks of regions in their frame, in a lesson's order.
    read: the samples of a reply that fits the schema; Rejected where it keeps no rule.
    """

    name: str
    title: str
    instruction: str
    schema: Mapping[str, Any]
    file: Format
    choose: Callable[[Scene, np.random.Generator, int], list[Lesson]]
    paint: Callable[[NDArray[np.uint8], Sequence[Region]], NDArray[np.uint8]]
    read: Callable[[Lesson, Any, Stored], Made]
    max_tokens: int = 1500
