"""One source of a recipe: a dataset, or a file of samples, and how it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from deixis.data.groma.records import READERS as GROMA_KINDS
from deixis.data.instructions.caption_filter import CaptionFilter
from deixis.errors import RecipeError
from deixis.training.recipes.ranges import MOST, check_numbers

KINDS = ("samples", "grit", "painted", "instructions", "captions", "groma", "dense", "detection")
MOST_OFTEN = 1000.0
MOST_PIXELS = 1 << 40  # far more than any format holds


@dataclass(frozen=True)
class SourceChoice:
    """A dataset below the ``--data`` folder. Its last ``hold_out`` pictures are never trained on.

    With ``samples`` it is a file of samples in that folder (docs/data.md), with ``grit`` one in the format of
    Ferret's training data (docs/grit.md), with ``painted`` one of region instructions in that of ViP-LLaVA's
    (docs/vip_llava.md), with ``instructions`` one of dialogues about whole pictures in that of LLaVA's, with
    ``captions`` a table of captions like PixelProse's (docs/instructions.md), whose pictures lie in
    ``images``; there are no splits then. The last two may name several files by ``*``. ``groma`` is a file of
    Groma's training data (docs/groma_data.md); its kind says which, ratio how much of it is taken. dense:
    all things of a picture in one question (Ferret-v2's second stage) instead of drawn dialogues.
    multiplier: how often the source comes up beside the others. ``grit``, ``dense`` and multipliers are for
    systems that spell boxes as text. detection: the labelled boxes of the pictures and no dialogues, for
    systems that learn to find things before they learn to speak.
    published_quirks: of ``painted`` and ``instructions``: dialogues as the released code builds them, some
    without their picture. faulty: what is done with rows of ``instructions`` and ``captions`` that no sample
    can be made of. caption_filter: what their answers have to be like, null for anything.
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
    instructions: str | None = None
    captions: str | None = None
    groma: str | None = None
    kind: str | None = None
    ratio: float = 1.0
    faulty: Literal["refuse", "pass_over"] = "refuse"
    caption_filter: CaptionFilter | None = None
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
        kinds = [name for name in KINDS if getattr(self, name)]
        if len(kinds) > 1:
            raise RecipeError(f"source {self.folder!r} is {' and '.join(kinds)}; make a source of each")
        listed = self.file
        self.check_groma()
        if not (self.painted or self.instructions or self.groma) and self.published_quirks:
            raise RecipeError(
                f"source {self.folder!r} has published_quirks without painted; leave it out, or name the "
                "file of region instructions"
            )
        rows = self.instructions or self.captions
        if rows is None and (self.faulty != "refuse" or self.caption_filter is not None):
            raise RecipeError(
                f"source {self.folder!r} has faulty or caption_filter, which are for rows of instructions "
                "and captions; leave them out, or name such a file"
            )
        if rows is not None and (self.outside is not None or self.broken != "refuse"):
            raise RecipeError(
                f"source {self.folder!r} has outside or broken, but {rows!r} has no boxes, and too many "
                "pictures to open all beforehand; leave them out"
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

    def check_groma(self) -> None:
        """Raise RecipeError unless a file of Groma's data says its kind, and only that."""
        if (self.groma is None) != (self.kind is None) or (self.groma is None and self.ratio != 1):
            raise RecipeError(
                f"source {self.folder!r} has kind {self.kind!r} and ratio {self.ratio:g}; both are for "
                f"groma, which needs a kind: one of {', '.join(GROMA_KINDS)}"
            )
        if self.kind is not None and self.kind not in GROMA_KINDS:
            raise RecipeError(
                f"source {self.folder!r} has kind {self.kind!r:.60}; expected one of {', '.join(GROMA_KINDS)}"
            )
        if self.groma is not None and (self.outside is not None or self.broken != "refuse"):
            raise RecipeError(
                f"source {self.folder!r} has groma and outside or broken; leave those out: its boxes are cut "
                "at the edge"
            )
        if not 0 < self.ratio <= 1:
            raise RecipeError(f"source {self.folder!r} has ratio {self.ratio}; expected above 0, up to 1")

    @property
    def what(self) -> str:
        """The source in a few words, for messages."""
        return f"{self.folder}/{self.file or self.split}"

    @property
    def file(self) -> str | None:
        """The file that it is, or the files; None for a dataset."""
        rows = self.instructions or self.captions
        return self.samples or self.grit or self.painted or rows or self.groma
