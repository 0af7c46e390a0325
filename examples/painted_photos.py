"""A page of visual prompts: all eight kinds on several photos, for a mask and for its box, in both styles.

python examples/painted_photos.py [OUT] [--data DIR --split S --photos N --seed S]

The page is OUT/index.html (default: out/painted). Without --data it shows three photos of scikit-image with
outlines drawn by hand; with it, photos of a dataset with masks, drawn at random.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
from PIL import Image

import deixis
from deixis.data.opening import open_scene
from deixis.data.scene import Scene, Thing
from deixis.data.sources import read_dataset
from deixis.gallery.html import tag, written
from deixis.painting.kinds import KINDS, Kind
from deixis.painting.painter import STYLES, Style
from deixis.pictures.opening import Picture
from deixis.regions.shapes import Box, Region

WIDE = 300  # pixels of a tile
LEAST, MOST = 0.01, 0.5  # of a photo, what a thing that is shown covers
PAGE_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em; background: #fff; color: #222 }
section { display: grid; grid-template-columns: repeat(4, 1fr); gap: 12px; max-width: 1280px }
figure { margin: 0 } img { width: 100%; display: block } figcaption { font-size: 13px; color: #555 }
"""
# Photos of scikit-image, and an outline of something in each, in pixels.
OUTLINES = {
    "astronaut": [(160, 55), (205, 10), (265, 20), (290, 80), (275, 150), (225, 185), (180, 150)],
    "chelsea": [(120, 75), (150, 25), (205, 60), (265, 45), (330, 10), (350, 75), (290, 215), (150, 190)],
    "coffee": [(180, 80), (230, 30), (300, 15), (370, 30), (405, 80), (385, 150), (300, 205), (205, 160)],
}


@dataclass(frozen=True)
class Shown:
    """A photo, and a thing in it by its outline."""

    name: str
    picture: Picture
    outline: Region


def bundled() -> Iterator[Shown]:
    """Return the photos of scikit-image."""
    from skimage import data

    for name, points in OUTLINES.items():
        outline = deixis.Polygon(tuple((float(x), float(y)) for x, y in points))
        yield Shown(name, deixis.open_picture(getattr(data, name)()), outline)


def of_dataset(folder: Path, *, split: str, photos: int, seed: int) -> Iterator[Shown]:
    """Return photos of a dataset, each with one of its things that have a mask."""
    scenes = read_dataset(folder, split, masks=True).scenes
    fitting = [(scene, things) for scene in scenes if (things := masked(scene))]
    rng = np.random.default_rng(seed)
    for index in rng.permutation(len(fitting))[:photos].tolist():
        scene, things = fitting[index]
        thing = things[int(rng.integers(len(things)))]
        picture, upright = open_scene(scene)
        mask = upright.thing(thing.id).mask
        assert mask is not None
        yield Shown(f"{scene.id}: {thing.category}", picture, mask.bind(picture.frame))


def masked(scene: Scene) -> list[Thing]:
    """Return the things with a mask that are neither tiny nor most of the photo."""
    whole = scene.width * scene.height
    return [thing for thing in scene.things if thing.mask and LEAST * whole < thing.mask.area < MOST * whole]


def tiles(shown: Shown, folder: Path, *, number: int) -> Iterator[Element]:
    """Write a photo with every kind of mark, and return the figures that show them."""
    regions: dict[str, Region] = {"mask": shown.outline, "box": shown.outline.bounds()}
    for style in STYLES:
        for kind in KINDS:
            for what, region in regions.items():
                if style == "published" and kind == "point" and isinstance(region, Box):
                    continue  # the published program has no point for a box
                path = folder / f"{number}-{style}-{kind.replace(' ', '-')}-{what}.jpg"
                words = paint(shown.picture, region, path, kind=kind, style=style, seed=number)
                caption = tag("figcaption", f"{kind}, {what}, {style}: {words}")
                yield tag("figure", tag("img", src=path.name, alt=words, loading="lazy"), caption)


def paint(picture: Picture, region: Region, path: Path, *, kind: Kind, style: Style, seed: int) -> str:
    """Write a painted photo, as wide as a tile, and return the words for the mark."""
    painted = deixis.paint(picture, {"1": region}, kind=kind, style=style, labels=style == "clean", seed=seed)
    image = painted.image()
    image.resize((WIDE, round(WIDE * image.height / image.width)), Image.Resampling.LANCZOS).save(path)
    return painted.references["1"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page and return 0."""
    parser = argparse.ArgumentParser(description="All eight kinds of visual prompts on several photos.")
    parser.add_argument("out", nargs="?", type=Path, default=Path("out/painted"))
    parser.add_argument("--data", type=Path, metavar="DIR", help="a dataset with masks")
    parser.add_argument("--split", default="val")
    parser.add_argument("--photos", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    photos = bundled()
    if given.data is not None:
        photos = of_dataset(given.data, split=given.split, photos=given.photos, seed=given.seed)
    given.out.mkdir(parents=True, exist_ok=True)
    parts = [tag("h1", "Visual prompts")]
    for number, shown in enumerate(photos, start=1):
        parts += [tag("h2", shown.name), tag("section", *tiles(shown, given.out, number=number))]
    head = tag("head", tag("meta", charset="utf-8"), tag("title", "Visual prompts"), tag("style", PAGE_STYLE))
    (given.out / "index.html").write_bytes(written(tag("html", head, tag("body", *parts), lang="en")))
    print(given.out / "index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
