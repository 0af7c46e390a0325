"""What is painted for a dialogue: for answers by fixed rules, in training by chance."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from deixis.data.painted.assignment import signs_of
from deixis.errors import UsageError
from deixis.painting.clean import Mark, paint_clean
from deixis.painting.colours import NAMED
from deixis.painting.draws import SeededDraws
from deixis.painting.kinds import KINDS, PAPER, Kind
from deixis.painting.painter import USUAL, Style, next_sign, paint_published, style_of
from deixis.painting.published import Look
from deixis.painting.sign import Sign
from deixis.pictures.opening import Picture
from deixis.records.dialogue import Turn
from deixis.regions.frames import same_frame
from deixis.regions.shapes import Mask, Point, Polygon, Region, Scribble
from deixis.systems.spliced.dialect import Dialect
from deixis.systems.spliced.painted.dialect import PaintedDialect

COLOUR = re.compile(rf"\b(?:{'|'.join(NAMED)})\b", re.IGNORECASE)
MOST_MARKS = 4  # of one picture in training, as many as the published data have at most in a question
EVALUATED = Look(constant=True, alpha=128)  # how published evaluation paints
Asked = tuple[str, Sequence[tuple[str, Region]]]
"""A question and its regions by name."""


@dataclass(frozen=True)
class Coat:
    """What is painted on a picture, and how."""

    style: Style
    marks: tuple[Mark, ...]

    def laid(self, picture: Picture) -> Picture:
        """Return a picture with the marks on it."""
        if self.style == "clean":
            pixels = paint_clean(picture.pixels, self.marks)
        else:
            regions, signs = [mark.region for mark in self.marks], [mark.sign for mark in self.marks]
            draws = SeededDraws(0)
            pixels = paint_published(picture.pixels, regions, signs, draws=draws, look=EVALUATED)
        return replace(picture, pixels=pixels, decoded=None)


@dataclass(frozen=True)
class Paint:
    """How regions are painted when a question is answered. kind: one for all, or None for what suits each.

    UsageError: no such style or kind.
    """

    style: Style = "published"
    kind: Kind | None = None

    def __post_init__(self) -> None:
        style_of(self.style)
        if self.kind is not None and self.kind not in KINDS:
            raise UsageError(f"no visual prompt {self.kind!r}; the kinds are {', '.join(KINDS)}")

    def signs(self, turns: Sequence[Asked], pictures: Sequence[Picture]) -> dict[Region, Sign]:
        """Return a sign for each region of a dialogue, in the order in which they come up.

        What comes up later changes none of them. A colour that a question speaks of is left out from that
        question on: "the red box" is then never what was painted.
        """
        signs: dict[Region, Sign] = {}
        spoken: set[str] = set()
        for text, regions in turns:
            spoken |= {word.lower() for word in COLOUR.findall(text)}
            for _, region in regions:
                picture = picture_of(region, pictures)
                if picture is None or region in signs:
                    continue
                kind = USUAL[type(region)] if self.kind is None else self.kind
                before = list(signs.values())
                signs[region] = next_sign(picture, region, kind, before=before, avoided=sorted(spoken))
        return signs

    def coat(self, picture: Picture, signs: Mapping[Region, Sign]) -> Coat | None:
        """Return what is painted on a picture, None for nothing."""
        marks = own_marks(picture, [Mark(region, sign) for region, sign in signs.items()])
        return Coat(self.style, tuple(marks)) if marks else None


@dataclass(frozen=True)
class TrainingPaint:
    """How regions are painted in training: kinds, colours and strokes drawn anew for every dialogue.

    The draws depend on ``seed``, the pictures' names and the words of the dialogue alone.
    """

    spells_boxes: bool = False
    seed: int = 0
    most_regions: int | None = MOST_MARKS

    def marked(
        self, turns: Sequence[Turn], pictures: Sequence[Picture]
    ) -> tuple[tuple[Picture, ...], Dialect]:
        """Return the pictures painted, and the dialect that speaks of the marks."""
        regions = list(dict.fromkeys(region for turn in turns for _, region in turn.regions))
        words = "\n".join([*(one.name for one in pictures), *(turn.question + turn.answer for turn in turns)])
        draws = SeededDraws(zlib.crc32(f"{self.seed}\n{words}".encode()))
        kinds = [kinds_for(region) for region in regions]
        signs = signs_of([own[draws.choice(len(own))] for own in kinds], draws)
        marks = [Mark(region, sign) for region, sign in zip(regions, signs, strict=True)]
        painted = []
        for picture in pictures:
            own = own_marks(picture, marks)
            if own:
                on_it, as_it = [mark.region for mark in own], [mark.sign for mark in own]
                pixels = paint_published(picture.pixels, on_it, as_it, draws=draws, look=Look())
                picture = replace(picture, pixels=pixels, decoded=None)
            painted.append(picture)
        return tuple(painted), PaintedDialect(dict(zip(regions, signs, strict=True)), self.spells_boxes)


def kinds_for(region: Region) -> tuple[Kind, ...]:
    """Return the kinds that a region can be painted as: a hand's points and strokes as what they are."""
    if isinstance(region, Point):
        return ("point",)
    if isinstance(region, Scribble):
        return ("scribble",)
    return PAPER["mask" if isinstance(region, Mask | Polygon) else "box"]


def picture_of(region: Region, pictures: Sequence[Picture]) -> Picture | None:
    """Return the picture that a region is in, if it is one of these."""
    return next((one for one in pictures if same_frame(region.frame.root, one.frame.root)), None)


def own_marks(picture: Picture, marks: Sequence[Mark]) -> list[Mark]:
    """Return the marks on a picture."""
    return [mark for mark in marks if same_frame(mark.region.frame.root, picture.frame.root)]
