"""The two pictures that a teacher sees: as it is, and with marks; and what is known of it in both frames."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deixis.data.opening import carried_scene, orientation_of, turned_scene
from deixis.data.scene import Scene
from deixis.data.teacher.lesson import Kind, Lesson
from deixis.endpoints.chat import ShownPicture
from deixis.pictures.opening import Picture
from deixis.pictures.resizing import resize
from deixis.regions.carrying import carried

LONGEST_SIDE = 1024  # pixels; what is larger is made smaller
QUALITY = 90  # of JPEG
BACK = {6: 8, 8: 6}  # how a picture is turned back; all other orientations undo themselves


@dataclass(frozen=True)
class Seen:
    """An opened picture. upright, stored: what is known of it, in its pixels and in those of its file."""

    picture: Picture
    upright: Scene
    stored: Scene


def see(scene: Scene) -> Seen:
    """Return the picture of a scene. BadPicture, RecordError: it can't be opened, or has another size."""
    encoded = scene.picture.read()
    picture = scene.picture.opened(encoded)
    orientation = orientation_of(encoded, max_pixels=scene.picture.max_pixels)
    size = (picture.width, picture.height)
    upright = carried_scene(scene, 1 if scene.upright else orientation, size=size)
    if orientation == 1:
        return Seen(picture, upright, upright)
    stored = turned_scene(upright, BACK.get(orientation, orientation))
    return Seen(picture, replace(upright, upright=True), replace(stored, upright=False))


def shown(lesson: Lesson, seen: Seen, kind: Kind) -> tuple[ShownPicture, ShownPicture]:
    """Return both pictures, small enough to send. BadRegion: a thing that can't be marked."""
    picture = seen.picture
    ratio = min(LONGEST_SIDE / max(picture.width, picture.height), 1.0)
    if ratio < 1:
        width, height = (max(round(side * ratio), 1) for side in (picture.width, picture.height))
        picture = resize(picture, width, height)
    things = [seen.upright.thing(number) for number in lesson.things]
    regions = [carried((thing.mask or thing.box).bind(seen.picture.frame), picture.frame) for thing in things]
    return jpeg(picture.pixels), jpeg(kind.paint(picture.pixels, regions))


def jpeg(pixels: NDArray[np.uint8]) -> ShownPicture:
    """Return pixels (H, W, 3) encoded; the same bytes for the same pixels."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=QUALITY)
    return ShownPicture(stream.getvalue())


def picture_tokens(picture: ShownPicture) -> int:
    """Return about how many tokens a picture takes, from its size: 85 and 170 for each tile of 512 pixels."""
    with Image.open(io.BytesIO(picture.encoded)) as image:
        wide, high = (-(-side // 512) for side in image.size)
    return 85 + 170 * wide * high
