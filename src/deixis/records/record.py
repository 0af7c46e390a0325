"""Samples: a user's own dialogues, one JSON object a line; docs/data.md describes the format.

{"picture": "photo.jpg", "frame": "pixels", "regions": {"a": {"box": [12, 30, 96, 140]}},
 "turns": [{"user": "What is {a}?", "assistant": "It is [a dog](a)."}]}
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from deixis.errors import BadPicture, BadRegion, RecordError, RegionClipped, UsageError
from deixis.pictures.broken import REFUSE, BrokenPictures
from deixis.pictures.opening import Picture, open_picture
from deixis.pictures.padding import letterbox
from deixis.records.dialogue import Dialogue, Example, Mark, Turn
from deixis.records.lengths import words_in
from deixis.records.markup import PlacedPhrase, parse_markup, write_markup
from deixis.records.record_fields import (
    Report,
    check_keys,
    check_text,
    decode_line,
    numbered_lines,
    parse_regions,
    picture_path,
    shown,
)
from deixis.regions.as_objects import region_object
from deixis.regions.carrying import carried
from deixis.regions.frames import NAMED, PIXELS, Frame
from deixis.regions.names import listed, names_in, unknown_name
from deixis.regions.shapes import Point, Region, Scribble

LOG = logging.getLogger("deixis")
_, CUT, PASS_OVER = OUTSIDE = (REFUSE, "cut", "pass_over")
MOST_MISTAKES = 100  # of one line that are told


class EnoughMistakes(Exception):
    """A line has so many mistakes that the rest is not looked at."""


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
    outside: what is done with regions that stick out of the picture (`read_records`).
    """

    picture: str
    frame: str
    regions: tuple[tuple[str, Region], ...]
    turns: tuple[RecordTurn, ...]
    file: Path = field(default=Path("records.jsonl"), compare=False)
    line: int = field(default=1, compare=False)
    outside: str = field(default="cut", compare=False)

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
            return open_picture(self.path)
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


class RecordSource:
    """Training examples of samples: each picture letterboxed to `side`, regions and places carried along.

    Without `side` pictures stay as they are.
    """

    def __init__(self, records: Sequence[Record], *, side: int | None) -> None:
        if not records:
            raise RecordError("there are no samples to train from; expected at least one")
        self.records = tuple(records)
        self.side = side

    def __len__(self) -> int:
        return len(self.records)

    def example(self, index: int, rng: np.random.Generator) -> Example:
        """Return sample `index` as it is; nothing about it is drawn from `rng`."""
        return self.records[index].to_example(self.side)

    def lengths(self) -> list[int]:
        """Return how many words each sample has."""
        return [
            words_in(text for t in record.turns for text in (t.question, t.answer)) for record in self.records
        ]


