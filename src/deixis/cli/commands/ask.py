"""``deixis ask``: questions about one picture, answered on the terminal, as JSON, or drawn."""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.answers.as_text import describe
from deixis.cli.answer_flags import add_answer_flags, in_flags, settings_of
from deixis.cli.doubts import frame_doubts
from deixis.cli.outputs import inputs_of, refuse_inputs
from deixis.cli.picture_flags import add_picture_flags
from deixis.cli.system_flags import add_system_flags, open_system
from deixis.errors import UsageError
from deixis.records.typed_regions import add_region_flags, parse_regions
from deixis.regions.names import REGION_NAME, names_in, unknown_name

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer

HELP = "ask about a picture, pointing with {names}"
EXAMPLE = """\
examples:
  deixis ask photo.jpg "Where is the dog?" --out answer.png
  deixis ask photo.jpg "What is {it}?" --point 120,80
  deixis ask photo.jpg "What is {a}?" -q "What is {b}?" --box a=10,20,110,220 --polygon "b=5,5;90,8;60,70"
  deixis ask photo.jpg "Describe it." --temperature 0.7 --seed 1
  --json deixis ask photo.jpg "Describe {it}." --box 100,200,500,900 --frame thousandths

A region without a name is {it}. Coordinates are pixels of the picture, x to the right and y down, unless
--frame says otherwise; a box is x0,y0,x1,y1.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("picture", type=Path, help="a picture file")
    parser.add_argument("question", nargs="?", help="a question; {a} in it is the region named a")
    parser.add_argument("-q", "--question", dest="more", action="append", default=[], help="another question")
    add_region_flags(parser)
    add_picture_flags(parser)
    add_system_flags(parser)
    add_answer_flags(parser)
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object a question and nothing else"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write the picture with the places drawn on it"
    )


def run(arguments: argparse.Namespace) -> int:
    """Ask, print, draw."""
    questions = [*([arguments.question] if arguments.question else []), *arguments.more]
    if not questions:
        raise UsageError('nothing is asked; give a question: deixis ask photo.jpg "Where is the dog?"')
    regions = parse_regions(arguments.typed or [], frame=arguments.frame, max_pixels=arguments.max_pixels)
    check_names(questions, regions)
    for path in drawings(arguments.out, len(questions)):
        refuse_inputs(path, inputs_of(arguments))
    from deixis.pictures.opening import open_picture

    settings = settings_of(arguments)
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: print(f"deixis: {message}", file=sys.stderr)
        picture = open_picture(arguments.picture, max_pixels=arguments.max_pixels)
        for region in regions.values():  # before the weights are read: a wrong region should be told at once
            region.clipped(picture.frame)
        for doubt in frame_doubts(regions, picture.frame):
            print(f"deixis: {doubt}", file=sys.stderr)
        system = open_system(arguments)
        own = [{name: regions[name] for name in set(names_in(text))} for text in questions]
        warnings.simplefilter("ignore")
        answers = system.ask(picture, questions, regions=own, **settings)
    for answer in answers:
        print(answer.to_json() if arguments.json else in_flags(describe(answer)), flush=True)
    if arguments.out is not None:
        write_drawings(answers, arguments.out, quiet=arguments.json)
    return 0


def check_names(questions: list[str], regions: dict[str, Any]) -> None:
    """Raise UsageError for a region that no question uses, or a ``{name}`` that is no region."""
    used = {name for text in questions for name in names_in(text)}
    for name in regions:
        if name not in used:
            raise UsageError(
                f"region {name!r} is in no question; write {{{name}}} where a question speaks of it"
            )
    for name in sorted(used):
        if name not in regions:
            raise UsageError(
                f"{unknown_name(name, regions, where='a question')}. To give a region, "
                f"add --box {name if REGION_NAME.fullmatch(name) else 'NAME'}=x0,y0,x1,y1"
            )


def drawings(out: Path | None, count: int) -> list[Path]:
    """Return the names of so many drawings; from the second on, a number is added to that of the first."""
    if out is None:
        return []
    if not out.name:
        raise UsageError(f"--out {out} is a folder; give the drawing a name that ends in .png or .jpg")
    return [out, *(out.with_stem(f"{out.stem}-{number}") for number in range(2, count + 1))]


def write_drawings(answers: list[Answer], out: Path, *, quiet: bool) -> None:
    """Write one picture an answer."""
    from deixis.answers.drawn_file import write_drawing

    for answer, path in zip(answers, drawings(out, len(answers)), strict=True):
        write_drawing(answer, path)
        if not quiet:
            print(f"drawn: {path}")
