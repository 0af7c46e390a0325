"""Pictures of datasets, opened upright with what a dataset says about them in the same frame.

Datasets give boxes in pixels of the stored file; a camera's orientation mark (EXIF) turns the picture.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from deixis.data.scene import PictureFile, Scene, Thing
from deixis.errors import BadPicture, RecordError
from deixis.pictures.broken import BrokenPictures
from deixis.pictures.decoding import allowed
from deixis.pictures.opening import LARGEST_PIXELS, Picture, known_formats
from deixis.regions.shapes import Box, Mask

ORIENTATION = 0x0112
Edges = tuple[float, float, float, float]
# Orientation -> whether rows and columns change places, then whether x and y are counted from the other end.
TURNS = {
    1: (False, False, False),
    2: (False, True, False),
    3: (False, True, True),
    4: (False, False, True),
    5: (True, False, False),
    6: (True, True, False),
    7: (True, True, True),
    8: (True, False, True),
}
PNG = b"\x89PNG"
PNG_MARKS = (
    b"eXIf",
    b"adobe.xmp",
    b"Raw profile type",
)  # without one of them it says nothing of how it was held


def open_scene(scene: Scene) -> tuple[Picture, Scene]:
    """The upright picture of a scene, and the scene with its boxes and masks carried to it.

    The scene itself comes back where the picture isn't turned. RecordError: the picture has another size than
    its entry states.
    """
    encoded = scene.picture.read()
    picture = scene.picture.opened(encoded)
    orientation = 1 if scene.upright else orientation_of(encoded, max_pixels=scene.picture.max_pixels)
    return picture, carried_scene(scene, orientation, size=(picture.width, picture.height))


def upright_scenes(scenes: Iterable[Scene]) -> list[Scene]:
    """Scenes with their boxes carried to the upright pictures; of most only the headers are read.

    Pictures that can't be read leave their scenes as they are: opening them will say what is wrong.
    """
    return [upright_scene(scene) for scene in scenes]


def upright_scene(scene: Scene) -> Scene:
    """A scene with its boxes carried to the upright picture; the scene itself where nothing is turned."""
    if scene.upright or stored_orientation(scene.picture) == 1:
        return scene
    try:
        return open_scene(scene)[1]
    except (BadPicture, RecordError):
        return scene


def stored_orientation(picture: PictureFile) -> int:
    """How a stored picture has to be turned, 1 where it can't be read."""
    if picture.member is None:
        return orientation_of(picture.path, max_pixels=picture.max_pixels)
    try:
        return orientation_of(picture.read(), max_pixels=picture.max_pixels)
    except RecordError:
        return 1


def carried_scene(scene: Scene, orientation: int, *, size: tuple[int, int]) -> Scene:
    """A scene in the frame of its opened picture of that size (width, height).

    RecordError: the entry states another size than the picture has, as stored or upright.
    """
    stated, stored = (scene.width, scene.height), stored_size(size, orientation)
    if stated == stored:
        return scene if orientation == 1 else turned_scene(scene, orientation)
    if stated == size:  # whoever wrote the entry saw the picture upright
        return scene
    raise RecordError(
        f"picture {scene.picture.name} has {stored[0]} x {stored[1]} pixels, its entry says "
        f"{scene.width} x {scene.height}; so boxes do not fit. Was it resized, or is it another version?"
    )


def orientation_of(source: bytes | Path, *, max_pixels: int = LARGEST_PIXELS) -> int:
    """The orientation from 1 (as stored) to 8 that an encoded picture states; 1 where it states none.

    max_pixels: what it was opened with, or is to be.
    """
    if isinstance(source, bytes) and source.startswith(PNG) and not any(m in source for m in PNG_MARKS):
        return 1  # Pillow would decode it all to find that out
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stream = io.BytesIO(source) if isinstance(source, bytes) else source
            with allowed(max_pixels), Image.open(stream, formats=known_formats()) as image:
                found = image.getexif().get(ORIENTATION, 1)
    except Exception:  # what is wrong with a picture is for its opening to say
        return 1
    return found if found in TURNS else 1


def stored_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Width and height of the stored file of an upright picture of that size.

    >>> stored_size((40, 64), 6)
    (64, 40)
    """
    return size[::-1] if TURNS[orientation][0] else size


def turned_scene(scene: Scene, orientation: int) -> Scene:
    """A scene of a stored picture, carried to the upright one."""
    width, height = stored_size((scene.width, scene.height), orientation)
    things = tuple(turned_thing(thing, orientation, width=width, height=height) for thing in scene.things)
    return replace(scene, width=width, height=height, things=things, upright=True)


def turned_thing(thing: Thing, orientation: int, *, width: int, height: int) -> Thing:
    """A thing of a stored picture in the upright one of that size."""
    edges = turned_edges(thing.box.as_tuple(), orientation, width=width, height=height)
    mask = None if thing.mask is None else turned_mask(thing.mask, orientation)
    return replace(thing, box=Box(*edges), mask=mask)


def turned_edges(edges: Edges, orientation: int, *, width: float, height: float) -> Edges:
    """x0 y0 x1 y1 of a stored picture in the upright one of that size.

    >>> turned_edges((6, 4, 26, 18), 6, width=40, height=64)
    (22, 6, 36, 26)
    """
    swapped, from_right, from_below = TURNS[orientation]
    x0, y0, x1, y1 = edges
    if swapped:
        x0, y0, x1, y1 = y0, x0, y1, x1
    if from_right:
        x0, x1 = width - x1, width - x0
    if from_below:
        y0, y1 = height - y1, height - y0
    return x0, y0, x1, y1


def turned_mask(mask: Mask, orientation: int) -> Mask:
    """A mask of a stored picture in the upright one."""
    swapped, from_right, from_below = TURNS[orientation]
    pixels = mask.rasterise()
    if swapped:
        pixels = pixels.T
    return Mask.from_array(
        np.ascontiguousarray(pixels[:: -1 if from_below else 1, :: -1 if from_right else 1])
    )


def with_max_pixels(scenes: Iterable[Scene], max_pixels: int) -> list[Scene]:
    """Scenes whose pictures may have so many pixels to be opened."""
    if max_pixels == LARGEST_PIXELS:
        return list(scenes)
    return [replace(scene, picture=replace(scene.picture, max_pixels=max_pixels)) for scene in scenes]


def sound_scenes(scenes: Iterable[Scene], *, source: Path, broken: str) -> list[Scene]:
    """The scenes of a dataset folder that are kept by the rule `broken` (`BrokenPictures`)."""
    pictures = BrokenPictures(broken)
    kept = list(
        pictures.sound(
            scenes,
            opened=lambda scene: scene.picture.open(),
            name=lambda scene: f"{scene.picture.path}/{scene.picture.member or ''}",
        )
    )
    pictures.report(source)
    return kept
