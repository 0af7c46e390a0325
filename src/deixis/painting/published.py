"""Marks as the published program paints them, quirks included (vip_llava.md sections 2.1 to 2.3).

What is drawn by chance comes from a `Draws`, in the published order. Coordinates are pixels of the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import cos, pi, sin
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from deixis.errors import BadRegion
from deixis.painting.draws import Draws
from deixis.painting.kinds import Kind
from deixis.painting.silhouette import XY, Edges, Silhouette, bounds_of, contains, insides
from deixis.painting.strokes import RGBA, Stroke

ANCHOR = 336  # pixels of a side of what CLIP sees; widths are relative to it
TRIES_INSIDE, TRIES_CENTRE, TRIES_TRIANGLE = 50, 10, 300
FLATTEST = 150.0  # degrees: no angle of a triangle is wider


@dataclass(frozen=True)
class Look:
    """How marks are painted.

    constant: rectangles and points get one width (evaluation). alpha: 0..255, None draws it; width: in pixels
    of a picture whose longer side is ``anchor``, None draws it (a point's radius is always drawn).
    """

    constant: bool = False
    alpha: int | None = None
    width: int | None = None
    anchor: int = ANCHOR


@dataclass(frozen=True)
class Canvas:
    """What painting one mark needs: its silhouette, its colour, its width, and where chance comes from."""

    silhouette: Silhouette
    part: tuple[XY, ...] | None  # the one polygon that points are drawn in
    colour: RGBA
    width: int
    ratio: float  # longer side of the picture over the anchor
    constant: bool
    draws: Draws

    def inside(self, polygons: tuple[tuple[XY, ...], ...] | None) -> XY:
        """Draw a point inside polygons, or inside the box if there are none."""
        x0, y0, x1, y1 = self.silhouette.box if polygons is None else bounds_of(polygons)
        is_inside = None if polygons is None else insides(polygons)
        for _ in range(TRIES_INSIDE):
            point = self.draws.np_uniform(x0, x1), self.draws.np_uniform(y0, y1)
            if is_inside is None or is_inside(point):
                return point
        return self.draws.np_uniform(x0, x1), self.draws.np_uniform(y0, y1)

    def all_parts(self, kind: Kind) -> tuple[tuple[XY, ...], ...] | None:
        """Return all polygons, None if only the box is known; BadRegion if one of them has no inside."""
        if not self.silhouette.polygons:
            return None
        if not self.silhouette.is_sound:
            raise BadRegion(f"a polygon of fewer than three points has no inside to paint a {kind} in")
        return self.silhouette.polygons


def strokes_of(
    kind: Kind,
    silhouette: Silhouette,
    *,
    rgb: tuple[int, int, int],
    size: tuple[int, int],
    draws: Draws,
    look: Look = Look(),
) -> list[Stroke]:
    """Return what is drawn for a region. size: width and height of the picture.

    BadRegion: a point where only a box is known, a triangle or an ellipse of a polygon without an inside.
    """
    ratio = max(size) / look.anchor
    alpha = look.alpha
    if alpha is None:
        alpha = draws.randint(48, 128) if kind == "mask" else draws.randint(96, 255)
    part = None
    if silhouette.is_sound:
        part = silhouette.polygons[draws.choice(len(silhouette.polygons))]
    width = drawn_width(kind, ratio, draws, constant=look.constant)
    if look.width is not None and kind != "point":
        width = max(int(look.width * ratio), 1)
    canvas = Canvas(silhouette, part, (*rgb, alpha), width, ratio, look.constant, draws)
    return PAINTERS[kind](canvas)


def strokes_by_hand(
    kind: Literal["point", "scribble"],
    points: Sequence[XY],
    *,
    rgb: tuple[int, int, int],
    size: tuple[int, int],
    draws: Draws,
    look: Look = Look(),
) -> list[Stroke]:
    """Return what is drawn for a point or a stroke that a hand gave: where it is, as wide as others."""
    ratio = max(size) / look.anchor
    colour = (*rgb, draws.randint(96, 255) if look.alpha is None else look.alpha)
    width = drawn_width(kind, ratio, draws, constant=look.constant)
    if kind == "point" or len(points) < 2:
        (x, y), reach = points[0], width if kind == "point" else width / 2
        corners = ((x - reach, y - reach), (x + reach, y + reach))
        return [Stroke("ellipse", corners, fill=colour, outline=colour)]
    if look.width is not None:
        width = max(int(look.width * ratio), 1)
    return [Stroke("line", tuple(points), fill=colour, width=width)]


def drawn_width(kind: Kind, ratio: float, draws: Draws, *, constant: bool) -> int:
    """Draw the width of a kind's lines, or the radius of a point, in pixels."""
    if constant and kind in CONSTANT:
        return max(int(CONSTANT[kind] * ratio), 1)
    low, high = WIDTHS[kind]
    drawn = draws.randint(int(low * ratio), int(high * ratio))
    return drawn if kind == "mask" else max(drawn, 1)


def rectangle(canvas: Canvas) -> list[Stroke]:
    """The outline of the box; the line grows inwards."""
    x0, y0, x1, y1 = canvas.silhouette.box
    return [Stroke("rectangle", ((x0, y0), (x1, y1)), outline=canvas.colour, width=canvas.width)]


def ellipse(canvas: Canvas) -> list[Stroke]:
    """An ellipse around the bounds, up to half as large again."""
    parts = canvas.all_parts("ellipse")
    x0, y0, x1, y1 = canvas.silhouette.box if parts is None else bounds_of(parts)
    wider = canvas.draws.uniform(1, 1.5)
    x, y, half_wide, half_high = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) * wider / 2, (y1 - y0) * wider / 2
    corners = ((x - half_wide, y - half_high), (x + half_wide, y + half_high))
    return [Stroke("ellipse", corners, outline=canvas.colour, width=canvas.width)]


