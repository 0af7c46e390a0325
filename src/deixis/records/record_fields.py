"""The fields of a record, from JSON and to it; every mistake is reported with the name of its field.

A report is a function of (field, message): reading raises at the first, checking collects them all.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from deixis.errors import BadRegion, RecordError
from deixis.files.json_files import LARGEST_LINE, below, ordinary_file
from deixis.regions.frames import Frame
from deixis.regions.names import REGION_NAME
from deixis.regions.shapes import Box, Mask, Point, Polygon, Region, Scribble

Report = Callable[[str, str], None]
KINDS = ("box", "point", "polygon", "scribble", "mask")


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers from 1; one that is too long arrives cut."""
    ordinary_file(path)
    try:
        with path.open("rb") as stream:
            number = 0
            while line := stream.readline(LARGEST_LINE + 1):
                number += 1
                rest = line
                while len(rest) > LARGEST_LINE and not rest.endswith(b"\n"):
                    rest = stream.readline(LARGEST_LINE + 1)
                if line.strip():
                    yield number, line
    except OSError as fault:
        raise RecordError(f"{path} cannot be read: {fault.strerror or fault}") from fault


def decode_line(line: bytes) -> dict[str, Any]:
    """The JSON object of a line; RecordError for anything else, also for a key that is given twice."""
    if len(line) > LARGEST_LINE:
        raise RecordError(f"is over {LARGEST_LINE:,} bytes; expected one object a line")
    try:
        value = json.loads(line, object_pairs_hook=_object)
    except (ValueError, RecursionError) as fault:
        raise RecordError(f"is not valid JSON ({fault}); expected one object a line") from fault
    if not isinstance(value, dict):
        raise RecordError(f"is a JSON {type(value).__name__}; expected one object a line")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"key {next(n for n in names if names.count(n) > 1)!r} is given twice")
    return found


def check_keys(values: dict[str, Any], legal: Collection[str], report: Report, *, within: str = "") -> None:
    """Report every key that does not exist, with the nearest that does."""
    for key in values:
        if key not in legal:
            near = difflib.get_close_matches(key, legal, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            report(f"{within}{key}", f"is no field of a record; {hint}expected {', '.join(legal)}")


def check_text(value: Any, field: str, report: Report, *, expected: str) -> str:
    """The value if it is a text with words in it; else a report and the empty text."""
    if not isinstance(value, str) or not value.strip():
        report(field, f"is {shown(value)}; expected {expected}")
        return ""
    # JSON can spell halves of characters, which no file can hold.
    if any("\ud800" <= character <= "\udfff" for character in value):
        report(field, f"is {shown(value)}, with half a character in it; expected {expected}")
        return ""
    return value


def picture_path(name: str, folder: Path) -> Path:
    """Where the picture of that name lies; RecordError if it is not in `folder`, be it through a link."""
    try:
        path = below(folder, name, where="record")
        inside = path.resolve().is_relative_to(folder.resolve())
    except (RecordError, OSError, RuntimeError):  # RuntimeError: links in a circle
        inside = False
    if not inside:
        raise RecordError(
            f"is {shown(name)}, which leads out of {folder}; expected a name relative to the record file's "
            "folder. Put the record file beside or above its pictures"
        )
    return path


def parse_regions(values: Any, frame: Frame, report: Report) -> tuple[tuple[str, Region], ...]:
    """The regions of a record by name; those with a mistake are reported and left out."""
    if not isinstance(values, dict):
        report("regions", f'is {shown(values)}; expected an object {{"a": {{"box": [x0, y0, x1, y1]}}, ...}}')
        return ()
    regions = []
    for name, value in values.items():
        if REGION_NAME.fullmatch(name) is None:
            report(f"regions.{name}", "has a name that is not letters, digits and _, beginning with no digit")
        try:
            regions.append((name, parse_region(value, frame)))
        except (RecordError, BadRegion) as fault:
            report(f"regions.{name}", str(fault))
    return tuple(regions)


def parse_region(value: Any, frame: Frame) -> Region:
    """The region of an object like `{"point": [120, 80]}`; RecordError or BadRegion says what is wrong.

    >>> from deixis.regions.frames import PIXELS
    >>> parse_region({"point": [120, 80]}, PIXELS).bounds().as_tuple()
    (119.5, 79.5, 120.5, 80.5)
    """
    kind = next(iter(value)) if isinstance(value, dict) and len(value) == 1 else None
    if kind not in KINDS:
        raise RecordError(f"is {shown(value)}; expected an object with exactly one of {', '.join(KINDS)}")
    content = value[kind]
    match kind:
        case "box":
            return Box(*numbers(content, "x0, y0, x1, y1"), frame=frame)
        case "point":
            return Point(*numbers(content, "x, y"), frame=frame)
        case "mask":
            if not isinstance(content, dict):
                raise RecordError(
                    f'is {shown(content)}; expected {{"size": [height, width], "counts": "..."}}'
                )
            return Mask.from_coco(content)
    if not isinstance(content, list):
        raise RecordError(f"is {shown(content)}; expected a list of points [x, y]")
    points = tuple((x, y) for x, y in (numbers(point, "x, y") for point in content))
    return Polygon(points, frame=frame) if kind == "polygon" else Scribble(points, frame=frame)


def region_object(region: Region) -> dict[str, Any]:
    """The object that `parse_region` reads back as the same region."""
    match region:
        case Box():
            return {"box": list(region.as_tuple())}
        case Point():
            return {"point": [region.x, region.y]}
        case Mask():
            return {"mask": region.to_coco()}
    return {type(region).__name__.lower(): [list(point) for point in region.points]}


def numbers(value: Any, names: str) -> list[float]:
    """The numbers of a list as long as `names`; RecordError for anything else."""
    count = names.count(",") + 1
    if not isinstance(value, list) or len(value) != count or not all(map(_is_number, value)):
        raise RecordError(f"is {shown(value)}; expected {count} finite numbers {names}")
    return [float(number) for number in value]


def _is_number(value: object) -> bool:
    if type(value) is int:
        return abs(value) < 1e300  # float() takes no more
    return isinstance(value, float) and math.isfinite(value)


def shown(value: Any) -> str:
    """A value as a message shows it: in JSON, shortened."""
    if value is None:
        return "missing or null"
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."
