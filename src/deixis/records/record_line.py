"""A line of a file of samples, read: every mistake is reported with its field, or the first one is raised."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, NoReturn

from deixis.errors import RecordError
from deixis.records.markup import parse_markup
from deixis.records.record_fields import (
    Report,
    check_keys,
    check_text,
    decode_line,
    parse_regions,
    picture_path,
    shown,
)
from deixis.records.sample import Record, RecordTurn, located
from deixis.regions.frames import NAMED, PIXELS
from deixis.regions.names import listed, names_in, unknown_name
from deixis.regions.shapes import Point, Region, Scribble

MOST_MISTAKES = 100  # of one line that are told


class EnoughMistakes(Exception):
    """A line has so many mistakes that the rest is not looked at."""


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
