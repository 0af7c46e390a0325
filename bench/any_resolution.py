"""A screenshot prepared for Ferret-UI: in one pass, against each tile through the library's processor.

The published code used CLIP's processor as it was then, made of Pillow and numpy; the one of torchvision that
has its name now is measured beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.benchmark import Benchmark, Goal, Side

PUBLISHED = "each tile through CLIPImageProcessor of Pillow"
BENCHMARK = Benchmark(
    name="any_resolution",
    what="a screenshot of 1170 x 2532 as one whole and 1 x 3 tiles of 336 x 336, normalised",
    given={"width": 1170, "height": 2532, "crop": 336, "seed": 0},
    sides=(
        Side("one pass", "bench.any_resolution:one_pass", threads=None),
        Side("one pass, one thread", "bench.any_resolution:one_pass"),
        Side(PUBLISHED, "bench.any_resolution:tile_by_tile_in_pillow", threads=None),
        Side(
            "each tile through CLIPImageProcessor of torchvision",
            "bench.any_resolution:tile_by_tile",
            threads=None,
        ),
    ),
    goals=(
        Goal(
            # Both may use every core and resize exactly, which takes most of the time; one pass over the
            # longer axis is saved, and shared among the cores.
            "preparing takes half the time",
            "one pass",
            at_most=0.5,
            over=PUBLISHED,
        ),
    ),
    tolerance=1e-4,
)


def one_pass(given: dict[str, Any]) -> dict[str, Any]:
    """Time ``Tiling.prepare``."""
    from PIL import Image

    from deixis.layers.towers.clip import CLIP_PIXELS
    from deixis.pictures import open_picture
    from deixis.systems.ferret_v2.grids import FERRET_UI_GRIDS
    from deixis.systems.ferret_v2.tiles import Tiling

    crop = given["crop"]
    tiling = Tiling(grids=FERRET_UI_GRIDS, crop=crop, side=crop, whole=CLIP_PIXELS, tile=CLIP_PIXELS)
    picture = open_picture(Image.fromarray(screenshot(given)))

    def prepare() -> Any:
        prepared = tiling.prepare(picture)
        return np.concatenate([prepared.whole_pixels.numpy()[None], prepared.tile_pixels.numpy()])

    return timed(prepare, given)


def tile_by_tile(given: dict[str, Any]) -> dict[str, Any]:
    """Time the processor that is made of torchvision."""
    from transformers import CLIPImageProcessor

    return through(CLIPImageProcessor, given)


def tile_by_tile_in_pillow(given: dict[str, Any]) -> dict[str, Any]:
    """Time the processor that is made of Pillow and numpy."""
    import transformers

    return through(getattr(transformers, "CLIPImageProcessorPil", transformers.CLIPImageProcessor), given)


def through(kind: Callable[..., Any], given: dict[str, Any]) -> dict[str, Any]:
    """Time resizing twice with Pillow and giving the whole and every tile to a processor."""
    from PIL import Image

    crop = given["crop"]
    square = {"height": crop, "width": crop}
    processor = kind(size=square, crop_size=square)
    image = Image.fromarray(screenshot(given))

    def resized(width: int, height: int) -> Image.Image:
        # The order of passes is asked for, as it differs between releases of Pillow.
        return image.resize((width, image.height), Image.Resampling.BICUBIC).resize(
            (width, height), Image.Resampling.BICUBIC
        )

    def prepare() -> Any:
        canvas = resized(crop, 3 * crop)
        pieces = [resized(crop, crop)]
        pieces += [canvas.crop((0, row * crop, crop, (row + 1) * crop)) for row in range(3)]
        # Joined by numpy on both sides: a parallel copy by torch would disturb the next run's threads.
        return np.concatenate(
            [processor(piece, return_tensors="pt")["pixel_values"].numpy() for piece in pieces]
        )

    return timed(prepare, given)


def screenshot(given: dict[str, Any]) -> Any:
    """Return pixels (H, W, 3) uint8 with flat areas, edges and noise, as a screen has."""
    chance = np.random.default_rng(given["seed"])
    blocks = chance.integers(0, 256, (given["height"] // 12 + 1, given["width"] // 9 + 1, 3), dtype=np.uint8)
    pixels = np.repeat(np.repeat(blocks, 12, axis=0), 9, axis=1)[: given["height"], : given["width"]]
    return np.ascontiguousarray(pixels ^ chance.integers(0, 8, pixels.shape, dtype=np.uint8))


def timed(work: Callable[[], Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return the times of some work, after one run that doesn't count, and a few of its numbers."""
    pixels = work()
    seconds = []
    for _ in range(given["repeats"]):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    lines = pixels[:, :, ::37, ::41].flatten().tolist()
    values = {"shape": list(pixels.shape), "sum of squares": float(np.square(pixels, dtype=np.float64).sum())}
    # Floats are compared relative to their size; a number near 0 would be compared with itself only.
    return {"seconds": seconds, "values": {**values, "pixels": [one + 10 for one in lines]}, "items": 4}
