"""Regions as they are typed on a command line: ``a=10,20,110,220``; without a name the region is ``it``."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deixis.errors import UsageError
from deixis.regions.frames import NAMED, PIXELS, Frame
from deixis.regions.names import REGION_NAME
from deixis.regions.shapes import Box, Mask, Point, Polygon, Region, Scribble

NAME = re.compile(rf"({REGION_NAME.pattern})=(.*)", re.DOTALL)
UNNAMED = "it"
# Every kind of region, and how it is typed.
FORMS = {
    "box": "[NAME=]X0,Y0,X1,Y1",
    "point": "[NAME=]X,Y",
    "polygon": "[NAME=]X,Y;X,Y;X,Y",
    "scribble": "[NAME=]X,Y;X,Y",
    "mask": "[NAME=]FILE",
}


class Typed(argparse.Action):
    """Collects regions of all kinds in the order in which they were typed."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option: str | None = None,
    ) -> None:
        kind = str(option).removeprefix("--")
        namespace.typed = [*(namespace.typed or []), (kind, values)]


def add_region_flags(parser: argparse.ArgumentParser) -> None:
    """Add a flag for each kind of region, and the one for their frame."""
    for kind, form in FORMS.items():
        parser.add_argument(
            f"--{kind}", action=Typed, dest="typed", metavar=form, help=f"a {kind} to point with"
        )
    parser.add_argument(
        "--frame",
        choices=("pixels", "unit", "thousandths"),
        default="pixels",
        help="what coordinates are measured in",
    )


def parse_regions(
    typed: Sequence[tuple[str, str]], *, frame: str = "pixels", max_pixels: int | None = None
) -> dict[str, Region]:
    """Return regions by name from (kind, text) pairs, in the frame of that name.

    max_pixels: of a mask's file; None for what ``open_picture`` decodes unless it is told otherwise.

    >>> parse_regions([("box", "a=10,20,110,220"), ("point", "5,9")])["it"]
    Point(x=5.0, y=9.0, frame=Frame(kind='pixels', width=None, height=None, parent=None, scale=(1.0, 1.0), \
offset=(0.0, 0.0), label=''))
    """
    regions: dict[str, Region] = {}
    for kind, text in typed:
        match = NAME.fullmatch(text)
        name, value = (match.group(1), match.group(2)) if match else (UNNAMED, text)
        if name in regions:
            raise UsageError(f"two regions are called {name!r}; name them: --{kind} other={value}")
        regions[name] = parse_region(kind, value, frame=NAMED[frame], max_pixels=max_pixels)
    return regions


def parse_region(kind: str, text: str, *, frame: Frame, max_pixels: int | None = None) -> Region:
    """Return one region."""
    if kind == "mask":
        return read_mask(Path(text), max_pixels=max_pixels)
    if kind == "box":
        return Box(*numbers(text, 4, what="box", form="x0,y0,x1,y1"), frame=frame)
    if kind == "point":
        return Point(*numbers(text, 2, what="point", form="x,y"), frame=frame)
    pairs = [numbers(pair, 2, what=kind, form="x,y;x,y;...") for pair in text.split(";") if pair.strip()]
    shape = Polygon if kind == "polygon" else Scribble
    return shape(tuple((x, y) for x, y in pairs), frame=frame)


def numbers(text: str, count: int, *, what: str, form: str) -> list[float]:
    """Return ``count`` numbers separated by commas."""
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) != count:
        raise UsageError(f"{what} {text!r} can't be read; expected {form}, for instance --{what} a={form}")
    return values


def read_mask(path: Path, *, max_pixels: int | None = None) -> Mask:
    """Return the mask of a picture file: opaque or white belongs to it, clear or black doesn't."""
    from deixis.pictures.masks import open_mask
    from deixis.pictures.opening import LARGEST_PIXELS

    inside = open_mask(path, max_pixels=max_pixels or LARGEST_PIXELS, name=path.name)
    return Mask.from_array(inside, frame=PIXELS)
