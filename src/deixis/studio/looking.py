"""What a system was given for a question, and what it looked at, as plain values for the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from deixis.pictures.opening import Picture
from deixis.regions.shapes import Region
from deixis.systems.contract import System
from deixis.systems.looks import Look
from deixis.systems.questions import checked_question

LONGEST_SIDE = 1600  # of a picture that is sent to be looked at
LONGEST_VEIL = 800  # of what is laid over a picture
DARK, DARKEST = (8, 6, 4), 225  # its colour, and how far it hides what is below, of 255


def seen(
    system: System, picture: Picture, question: str, regions: Mapping[str, Region]
) -> list[dict[str, Any]]:
    """Return the pictures that a system was given: painted, if it paints, and in the size that it reads."""
    shown = []
    if system.paints:
        painted = system.seen(picture, question, regions=dict(regions))
        shown += [shown_picture("With the marks that it paints", one) for one in painted]
    asked = checked_question(question, dict(regions), (picture,))
    for encoded in system.encoded_pictures.get(system.encoder_inputs(asked), system.encode):
        shown.append(shown_picture("As large as the network reads it", encoded.view))
    return shown


def shown_picture(title: str, picture: Picture) -> dict[str, Any]:
    """Return a picture as plain values: PNG in base64, made smaller if it is very large."""
    image = picture.image()
    if max(image.size) > LONGEST_SIDE:
        image = image.copy()
        image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    return {"title": title, "width": picture.width, "height": picture.height, "png": png_text(image)}


def png_text(image: Image.Image) -> str:
    """Return an image as PNG in base64."""
    packed = io.BytesIO()
    image.save(packed, "PNG", compress_level=1)
    return base64.b64encode(packed.getvalue()).decode()


def looked_at(
    system: System, picture: Picture, question: str, regions: Mapping[str, Region]
) -> list[dict[str, Any]]:
    """Return what the places of an answer were chosen from: a map for each phrase, or boxes."""
    looks = system.looks(picture, question, regions=dict(regions))
    return [shown_look(look, picture) for look in looks]


def shown_look(look: Look, picture: Picture) -> dict[str, Any]:
    """Return a look as plain values: boxes, or what lies over the picture."""
    if look.map is None:
        title = f"{len(look.places)} places that were found before anything was asked"
        boxes = [{"box": list(place.box.as_tuple()), "score": place.score} for place in look.places]
        return {"phrase": look.phrase, "title": title, "boxes": boxes}
    found = round(100 * (1 - look.nowhere))
    title = f"Where it looked for “{look.phrase}”; {100 - found} % was for “nowhere”"
    return {"phrase": look.phrase, "title": title, "png": png_text(veil(look, picture))}


def veil(look: Look, picture: Picture) -> Image.Image:
    """Return darkness to be laid over a picture, thinner where more was looked at, none at the most.

    Its size is the picture's or smaller. What is beyond the edges of the map is darkest.
    """
    assert look.map is not None
    peak = float(look.map.max()) or 1.0
    light = Image.fromarray(np.uint8(np.round(255 * np.sqrt(look.map / peak))))
    smaller = min(1.0, LONGEST_VEIL / max(picture.width, picture.height))
    size = max(round(smaller * picture.width), 1), max(round(smaller * picture.height), 1)
    x0, y0, x1, y1 = look.corners
    across, down = light.width / (x1 - x0), light.height / (y1 - y0)  # cells a pixel
    affine = (
        across * picture.width / size[0],
        0,
        -x0 * across,
        0,
        down * picture.height / size[1],
        -y0 * down,
    )
    light = light.transform(size, Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR)
    dark = Image.new("RGBA", size, DARK)
    dark.putalpha(light.point([round(DARKEST * (255 - value) / 255) for value in range(256)]))
    return dark
