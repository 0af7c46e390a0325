"""Random views of a training picture: zoom, shift, mirror, contrast, colour; boxes follow exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from deixis.pictures.opening import Picture
from deixis.pictures.resizing import fitted_size, resize_pixels
from deixis.regions.clipping import clip_boxes
from deixis.regions.frames import Frame
from deixis.regions.overlap import areas


@dataclass(frozen=True)
class Augmentation:
    """How much a view may differ; every number 0 (and zoom 1 to 1) gives the letterboxed picture itself.

    square: whether views are square, as a network that letterboxes sees them; else they keep the picture's
    proportions, for networks that resize or cut it by themselves.
    """

    zoom: tuple[float, float] = (0.75, 1.4)
    shift: float = 0.2
    mirror: float = 0.5
    contrast: float = 0.35
    colour: float = 0.12
    grey: float = 0.1
    keep: float = 0.4
    square: bool = True


@dataclass(frozen=True)
class View:
    """A view of a picture.

    boxes (n, 4) float64 xyxy in pixels of the view, cut at its edges; kept (n,) bool: enough of it is left.
    """

    picture: Picture
    boxes: np.ndarray
    kept: np.ndarray
    mirrored: bool


def draw_view(
    pixels: np.ndarray, boxes: np.ndarray, *, side: int, how: Augmentation, rng: np.random.Generator
) -> View:
    """Return a random view, its longer side ``side`` pixels long.

    pixels (H, W, 3) uint8; boxes (n, 4) float64 xyxy in pixels of the picture.
    """
    height, width = pixels.shape[:2]
    mirrored = bool(rng.random() < how.mirror)
    if mirrored:
        pixels = pixels[:, ::-1]
        boxes = np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], axis=1)
    scale = side / max(width, height) * float(rng.uniform(*how.zoom))
    size = np.array([max(round(width * scale), 1), max(round(height * scale), 1)])
    scales = size / np.array([width, height])
    extent = np.array([side, side] if how.square else fitted_size(width, height, side))
    # The view slides over the resized picture: centred, plus a shift of part of the side.
    offset = np.round((extent - size) / 2 + rng.uniform(-how.shift, how.shift, size=2) * extent).astype(int)
    canvas = Image.new("RGB", (int(extent[0]), int(extent[1])), (128, 128, 128))
    resized = resize_pixels(np.ascontiguousarray(pixels), int(size[0]), int(size[1]))
    canvas.paste(Image.fromarray(resized), (int(offset[0]), int(offset[1])))
    moved = boxes * np.tile(scales, 2) + np.tile(offset, 2)
    cut = clip_boxes(moved, extent.tolist())
    kept = areas(cut) >= how.keep * np.maximum(areas(moved), 1e-9)
    # Slivers teach nothing: a box must still be two pixels wide and high.
    kept &= (cut[:, 2:] - cut[:, :2]).min(axis=1) >= 2 if len(cut) else kept
    view = recolour(np.asarray(canvas), how=how, rng=rng)
    return View(
        picture=Picture(pixels=view, frame=Frame.original(*map(int, extent)), name="view"),
        boxes=cut,
        kept=kept,
        mirrored=mirrored,
    )


def recolour(pixels: np.ndarray, *, how: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """Return uint8 pixels with random contrast, tint and sometimes no colour at all."""
    values = pixels.astype(np.float32)
    if rng.random() < how.grey:
        values = np.repeat(values @ np.array([[0.299], [0.587], [0.114]], dtype=np.float32), 3, axis=2)
    contrast = float(rng.uniform(1 - how.contrast, 1 + how.contrast))
    tint = rng.uniform(1 - how.colour, 1 + how.colour, size=3).astype(np.float32)
    brightness = float(rng.uniform(-0.5, 0.5)) * how.contrast * 64
    values = ((values - 128) * contrast + 128 + brightness) * tint
    return np.clip(values, 0, 255).astype(np.uint8)
