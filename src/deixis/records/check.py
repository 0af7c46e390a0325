"""Checking a file of samples: every mistake in it, what is legal but hardly meant, and how much there is."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from deixis.errors import BadPicture, BadRegion, RecordError, RegionClipped
from deixis.pictures.opening import LARGEST_PIXELS, open_picture
from deixis.records.record_fields import numbered_lines
from deixis.records.record_line import MOST_MISTAKES, parse_record
from deixis.records.sample import Record
from deixis.regions.frames import Frame
from deixis.regions.names import names_in
from deixis.regions.shapes import Mask, Outline, Point, Region


@dataclass(frozen=True)
class Problem:
    """What is wrong in one field of the sample on a line; no field: the whole line."""

    line: int
    field: str
    message: str


@dataclass(frozen=True)
class RecordCounts:
    """How much a file has in its readable samples. `nowhere`: phrases for what is not in the picture."""

    records: int
    pictures: int
    turns: int
    phrases: int
    nowhere: int
    regions: dict[str, int]


def check_records(path: Path | str, *, max_pixels: int = LARGEST_PIXELS) -> list[Problem]:
    """Every problem of a file, in order of its lines: what reading refuses, and what is likely a mistake.

    The latter are regions that no turn names, braces that name no region, coordinates that stick out of the
    picture or look like another frame's. max_pixels: how large pictures may be. RecordError only where the
    file itself cannot be read.
    """
    file = Path(path)
    problems: list[Problem] = []
    frames: dict[Path, Frame | str] = {}
    found = False
    for line, content in numbered_lines(file):
        found = True

        def report(field: str, message: str, line: int = line) -> None:
            problems.append(Problem(line, field, message))

        record = parse_record(content, file=file, line=line, report=report)
        if record is not None:
            record = replace(record, max_pixels=max_pixels)
            for field, message in islice(doubts(record, frames), MOST_MISTAKES):
                report(field, message)
    if not found:
        problems.append(Problem(1, "", "the file is empty; expected one sample a line"))
    return problems


def count_records(path: Path | str) -> RecordCounts:
    """How many samples, turns, phrases and regions a file has; lines with a mistake are left out."""
    file = Path(path)
    pictures: set[str] = set()
    kinds: Counter[str] = Counter()
    records = turns = phrases = nowhere = 0
    for line, content in numbered_lines(file):
        record = parse_record(content, file=file, line=line, report=lambda field, message: None)
        if record is None:
            continue
        records += 1
        pictures.add(record.picture)
        turns += len(record.turns)
        places = [phrase.regions for turn in record.turns for phrase in turn.phrases]
        phrases += len(places)
        nowhere += places.count(())
        kinds.update(type(region).__name__.lower() for _, region in record.regions)
    return RecordCounts(records, len(pictures), turns, phrases, nowhere, dict(sorted(kinds.items())))


def doubts(record: Record, frames: dict[Path, Frame | str]) -> Iterator[tuple[str, str]]:
    """Yield (field, message) for what reading allows but training would trip over or learn wrongly.

    frames: what is known of pictures opened before, and then also of this one: its frame, or what is wrong.
    """
    used = {name for turn in record.turns for name in turn.asked}
    used |= {name for turn in record.turns for phrase in turn.phrases for name in phrase.regions}
    for name, _ in record.regions:
        if name not in used:
            yield (
                f"regions.{name:.80}",
                f"is named in no turn; expected {{{name:.80}}} in a question or ({name:.80}) as a place",
            )
    known = {name for name, _ in record.regions}
    for index, turn in enumerate(record.turns):
        for name in dict.fromkeys(names_in(turn.answer)):
            if name in known:
                message = f"has {{{name:.80}}}, which is plain text; expected [phrase]({name:.80})"
                yield f"turns[{index}].assistant", message
    if record.path not in frames:
        frames[record.path] = frame_of(record)
    frame = frames[record.path]
    if isinstance(frame, str):
        yield "picture", frame
        return
    for name, region in record.regions:
        doubt = other_frame(region, record.frame, frame) or misplaced(region, frame)
        if doubt:
            yield f"regions.{name:.80}", doubt


def frame_of(record: Record) -> Frame | str:
    """The frame of a sample's picture, or what is wrong with the picture."""
    try:
        return open_picture(record.path, max_pixels=record.max_pixels).frame
    except (BadPicture, RecordError) as fault:
        return str(fault)


def misplaced(region: Region, original: Frame) -> str | None:
    """What is wrong with where a region lies in the picture; None if nothing is."""
    if not isinstance(region, Mask) and lies_inside(region, original):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", RegionClipped)
            region.clipped(original)
    except (BadRegion, RegionClipped) as fault:
        return str(fault)
    return None


def lies_inside(region: Region, original: Frame) -> bool:
    """Whether all corners or points are in the picture, told without carrying the region there."""
    extents = {"unit": (1.0, 1.0), "thousandths": (1000.0, 1000.0)}
    width, height = extents.get(region.frame.kind, original.size)
    xs, ys = coordinates(region)
    return min(*xs, *ys) >= 0 and max(xs) <= width and max(ys) <= height


def other_frame(region: Region, kind: str, original: Frame) -> str | None:
    """A message where coordinates fit another frame than ``kind``, the one that is stated.

    >>> other_frame(Point(0.5, 0.25), "pixels", Frame.original(640, 480))
    "is (0.5, 0.25) in frame 'pixels', all in 0..1; is it frame 'unit'?"
    """
    if isinstance(region, Mask):
        return None
    xs, ys = coordinates(region)
    width, height = original.size
    highest = max(*xs, *ys)
    stated = f"is {pairs(xs, ys)} in frame {kind!r}"
    if min(*xs, *ys) < 0:
        return None
    if kind == "unit" and highest > 1:
        likely = "pixels" if max(xs) <= width and max(ys) <= height else "thousandths"
        return f"{stated}, which is 0..1; is it frame {likely!r}?"
    if kind == "thousandths" and highest > 1000 and max(xs) <= width and max(ys) <= height:
        return f"{stated}, which is 0..1000; is it frame 'pixels'?"
    if kind in ("pixels", "thousandths") and highest <= 1 and min(width, height) > 2:
        return f"{stated}, all in 0..1; is it frame 'unit'?"
    if kind == "pixels" and (max(xs) > width or max(ys) > height) and highest <= 1000:
        return f"{stated}, outside the picture of {width:g} x {height:g}; is it frame 'thousandths'?"
    return None


def coordinates(region: Region) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The x and the y values of a region's corners or points."""
    if isinstance(region, Point):
        return (region.x,), (region.y,)
    if isinstance(region, Outline):
        xs, ys = zip(*region.points, strict=True)
        return xs, ys
    box = region.bounds()
    return (box.x0, box.x1), (box.y0, box.y1)


def pairs(xs: tuple[float, ...], ys: tuple[float, ...]) -> str:
    """The first points for a message."""
    return ", ".join(f"({x:g}, {y:g})" for x, y in list(zip(xs, ys, strict=True))[:3])
