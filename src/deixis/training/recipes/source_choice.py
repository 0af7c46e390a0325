"""One source of a recipe: a dataset, or a file of samples, and how it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from deixis.errors import RecipeError
from deixis.training.recipes.ranges import MOST, check_numbers

MOST_OFTEN = 1000.0
MOST_PIXELS = 1 << 40  # far more than any format holds


@dataclass(frozen=True)
class SourceChoice:
    """A dataset below the ``--data`` folder. Its last ``hold_out`` pictures are never trained on.

    With ``samples`` it is a file of samples in that folder (docs/data.md), with ``grit`` one in the format of
    Ferret's training data (docs/grit.md), with ``painted`` one of region instructions in that of ViP-LLaVA's
    (docs/vip_llava.md), whose pictures lie in ``images``; there are no splits then. dense:
    all things of a picture in one question (Ferret-v2's second stage) instead of drawn dialogues.
    multiplier: how often the source comes up beside the others. ``grit``, ``dense`` and multipliers are for
    systems that spell boxes as text. detection: the labelled boxes of the pictures and no dialogues, for
    systems that learn to find things before they learn to speak.
    published_quirks: of ``painted``: dialogues as the released code builds them, some without their picture.
    outside: what is done with boxes that stick out of their pictures, null for the reader's own rule; marks
    of ``painted`` are always cut.
    broken: what is done with pictures that can't be opened; "pass_over" opens all of them beforehand.
    max_pixels: how large pictures may be that are opened, null for what ``open_picture`` takes; larger ones
    are broken.
    licence: under what terms the data may be used; it is named in the card of the trained model.
    """

    ALIASES: ClassVar[Mapping[str, str]] = {"records": "samples"}

    folder: str = "."
    split: str = "train"
    hold_out: int = 0
    samples: str | None = None
    grit: str | None = None
    painted: str | None = None
    published_quirks: bool = False
    images: str = "images"
    dense: bool = False
    multiplier: float = 1.0
    detection: bool = False
    outside: Literal["refuse", "cut", "pass_over"] | None = None
    broken: Literal["refuse", "pass_over"] = "refuse"
    max_pixels: int | None = None
    licence: str | None = None

    def __post_init__(self) -> None:
        kinds = [name for name in ("samples", "grit", "painted", "dense", "detection") if getattr(self, name)]
        if len(kinds) > 1:
            raise RecipeError(f"source {self.folder!r} is {' and '.join(kinds)}; make a source of each")
        listed = self.samples or self.grit or self.painted
        if self.painted is None and self.published_quirks:
            raise RecipeError(
                f"source {self.folder!r} has published_quirks without painted; leave it out, or name the "
                "file of region instructions"
            )
        if self.painted is not None and self.outside is not None:
            raise RecipeError(
                f"source {self.folder!r} has painted and outside; leave outside out: marks are cut at the "
                "edge"
            )
        if not 0 <= self.hold_out <= MOST or (self.hold_out and listed):
            raise RecipeError(
                f"source {self.folder!r} has hold_out {self.hold_out}; expected a number of pictures of a "
                "dataset, 0 for a file of samples"
            )
        bounds = {"multiplier": (0, MOST_OFTEN), "max_pixels": (1, MOST_PIXELS)}
        check_numbers(self, bounds, what=f"source {self.folder!r}")

    @property
    def what(self) -> str:
        """The source in a few words, for messages."""
        return f"{self.folder}/{self.samples or self.grit or self.painted or self.split}"
