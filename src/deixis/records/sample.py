"""A sample: a picture of the user's own, regions of it, and a dialogue about them."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from deixis.errors import BadPicture, BadRegion, RecordError, RegionClipped
from deixis.pictures.opening import LARGEST_PIXELS, Picture, open_picture
from deixis.pictures.padding import letterbox
from deixis.records.dialogue import Dialogue, Example, Mark, Turn
from deixis.records.markup import PlacedPhrase, write_markup
from deixis.records.record_fields import picture_path
from deixis.regions.as_objects import region_object
from deixis.regions.carrying import carried
from deixis.regions.frames import Frame
from deixis.regions.names import names_in
from deixis.regions.outside import CUT, REFUSE
from deixis.regions.shapes import Region


@dataclass(frozen=True)
class RecordTurn:
    """A question, which names regions in braces, and its answer with the phrases that have a place."""

    question: str
    answer: str
    phrases: tuple[PlacedPhrase, ...] = ()

    @property
    def asked(self) -> tuple[str, ...]:
        """The names in braces, in order, each once."""
        return tuple(dict.fromkeys(names_in(self.question)))


@dataclass(frozen=True)
class Record:
    """One picture with regions and a dialogue about it.

    picture: its name, relative to the folder of `file`. frame: "pixels", "unit" or "thousandths", in which
    all regions are given (a mask always has the picture's pixels). file, line: where the sample stands.
    outside, max_pixels: what is done with regions that stick out of the picture, and how large it may be
    (`read_records`).
    """

    picture: str
    frame: str
    regions: tuple[tuple[str, Region], ...]
    turns: tuple[RecordTurn, ...]
    file: Path = field(default=Path("records.jsonl"), compare=False)
    line: int = field(default=1, compare=False)
    outside: str = field(default=CUT, compare=False)
    max_pixels: int = field(default=LARGEST_PIXELS, compare=False)

    def wrong(self, where: str, message: str) -> RecordError:
        """The error for a mistake in one of the sample's fields."""
        return RecordError(located(self.file, self.line, where, message))

    @property
    def path(self) -> Path:
        """Where the picture lies; RecordError if its name leads out of the file's folder."""
        try:
            return picture_path(self.picture, self.file.parent)
        except RecordError as fault:
            raise self.wrong("picture", str(fault)) from fault

    def open(self) -> Picture:
        """The picture; RecordError if it is not there or not usable."""
        try:
            return open_picture(self.path, max_pixels=self.max_pixels)
        except BadPicture as fault:
            raise self.wrong("picture", str(fault)) from fault

    def bound_regions(self, original: Frame) -> dict[str, Region]:
        """The regions in the frame of the opened picture, cut at its edges; RecordError for one outside."""
        bound: dict[str, Region] = {}
        for name, region in self.regions:
            try:
                with refused_clipping() if self.outside == REFUSE else nullcontext():
                    bound[name] = region.clipped(original)
            except (BadRegion, RegionClipped) as fault:
                raise self.wrong(f"regions.{name:.80}", str(fault)) from fault
        return bound

    def sticks_out(self) -> bool:
        """Whether a region sticks out of the picture, which is opened for it."""
        original = self.open().frame
        try:
            replace(self, outside=REFUSE).bound_regions(original)
        except RecordError:
            return True
        return False

    def to_dialogue(self, frame: Frame) -> Dialogue:
        """The dialogue, regions and places in `frame`: the opened picture's, or one that was made of it."""
        whole = self.bound_regions(frame.root)
        regions = {name: carried(region, frame) for name, region in whole.items()}
        turns = []
        for turn in self.turns:
            marks = []
            for phrase in turn.phrases:
                boxes = (whole[name].bounds().clipped(frame.root).to(frame) for name in phrase.regions)
                marks.append(Mark(phrase.start, phrase.end, tuple(boxes)))
            asked = tuple((name, regions[name]) for name in turn.asked)
            turns.append(Turn(turn.question, turn.answer, tuple(marks), asked))
        return Dialogue("record", tuple(turns))

    def to_example(self, side: int | None = None) -> Example:
        """The opened picture with its dialogue; with `side`, letterboxed to a square of so many pixels."""
        picture = self.open()
        if side is not None:
            picture = letterbox(picture, side)
        return Example(f"{self.file.name}:{self.line}", (picture,), (self.to_dialogue(picture.frame),))

    def to_line(self) -> str:
        """The sample as a line of JSON, without its line end."""
        turns = [{"user": t.question, "assistant": write_markup(t.answer, t.phrases)} for t in self.turns]
        regions = {name: region_object(region) for name, region in self.regions}
        values = {"picture": self.picture, "frame": self.frame, "regions": regions, "turns": turns}
        return json.dumps(values, ensure_ascii=False)


@contextmanager
def refused_clipping() -> Iterator[None]:
    """Raise RegionClipped where a region would be cut at an edge."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RegionClipped)
        yield


def located(file: Path, line: int, where: str, message: str) -> str:
    """A message with its place in a file: line, and field where there is one."""
    return f"{file}:{line}: field {where!r} {message}" if where else f"{file}:{line}: {message}"
