"""Only what a mark touches is blended, with the pixels that drawing over the whole picture would give."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageDraw

from deixis.errors import UsageError
from deixis.painting.draws import RecordedDraws, ReplayedDraws, SeededDraws
from deixis.painting.kinds import KINDS, Kind
from deixis.painting.published import Look, strokes_of
from deixis.painting.silhouette import Silhouette
from deixis.painting.strokes import Stroke, lay_over

SIZE = (120, 90)


def background(seed: int = 0) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (*SIZE[::-1], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def literal(picture: Image.Image, strokes: list[Stroke]) -> Image.Image:
    """Draw every stroke as the published program does: on a layer of the whole picture, call by call."""
    layer = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    for stroke in strokes:
        points = list(stroke.points)
        if stroke.form == "line" and stroke.joint is None and len(points) > 3:
            for pair in pairwise(points):
                draw.line(pair, fill=stroke.fill, width=stroke.width)
        elif stroke.form == "line":
            draw.line(points, fill=stroke.fill, width=stroke.width, joint=stroke.joint)
        elif stroke.form == "polygon" and stroke.spread:
            shifts = range(-stroke.spread, stroke.spread + 1)
            for right in shifts:
                for down in shifts:
                    draw.polygon([(x + right, y + down) for x, y in points], outline=stroke.outline)
        elif stroke.form == "polygon":
            draw.polygon(points, fill=stroke.fill, outline=stroke.outline)
        else:
            getattr(draw, stroke.form)(points, fill=stroke.fill, outline=stroke.outline, width=stroke.width)
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")


def silhouettes() -> list[Silhouette]:
    middle = ((30.2, 20.7), (80.9, 25.1), (70.4, 60.6), (35.3, 55.8))
    corner = ((-3.5, 60.2), (20.9, 55.5), (15.1, 92.7), (1.2, 85.4))
    return [
        Silhouette((30, 20, 81, 61), (middle,)),
        Silhouette((-4, 55, 21, 93), (corner,)),
        Silhouette((100.5, 3.25, 119.5, 40.75), (((100.5, 3.25), (119.5, 10), (110, 40.75)),)),
        Silhouette((0, 0, 120, 90), (((0, 0), (120, 0), (120, 90), (0, 90)),)),
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("anchor", [336, 60, 20])
def test_what_is_not_touched_need_not_be_blended(kind: Kind, anchor: int) -> None:
    for seed in range(12):
        silhouette = silhouettes()[seed % 4]
        look = Look(anchor=anchor)
        strokes = strokes_of(
            kind, silhouette, rgb=(250, 10, 90), size=SIZE, draws=SeededDraws(seed), look=look
        )
        painted = background(seed)
        lay_over(painted, strokes)
        np.testing.assert_array_equal(np.asarray(painted), np.asarray(literal(background(seed), strokes)))


def test_outlines_of_many_parts_are_widened_together() -> None:
    rng = np.random.default_rng(1)
    squares: list[tuple[tuple[float, float], ...]] = []
    for x, y in (rng.integers(-3, 110, (60, 2))).tolist():
        part = 0.25 * (len(squares) % 3)  # whole numbers and others, also where shifts go below 0
        squares.append(((x + part, y), (x + 5, y + part), (x + 4, y + 6), (x, y + 4 - part)))
    strokes = [Stroke("polygon", square, outline=(250, 10, 90, 120), spread=3) for square in squares]
    strokes += [Stroke("polygon", square, outline=(1, 10, 90, 200), spread=1) for square in squares[:20]]
    painted = background()
    lay_over(painted, strokes)
    np.testing.assert_array_equal(np.asarray(painted), np.asarray(literal(background(), strokes)))


def test_a_mark_beside_the_picture_changes_nothing() -> None:
    painted = background()
    lay_over(painted, [Stroke("ellipse", ((200, 10), (230, 40)), fill=(255, 0, 0, 255))])
    lay_over(painted, [])
    assert painted.tobytes() == background().tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_draws_can_be_replayed(kind: Kind) -> None:
    silhouette = silhouettes()[0]

    def drawn(draws: RecordedDraws | ReplayedDraws) -> list[Stroke]:
        return strokes_of(kind, silhouette, rgb=(1, 2, 3), size=SIZE, draws=draws)

    recorded = RecordedDraws(SeededDraws(5))
    strokes = drawn(recorded)
    assert drawn(ReplayedDraws(recorded.trace)) == strokes
    with pytest.raises(UsageError, match="nothing is left to replay"):
        drawn(ReplayedDraws(recorded.trace[:-1]))