def point(canvas: Canvas) -> list[Stroke]:
    """A filled ellipse near the middle of one part."""
    if canvas.part is None:
        raise BadRegion("a point is painted inside an outline; this region has only a box")
    chance = canvas.draws.random()
    aspect = 1.0 if chance < 0.5 or canvas.constant else canvas.draws.uniform(0.5, 2.0)
    x, y = centre_in(canvas.part, canvas.draws)
    wide, high = canvas.width * aspect, canvas.width / aspect
    corners = ((x - wide, y - high), (x + wide, y + high))
    return [Stroke("ellipse", corners, fill=canvas.colour, outline=canvas.colour)]


def centre_in(part: tuple[XY, ...], draws: Draws) -> XY:
    """Draw a point around the middle of a polygon, inside it unless that fails ten times."""
    x0, y0, x1, y1 = bounds_of([part])
    middle, variance = ((x0 + x1) / 2, (y0 + y1) / 2), ((x1 - x0) / 8, (y1 - y0) / 8)
    for _ in range(TRIES_CENTRE):
        at = draws.normal(middle, variance)
        if contains([part], at):
            return at
    return draws.normal(middle, variance)


def triangle(canvas: Canvas) -> list[Stroke]:
    """A triangle with corners in the region, none of them too flat, if the region has room for one.

    In a region without width all are flat; the published program would draw for ever.
    """
    parts = canvas.all_parts("triangle")
    for _ in range(TRIES_TRIANGLE):
        corners = tuple(canvas.inside(parts) for _ in range(3))
        if widest_angle(corners) <= FLATTEST:
            break
    outline = (*corners, corners[0])
    return [Stroke("line", outline, fill=canvas.colour, width=canvas.width, joint="curve")]


def widest_angle(corners: tuple[XY, ...]) -> float:
    """Return the widest angle of a triangle in degrees, 180 if it has no area.

    >>> round(widest_angle(((0, 0), (1, 0), (0, 1))))
    90
    """
    angles = []
    points = np.asarray(corners, dtype=np.float64)
    for index in range(3):
        one, other = points[index - 1] - points[index], points[index - 2] - points[index]
        lengths = np.linalg.norm(one) * np.linalg.norm(other)
        if lengths == 0:
            return 180.0
        angles.append(np.degrees(np.arccos(np.clip(one @ other / lengths, -1, 1))))
    return float(max(angles))


def scribble(canvas: Canvas) -> list[Stroke]:
    """A cubic Bezier curve whose control points lie in the region."""
    parts = None if canvas.part is None else (canvas.part,)
    controls = np.array([canvas.inside(parts) for _ in range(4)])
    curve = bezier(controls, count=int(1000 * canvas.ratio))
    if len(curve) < 2:
        return []
    xs, ys = whole_pixels(curve).T.tolist()
    return [Stroke("line", tuple(zip(xs, ys, strict=True)), fill=canvas.colour, width=canvas.width)]


