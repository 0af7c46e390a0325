"""Visual prompts painted: only what marks touch is blended, and a scribble is one call.

The other sides do what the published program does: every region is laid over the whole picture, and a
scribble is as many lines as it has segments. The pixels are the same.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.benchmark import Benchmark, Goal, Side
from bench.timing import digest, repeated

CONTROLS = [(900.3, 700.9), (1550.2, 1250.4), (820.7, 1100.1), (1480.6, 650.8)]
AREA = (800, 600, 1700, 1400)  # what the curve touches
COLOUR = (255, 0, 0, 128)
TOUCHED, WHOLE = "what marks touch", "the whole picture for each region"
ONE_CALL, EACH = "one call for the curve", "one call for each segment"
REGIONS = Benchmark(
    name="painting",
    what="20 ellipses in the published style on a picture of 4000 x 3000",
    given={"width": 4000, "height": 3000, "regions": 20, "seed": 0},
    sides=(Side(TOUCHED, "bench.painting:touched"), Side(WHOLE, "bench.painting:whole")),
    goals=(Goal("time of painting only what marks touch, over the whole", TOUCHED, 0.2, over=WHOLE),),
)
SCRIBBLE = Benchmark(
    name="scribble",
    what="a scribble in the published style on a picture of 4000 x 3000: its layer",
    given={"width": 4000, "height": 3000, "line": 48},
    sides=(Side(ONE_CALL, "bench.painting:one_call"), Side(EACH, "bench.painting:each_segment")),
    goals=(Goal("time of one call, over a call for each segment", ONE_CALL, 0.2, over=EACH),),
)


def touched(given: dict[str, Any]) -> dict[str, Any]:
    """Time laying marks over the parts that they touch."""
    from PIL import Image

    from deixis.painting.strokes import lay_over

    pixels, marks = background(given), ellipses(given)

    def work() -> NDArray[np.uint8]:
        image = Image.fromarray(pixels).copy()
        for strokes in marks:
            lay_over(image, strokes)
        return np.asarray(image)

    made, times = repeated(given, work)
    return {**times, "digest": digest(made)}


def whole(given: dict[str, Any]) -> dict[str, Any]:
    """Time laying a layer of the whole picture over it, region by region."""
    from PIL import Image

    from deixis.painting.strokes import write

    pixels, marks = background(given), ellipses(given)

    def work() -> NDArray[np.uint8]:
        image = Image.fromarray(pixels).copy()
        for strokes in marks:
            layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
            for stroke in strokes:
                write(layer, stroke)
            image = Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB")
        return np.asarray(image)

    made, times = repeated(given, work)
    return {**times, "digest": digest(made)}


def one_call(given: dict[str, Any]) -> dict[str, Any]:
    """Time the curve and its layer as they are drawn here."""
    from deixis.painting.published import bezier, whole_pixels
    from deixis.painting.strokes import Stroke, layer_of

    def work() -> Any:
        xs, ys = whole_pixels(bezier(np.array(CONTROLS), count=segments(given))).T.tolist()
        points = tuple(zip(xs, ys, strict=True))
        return layer_of([Stroke("line", points, fill=COLOUR, width=given["line"])], AREA)

    made, times = repeated(given, work)
    return {**times, "digest": digest(np.asarray(made))}


def each_segment(given: dict[str, Any]) -> dict[str, Any]:
    """Time the same with a call for each segment."""
    from PIL import Image, ImageDraw

    from deixis.painting.published import bezier

    def work() -> Image.Image:
        curve = bezier(np.array(CONTROLS), count=segments(given)) - AREA[:2]
        layer = Image.new("RGBA", (AREA[2] - AREA[0], AREA[3] - AREA[1]), (0, 0, 0, 0))
        draw = ImageDraw.Draw(layer)
        for pair in pairwise(map(tuple, curve.tolist())):
            draw.line(pair, fill=COLOUR, width=given["line"])
        return layer

    made, times = repeated(given, work)
    return {**times, "digest": digest(np.asarray(made))}


def segments(given: dict[str, Any]) -> int:
    """Return how many points the published program draws a curve through."""
    return int(1000 * max(given["width"], given["height"]) / 336)


def background(given: dict[str, Any]) -> NDArray[np.uint8]:
    """Return the pixels (H, W, 3) that are painted on."""
    rng = np.random.default_rng(given["seed"])
    return rng.integers(0, 256, (given["height"], given["width"], 3), dtype=np.uint8)


def ellipses(given: dict[str, Any]) -> list[Any]:
    """Return the strokes of marks of a twentieth to a fifth of the picture's sides."""
    from deixis.painting.draws import SeededDraws
    from deixis.painting.published import strokes_of
    from deixis.painting.silhouette import Silhouette

    rng, draws = np.random.default_rng(given["seed"]), SeededDraws(given["seed"])
    size = given["width"], given["height"]
    marks = []
    for _ in range(given["regions"]):
        wide, high = rng.uniform(0.05, 0.2, 2) * size
        x, y = rng.uniform(0, 1, 2) * (size[0] - wide, size[1] - high)
        known = Silhouette((float(x), float(y), float(x + wide), float(y + high)))
        marks.append(strokes_of("ellipse", known, rgb=(255, 0, 0), size=size, draws=draws))
    return marks
