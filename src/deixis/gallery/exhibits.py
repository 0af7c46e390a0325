"""What hangs in a gallery: questions with their answers, photo by photo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deixis.data.scene import Scene
from deixis.data.set_aside import UNSAID, SetAside
from deixis.gallery.questions import GalleryQuestion

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer


@dataclass(frozen=True)
class Exhibit:
    """A question with its answer.

    drawing: the file, beside the page, that shows this answer alone. places: the one with its phrases and
    their places, for a caption; those of other answers are on the card's photo.
    """

    question: GalleryQuestion
    answer: Answer
    verdict: str
    drawing: str
    places: str | None = None


@dataclass(frozen=True)
class Card:
    """A photo with what was asked about it. photo: the file that shows all places, of ``size``."""

    scene: Scene
    photo: str
    size: tuple[int, int]
    exhibits: tuple[Exhibit, ...]


@dataclass(frozen=True)
class Gallery:
    """What a page shows and how it came about.

    available: how many photos the split has. outside, broken: what became of boxes that stick out of their
    pictures, and of photos that can't be opened.
    """

    system: str
    weights: str
    data: str
    split: str
    seed: int
    available: int
    cards: tuple[Card, ...]
    outside: SetAside = UNSAID
    broken: SetAside = UNSAID