def bezier(controls: NDArray[np.float64], *, count: int) -> NDArray[np.float64]:
    """Return `count` points (n, 2) of the cubic curve with four control points (4, 2)."""
    t = np.linspace(0, 1, count)[:, None]
    u = 1 - t
    shares = np.hstack([u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t])  # (n, 4)
    return shares @ controls


def whole_pixels(curve: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a curve's points (n, 2) cut to whole pixels, of each run of one pixel the first two.

    Pillow draws between whole pixels, and a segment that was drawn once changes nothing when drawn again.

    >>> whole_pixels(np.array([[1.2, 1], [1.5, 1], [1.9, 1], [2.1, 1]])).tolist()
    [[1.0, 1.0], [1.0, 1.0], [2.0, 1.0]]
    """
    pixels = np.trunc(curve)
    same = pixels[1:] == pixels[:-1]
    stays = same[:, 0] & same[:, 1]  # ten times as fast as all(axis=1)
    kept = np.ones(len(pixels), dtype=bool)
    kept[2:] = ~(stays[1:] & stays[:-1])
    return pixels[kept]


def outlines(canvas: Canvas) -> tuple[tuple[XY, ...], ...]:
    """The outlines of all parts, or of the box where they are not known."""
    x0, y0, x1, y1 = canvas.silhouette.box
    return canvas.silhouette.polygons or (((x0, y0), (x0, y1), (x1, y1), (x1, y0)),)


def contour(canvas: Canvas) -> list[Stroke]:
    """The outline of every part, widened by a square."""
    return [
        Stroke("polygon", points, outline=canvas.colour, spread=canvas.width) for points in outlines(canvas)
    ]


def mask(canvas: Canvas) -> list[Stroke]:
    """Every part filled."""
    return [Stroke("polygon", points, fill=canvas.colour) for points in outlines(canvas)]


def arrow(canvas: Canvas) -> list[Stroke]:
    """An arrow whose tip lies in the region; its shaft may leave the picture."""
    draws, ratio = canvas.draws, canvas.ratio
    x0, y0, x1, y1 = canvas.silhouette.box
    wide, high = x1 - x0, y1 - y0
    length = draws.uniform(0.8 * min(wide, high), max(int(50 * ratio), 1))
    angle = draws.uniform(0, 2 * pi)
    tip = (
        (x0 + x1) / 2 + draws.uniform(-0.25, 0.25) * wide,
        (y0 + y1) / 2 + draws.uniform(-0.25, 0.25) * high,
    )
    head = max(draws.uniform(0.2, 0.5) * length, int(6 * ratio))
    tail = (tip[0] + (length - head) * cos(angle), tip[1] + (length - head) * sin(angle))
    shaft = [tip, tail]
    if draws.random() < 0.5:
        bent_x, bent_y = (draws.uniform(-5, 5) * int(ratio) for _ in range(2))
        shaft.insert(1, ((tip[0] + tail[0]) / 2 + bent_x, (tip[1] + tail[1]) / 2 + bent_y))
    left, right = (
        (tip[0] + head * cos(angle + turn), tip[1] + head * sin(angle + turn)) for turn in (pi / 3, -pi / 3)
    )
    if draws.random() < 0.5:
        top = Stroke("polygon", (left, tip, right), fill=canvas.colour)
    else:
        top = Stroke("line", (left, tip, right), fill=canvas.colour, width=canvas.width)
    return [Stroke("line", tuple(shaft), fill=canvas.colour, width=canvas.width), top]


PAINTERS: Mapping[Kind, Callable[[Canvas], list[Stroke]]] = MappingProxyType(
    {
        "rectangle": rectangle,
        "ellipse": ellipse,
        "triangle": triangle,
        "point": point,
        "scribble": scribble,
        "mask contour": contour,
        "mask": mask,
        "arrow": arrow,
    }
)
# Smallest and largest width (radius of a point) at a ratio of 1.
WIDTHS: Mapping[Kind, tuple[int, int]] = MappingProxyType(
    {
        "rectangle": (2, 8),
        "ellipse": (2, 8),
        "triangle": (2, 8),
        "point": (5, 20),
        "scribble": (2, 12),
        "mask contour": (1, 2),
        "mask": (0, 2),
        "arrow": (1, 6),
    }
)
CONSTANT: Mapping[Kind, int] = MappingProxyType({"rectangle": 3, "point": 8})
__all__ = ["ANCHOR", "Edges", "Look", "strokes_of"]
