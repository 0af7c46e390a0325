"""What a system was given for a question, and what it looked at, as plain values for the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any

from PIL import Image

from deixis.pictures.opening import Picture
from deixis.regions.shapes import Region
from deixis.systems.contract import System
from deixis.systems.looks import Look
from deixis.systems.questions import checked_question

LONGEST_SIDE = 1600  # of a picture that is sent to be looked at
DECIMALS = 4


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
    packed = io.BytesIO()
    image.save(packed, "PNG", compress_level=1)
    png = base64.b64encode(packed.getvalue()).decode()
    return {"title": title, "width": picture.width, "height": picture.height, "png": png}


def looked_at(
    system: System, picture: Picture, question: str, regions: Mapping[str, Region]
) -> list[dict[str, Any]]:
    """Return what the places of an answer were chosen from: a map for each phrase, or boxes."""
    return [shown_look(look) for look in system.looks(picture, question, regions=dict(regions))]


def shown_look(look: Look) -> dict[str, Any]:
    """Return a look as plain values; the largest share of a map is 1."""
    if look.map is None:
        title = f"{len(look.places)} places that were found before anything was asked"
        boxes = [{"box": list(place.box.as_tuple()), "score": place.score} for place in look.places]
        return {"phrase": look.phrase, "title": title, "boxes": boxes}
    height, width = look.map.shape
    peak = float(look.map.max()) or 1.0
    found = round(100 * (1 - look.nowhere))
    return {
        "phrase": look.phrase,
        "title": f"Where it looked for “{look.phrase}”; {100 - found} % was for “nowhere”",
        "width": width,
        "height": height,
        "box": list(look.corners),
        "values": [round(float(value) / peak, DECIMALS) for value in look.map.ravel()],
    }
