"""Paint all eight kinds of visual prompts on a photo, for a box and for an outline, in both styles.

python examples/painting.py [OUT]

The picture is written to out/painting.png: the upper rows are painted for people, the lower ones as
ViP-LLaVA's program paints them in training, by chance.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from skimage import data

import deixis
from deixis.painting.kinds import KINDS
from deixis.painting.painter import Style

CAT = deixis.Polygon(
    [(120, 75), (150, 25), (205, 60), (265, 45), (330, 10), (350, 75), (340, 150), (290, 215), (150, 190)]
)
STYLES: tuple[Style, ...] = ("clean", "published")
SMALL = 210  # pixels of the width of a tile
COLOURS = 256  # of the picture that is written


def tile(photo: Any, kind: str, *, style: Style) -> Image.Image:
    """Return the photo with the cat marked: its outline on the left, its box on the right."""
    halves = []
    for region in (CAT, CAT.bounds()):
        if style == "published" and kind == "point" and region is not CAT:
            halves.append(deixis.open_picture(photo).image())  # it can't be painted where only a box is known
            continue
        painted = deixis.paint(photo, region, kind=kind, style=style, labels=style == "clean", seed=3)
        halves.append(painted.image())
    both = Image.fromarray(np.hstack([np.asarray(one) for one in halves]))
    return both.resize((2 * SMALL, round(2 * SMALL * both.height / both.width)), Image.Resampling.LANCZOS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the picture and return 0."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    out = Path(given[0]) if given else Path("out/painting.png")
    photo = data.chelsea()
    rows = []
    for style in STYLES:
        tiles = [np.asarray(tile(photo, kind, style=style)) for kind in KINDS]
        rows += [np.hstack(tiles[start : start + 2]) for start in range(0, len(tiles), 2)]
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet = Image.fromarray(np.vstack(rows)).quantize(COLOURS, dither=Image.Dither.FLOYDSTEINBERG)
    sheet.save(out, optimize=True)
    print(f"{out}: {', '.join(KINDS)}; the outline of the cat on the left, its box on the right")
    return 0


if __name__ == "__main__":
    sys.exit(main())
