"""``deixis paint``: regions painted on a picture, as systems that look at painted pictures get it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.cli.outputs import mask_files, refuse_inputs
from deixis.cli.picture_flags import add_picture_flags
from deixis.cli.system_flags import PAINT_STYLES
from deixis.errors import UsageError
from deixis.painting.kinds import KINDS, kind_of
from deixis.records.typed_regions import NAME, add_region_flags, parse_region
from deixis.regions.frames import NAMED as FRAMES

if TYPE_CHECKING:
    from deixis.regions.shapes import Region

HELP = "paint marks on a picture, and say what words mean them"
EXAMPLE = f"""\
examples:
  deixis paint photo.jpg --box 10,20,110,220 --out painted.png
  deixis paint photo.jpg --box a=10,20,110,220 --point b=40,30 --kind arrow --labels --out painted.png
  deixis paint photo.jpg --polygon "5,5;90,8;60,70" --kind mask --style published --out painted.png

The kinds are {", ".join(KINDS)}; without one each region gets what suits it. A colour is red, lime, blue,
yellow, fuchsia, aqua, orange, purple, gold or R,G,B; without one each region gets a colour of its own that
stands out. Regions are typed as for deixis ask; those without a name are called 1, 2, and so on.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("picture", type=Path, metavar="PICTURE", help="a picture file")
    add_region_flags(parser)
    add_picture_flags(parser)
    parser.add_argument("--kind", metavar="KIND", help="the kind of all marks")
    parser.add_argument("--colour", metavar="C", help="the colour of all marks")
    parser.add_argument(
        "--style",
        choices=PAINT_STYLES,
        default="clean",
        help="clean lines (the default), or as ViP-LLaVA paints",
    )
    parser.add_argument("--labels", action="store_true", help="write each region's name beside it")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of --style published (default: 0)")
    parser.add_argument(
        "--alpha", type=int, metavar="A", help="of --style published: 0 (clear) to 255 (opaque)"
    )
    parser.add_argument(
        "--width",
        type=int,
        metavar="W",
        help="of --style published: of lines, in pixels of a 336-pixel picture",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the picture to write")


def run(arguments: argparse.Namespace) -> int:
    """Paint, write, and print the words for each mark."""
    from deixis.answers.drawing.drawn_file import require_format, write_picture
    from deixis.files.writing import require_writable
    from deixis.painting.colours import colour_of
    from deixis.painting.painter import paint
    from deixis.pictures.opening import open_picture

    regions = named_regions(arguments)
    kind = None if arguments.kind is None else kind_of(arguments.kind)
    colour = None if arguments.colour is None else colour_of(typed_colour(arguments.colour))
    refuse_inputs(arguments.out, {arguments.picture: "the picture itself"} | mask_files(arguments))
    require_format(arguments.out, flag="--out")
    require_writable(arguments.out, flag="--out", makes_folders=True)
    picture = open_picture(arguments.picture, max_pixels=arguments.max_pixels, name=arguments.picture.name)
    painted = paint(
        picture,
        regions,
        kind=kind,
        colour=None if colour is None else colour.rgb,
        style=arguments.style,
        labels=arguments.labels,
        seed=arguments.seed,
        alpha=arguments.alpha,
        width=arguments.width,
    )
    write_picture(painted.image(), arguments.out)
    for name, words in painted.references.items():
        print(f"{name}: {words}")
    print(arguments.out)
    return 0


def named_regions(arguments: argparse.Namespace) -> dict[str, Region]:
    """Return the regions by name, those without one by their number; UsageError where there are none."""
    regions: dict[str, Region] = {}
    for number, (kind, text) in enumerate(arguments.typed or [], start=1):
        match = NAME.fullmatch(text)
        name, value = (match.group(1), match.group(2)) if match else (str(number), text)
        if name in regions:
            raise UsageError(f"two regions are called {name!r}; name them: --{kind} other={value}")
        regions[name] = parse_region(
            kind, value, frame=FRAMES[arguments.frame], max_pixels=arguments.max_pixels
        )
    if not regions:
        raise UsageError("there is nothing to paint; give a region, such as --box 10,20,110,220")
    return regions


def typed_colour(text: str) -> str | list[int]:
    """Return a colour as it was typed: a name, or three numbers.

    >>> typed_colour("red"), typed_colour("255,0,10")
    ('red', [255, 0, 10])
    """
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        return text
