"""Painting regions on a picture: what ``deixis.paint`` does, and what a system that looks at paint needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deixis.errors import UsageError
from deixis.painting.clean import Mark, extents, paint_clean
from deixis.painting.colours import Colour, colour_of, standing_out
from deixis.painting.draws import Draws, SeededDraws
from deixis.painting.kinds import Kind, kind_of
from deixis.painting.labels import lay_labels
from deixis.painting.outlines import outlines_of
from deixis.painting.published import Look, strokes_by_hand, strokes_of
from deixis.painting.sign import Sign
from deixis.painting.silhouette import Silhouette
from deixis.painting.strokes import lay_over
from deixis.pictures.opening import Picture, open_picture
from deixis.regions.shapes import Box, Mask, Point, Polygon, Region, Scribble

Style = Literal["clean", "published"]
STYLES: tuple[Style, ...] = ("clean", "published")
MOST_REGIONS = 256
WIDEST = 336  # a line as wide as the picture that CLIP sees
LARGEST_SEED = (1 << 32) - 1
# What a region is marked with where nothing else is asked for.
USUAL: Mapping[type, Kind] = {
    Box: "rectangle",
    Point: "point",
    Scribble: "scribble",
    Polygon: "mask contour",
    Mask: "mask contour",
}


@dataclass(frozen=True)
class Painted:
    """A picture with marks on it. references: for each region, by its name, the words that mean it."""

    picture: Picture
    signs: Mapping[str, Sign]

    @property
    def references(self) -> dict[str, str]:
        """The words for each mark, such as "within the red rectangle"."""
        return {name: sign.reference() for name, sign in self.signs.items()}

    def image(self) -> Image.Image:
        """Return the picture for Pillow."""
        return self.picture.image()


def paint(
    picture: Any,
    regions: Mapping[str, Region] | Sequence[Region] | Region,
    *,
    kind: str | Sequence[str] | None = None,
    colour: str | Sequence[int] | None = None,
    style: Style = "clean",
    labels: bool = False,
    seed: int = 0,
    alpha: int | None = None,
    width: int | None = None,
) -> Painted:
    """Paint regions on a picture.

    picture: whatever ``open_picture`` takes. regions: by name, in a list (their names are "1", "2", ...), or
    one; in pixels of the picture unless their frame says otherwise. kind: one of the eight kinds for all, one
    for each, or None for what suits the region. colour: a name or (R, G, B); None takes for each region one
    that stands out from what is under it and that no other has. style: "clean" is antialiased and scales with
    the picture; "published" paints as ViP-LLaVA's program does, by draws of ``seed``, with ``alpha`` (0..255)
    and ``width`` fixed or drawn. labels: a number beside each region.
    UsageError: unknown kind, colour or style. BadRegion: a region outside, or one that can't be painted so.
    """
    opened = open_picture(picture)
    named = by_name(regions)
    bound = {name: region.clipped(opened.frame) for name, region in named.items()}
    signs = choose_signs(
        opened, list(bound.values()), kinds=kinds_for(list(bound.values()), kind), colour=colour
    )
    boxes = [region.bounds().as_tuple() for region in bound.values()]
    if style_of(style) == "clean":
        if alpha is not None or width is not None:
            raise UsageError("alpha and width are of style 'published'; 'clean' chooses its own")
        marks = [Mark(region, sign) for region, sign in zip(bound.values(), signs, strict=True)]
        pixels = paint_clean(opened.pixels, marks)
        boxes = extents(marks, size=(opened.width, opened.height)) if labels else boxes
    else:
        check_whole({"alpha": (alpha, 0, 255), "width": (width, 1, WIDEST), "seed": (seed, 0, LARGEST_SEED)})
        look = Look(alpha=alpha, width=width)
        pixels = paint_published(
            opened.pixels, list(bound.values()), signs, draws=SeededDraws(seed), look=look
        )
    if labels:
        pixels = lay_labels(pixels, boxes, list(bound), [sign.colour.rgb for sign in signs])
    painted = replace(opened, pixels=pixels, decoded=None)
    return Painted(painted, dict(zip(bound, signs, strict=True)))


def check_whole(numbers: Mapping[str, tuple[int | None, int, int]]) -> None:
    """Raise UsageError for a number that is none within its bounds; numbers: (value, least, most) by name."""
    for name, (value, least, most) in numbers.items():
        if value is not None and (type(value) is not int or not least <= value <= most):
            raise UsageError(f"{name} is {value!r}; expected a whole number from {least} to {most}")


def style_of(name: str) -> Style:
    """Return a style by its name."""
    for style in STYLES:
        if style == name:
            return style
    raise UsageError(f"style is {name!r}; expected one of {', '.join(STYLES)}")


def by_name(regions: Mapping[str, Region] | Sequence[Region] | Region) -> dict[str, Region]:
    """Return regions by name; UsageError for too many."""
    if isinstance(regions, Mapping):
        named = dict(regions)
    else:
        many = list(regions) if isinstance(regions, Sequence) else [regions]
        named = {str(number): region for number, region in enumerate(many, start=1)}
    if len(named) > MOST_REGIONS:
        raise UsageError(f"{len(named)} regions; at most {MOST_REGIONS} are painted on one picture")
    return named


def kinds_for(regions: Sequence[Region], kind: str | Sequence[str] | None) -> list[Kind]:
    """Return the kind of visual prompt for each region."""
    if kind is None:
        return [USUAL[type(region)] for region in regions]
    if isinstance(kind, str):
        return [kind_of(kind)] * len(regions)
    if len(kind) != len(regions):
        raise UsageError(f"{len(kind)} kinds for {len(regions)} regions; give one for all, or one for each")
    return [kind_of(one) for one in kind]


def choose_signs(
    picture: Picture,
    regions: Sequence[Region],
    *,
    kinds: Sequence[Kind],
    colour: str | Sequence[int] | Colour | None = None,
) -> list[Sign]:
    """Return a sign for each region; words can tell them apart as far as there are colours.

    A region's sign depends on the regions before it only: what is pointed at later changes none of them.
    """
    signs: list[Sign] = []
    for region, kind in zip(regions, kinds, strict=True):
        if colour is None:
            signs.append(next_sign(picture, region, kind, before=signs))
        else:
            signs.append(Sign(kind, colour_of(colour)))
    return signs


def next_sign(
    picture: Picture, region: Region, kind: Kind, *, before: Sequence[Sign], avoided: Collection[str] = ()
) -> Sign:
    """Return a sign of a kind for a region that stands out and is told from those before it.

    avoided: names of colours that words speak of already.
    """
    taken = [sign.colour.name for sign in before if sign.kind == kind]
    return Sign(kind, standing_out(under(picture, region), taken=[*taken, *avoided]))


def under(picture: Picture, region: Region) -> NDArray[np.uint8]:
    """Return the pixels (n, 3) in and closely around the bounds of a region, at most a few thousand."""
    x0, y0, x1, y1 = region.bounds().as_tuple()
    reach = 0.02 * max(picture.width, picture.height)
    rows = slice(max(int(y0 - reach), 0), max(int(y1 + reach), int(y0) + 1))
    columns = slice(max(int(x0 - reach), 0), max(int(x1 + reach), int(x0) + 1))
    part = picture.pixels[rows, columns]
    step = max(int((part.shape[0] * part.shape[1] / 4096) ** 0.5), 1)
    return part[::step, ::step].reshape(-1, 3)


def paint_published(
    pixels: NDArray[np.uint8], regions: Sequence[Region], signs: Sequence[Sign], *, draws: Draws, look: Look
) -> NDArray[np.uint8]:
    """Return pixels (H, W, 3) painted by the published rules, each region over those before it."""
    image = Image.fromarray(pixels).copy()
    for region, sign in zip(regions, signs, strict=True):
        rgb, size = sign.colour.rgb, image.size
        if isinstance(region, Point) and sign.kind == "point":
            at = (region.x, region.y)
            strokes = strokes_by_hand("point", [at], rgb=rgb, size=size, draws=draws, look=look)
        elif isinstance(region, Scribble) and sign.kind == "scribble":
            strokes = strokes_by_hand("scribble", region.points, rgb=rgb, size=size, draws=draws, look=look)
        else:
            known = silhouette_of(region)
            strokes = strokes_of(sign.kind, known, rgb=rgb, size=size, draws=draws, look=look)
        lay_over(image, strokes)
    return np.array(image)


def silhouette_of(region: Region) -> Silhouette:
    """Return what the published painter knows of a region: its box, and outlines where it has some."""
    x0, y0, x1, y1 = region.bounds().as_tuple()
    box = (x0, y0, max(x1, x0 + 1), max(y1, y0 + 1))  # what is smaller than a pixel would not be drawn
    if isinstance(region, Polygon) and max(x1 - x0, y1 - y0) >= 1:
        return Silhouette(box, (region.points,))
    if isinstance(region, Mask):
        return Silhouette(box, outlines_of(region.rasterise()))
    return Silhouette(box)