@contextmanager
def refused_clipping() -> Iterator[None]:
    """Raise RegionClipped where a region would be cut at an edge."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RegionClipped)
        yield


def read_records(path: Path | str, *, broken: str = REFUSE, outside: str = CUT) -> Iterator[Record]:
    """The samples of a file, one by one; RecordError names file, line and field of the first mistake.

    broken: "pass_over" opens every picture and leaves out samples about damaged ones, logging how many
    pictures there were; else they are an error once they are needed ("refuse").
    outside: regions that stick out of their pictures are cut, with a warning, once they are needed
    ("cut"), an error then ("refuse"), or the samples that have some are left out, which opens every picture
    beforehand ("pass_over"); how many there were is logged.
    """
    file, pictures = Path(path), BrokenPictures(broken)
    if outside not in OUTSIDE:
        raise UsageError(f"outside is {outside!r}; expected one of {', '.join(OUTSIDE)}")
    read = (strictly(content, file=file, line=line) for line, content in numbered_lines(file))
    left_out = 0
    for record in pictures.sound(read, opened=Record.open, name=lambda record: record.picture):
        if outside == PASS_OVER and record.sticks_out():
            left_out += 1
        else:
            yield replace(record, outside=outside)
    pictures.report(file)
    if left_out:
        LOG.warning("%s: samples with regions that stick out, which were passed over: %d", file, left_out)


def read_record(path: Path | str, line: int) -> Record:
    """The sample on one line of a file, whatever the other lines are."""
    file, last = Path(path), 0
    for number, content in numbered_lines(file):
        if number == line:
            return strictly(content, file=file, line=line)
        last = number
    raise RecordError(f"{file} has no sample on line {line}; its last one is on line {last}")


def write_record(record: Record, path: Path | str) -> None:
    """Append a sample to a file; RecordError if it would not be read back as it is."""
    file, line = Path(path), record.to_line()
    again = strictly(line.encode("utf-8", "surrogatepass"), file=file, line=record.line, pictures=False)
    if again != record:
        raise RecordError(
            f"the sample about {record.picture!r} would be read back as another one: {line:.200}"
        )
    with file.open("a", encoding="utf-8") as stream:
        stream.write(line + "\n")


def strictly(content: bytes, *, file: Path, line: int, pictures: bool = True) -> Record:
    """The sample of a line; its first mistake is raised."""

    def report(where: str, message: str) -> NoReturn:
        raise RecordError(located(file, line, where, message))

    record = parse_record(content, file=file, line=line, report=report, pictures=pictures)
    assert record is not None
    return record


def parse_record(
    content: bytes, *, file: Path, line: int, report: Report, pictures: bool = True
) -> Record | None:
    """The sample of a line; None when a mistake was reported. `pictures`: the picture file has to exist."""
    mistakes: list[str] = []

    def wrong(where: str, message: str) -> None:
        mistakes.append(where)
        if len(mistakes) > MOST_MISTAKES:
            raise EnoughMistakes
        report(where, message)

    try:
        values = decode_line(content)
    except RecordError as fault:
        report("", str(fault))
        return None
    try:
        record = parse_fields(values, file=file, line=line, wrong=wrong, pictures=pictures)
    except EnoughMistakes:
        report("", f"has more than {MOST_MISTAKES} mistakes; the others are not looked for")
        return None
    return None if mistakes else record


def parse_fields(values: dict[str, Any], *, file: Path, line: int, wrong: Report, pictures: bool) -> Record:
    """The sample of a line's object; every mistake is reported."""
    check_keys(values, ("picture", "frame", "regions", "turns"), wrong)
    picture = check_text(values.get("picture"), "picture", wrong, expected="the file name of a picture")
    if picture:
        try:
            missing = not is_file(picture_path(picture, file.parent)) and pictures
        except RecordError as fault:
            wrong("picture", str(fault))
        else:
            if missing:
                wrong(
                    "picture", f"is {shown(picture)}; expected a picture, but {file.parent} has no such file"
                )
    frame = values.get("frame")
    if not isinstance(frame, str) or frame not in NAMED:
        wrong("frame", f"is {shown(frame)}; expected one of {', '.join(NAMED)}")
        frame = PIXELS.kind
    given = values.get("regions", {})
    regions = parse_regions(given, NAMED[frame], wrong)
    known = given if isinstance(given, dict) else {}
    turns = parse_turns(values.get("turns"), dict(regions), known, wrong)
    return Record(picture, frame, regions, turns, file, line)


def parse_turns(
    values: Any, regions: dict[str, Region], known: Collection[str], report: Report
) -> tuple[RecordTurn, ...]:
    """The turns of a sample. known: the names of all its regions, also of those with a mistake."""
    if not isinstance(values, list) or not values:
        report("turns", f'is {shown(values)}; expected a list of {{"user": "...", "assistant": "..."}}')
        return ()
    turns = []
    for index, value in enumerate(values):
        where = f"turns[{index}]"
        if not isinstance(value, dict):
            report(where, f'is {shown(value)}; expected an object {{"user": "...", "assistant": "..."}}')
            continue
        check_keys(value, ("user", "assistant"), report, within=f"{where}.")
        question = check_text(value.get("user"), f"{where}.user", report, expected="a question")
        marked = check_text(value.get("assistant"), f"{where}.assistant", report, expected="an answer")
        for name in names_in(question):
            if name not in known:
                report(f"{where}.user", unknown_name(name, known, where=""))
        try:
            answer, phrases = parse_markup(marked)
            for name in (name for phrase in phrases for name in phrase.regions):
                check_place(name, regions.get(name), known)
            turns.append(RecordTurn(question, answer, phrases))
        except RecordError as fault:
            report(f"{where}.assistant", str(fault))
    return tuple(turns)


def check_place(name: str, region: Region | None, known: Collection[str]) -> None:
    """Raise RecordError unless the region of that name has an extent, so that it can be a phrase's place."""
    if name not in known:
        names = listed(known) if known else "none, for the sample has no regions"
        raise RecordError(f"has the region ({name:.60}) as a place; expected one of {names}")
    if isinstance(region, Point | Scribble):
        kind = type(region).__name__.lower()
        raise RecordError(f"has the {kind} ({name}) as a place; expected a box, polygon or mask")


def is_file(path: Path) -> bool:
    """Whether a file is there; a name that no file can have is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def located(file: Path, line: int, where: str, message: str) -> str:
    """A message with its place in a file: line, and field where there is one."""
    return f"{file}:{line}: field {where!r} {message}" if where else f"{file}:{line}: {message}"
