"""Questions of all kinds: pictures, regions in all shapes and frames, settings, dialogues."""

from __future__ import annotations

import base64
import io
import random
from typing import Any

import numpy as np
from PIL import Image

from deixis.regions.as_objects import region_object
from deixis.regions.shapes import Mask

MODELS = ("embedded", "ferret", "ferret_v2", "vip_llava", "florence_vl", "groma")
KINDS = ("box", "point", "polygon", "scribble", "mask")
WORDS = ("What is ", "Where is the dog near ", "Describe ", "Is there a cat in ")
POOL = 12  # pictures that are asked about again and again


def picture_url(seed: int) -> tuple[str, int, int]:
    """A picture as a data URL, and its size; the same for the same seed."""
    noise = np.random.default_rng(seed)
    width, height = int(noise.integers(40, 200)), int(noise.integers(40, 200))
    coarse = noise.integers(0, 255, (6, 6, 3), dtype=np.uint8)
    packed = io.BytesIO()
    Image.fromarray(coarse).resize((width, height)).save(packed, "JPEG" if seed % 2 else "PNG")
    kind = "jpeg" if seed % 2 else "png"
    return f"data:image/{kind};base64,{base64.b64encode(packed.getvalue()).decode()}", width, height


def region(kind: str, width: int, height: int, chance: random.Random) -> dict[str, Any]:
    """A region of a kind inside of a picture, in any frame."""
    frame = chance.choice(("pixels", "unit", "thousandths"))
    x0, y0 = chance.uniform(0, 0.5), chance.uniform(0, 0.5)
    x1, y1 = x0 + chance.uniform(0.2, 0.45), y0 + chance.uniform(0.2, 0.45)
    if kind == "mask":
        inside = np.zeros((height, width), dtype=bool)
        inside[int(y0 * height) : int(y1 * height) + 1, int(x0 * width) : int(x1 * width) + 1] = True
        return region_object(Mask.from_array(inside))
    wide, tall = {"pixels": (width, height), "unit": (1, 1), "thousandths": (1000, 1000)}[frame]
    corners = [[x0 * wide, y0 * tall], [x1 * wide, y0 * tall], [x1 * wide, y1 * tall]]
    shape: dict[str, Any] = {
        "box": [*corners[0], *corners[2]],
        "point": corners[1],
        "polygon": corners,
        "scribble": corners,
    }
    return {kind: shape[kind], "frame": frame}


def question(chance: random.Random, *, fresh: int) -> dict[str, Any]:
    """The body of a request. fresh: a number that no other request has."""
    url, width, height = picture_url(fresh + POOL if chance.random() < 0.2 else chance.randrange(POOL))
    parts: list[dict[str, Any]] = [{"type": "image_url", "image_url": {"url": url}}]
    for _ in range(chance.choice((0, 1, 1, 2))):
        parts.append({"type": "text", "text": chance.choice(WORDS)})
        parts.append({"type": "region", "region": region(chance.choice(KINDS), width, height, chance)})
    parts.append({"type": "text", "text": "?" if len(parts) > 1 else "Where is the dog?"})
    messages: list[dict[str, Any]] = [{"role": "user", "content": parts}]
    if chance.random() < 0.2:
        messages.append({"role": "assistant", "content": "a dog."})
        messages.append({"role": "user", "content": "And where is the cat?"})
    body: dict[str, Any] = {"model": chance.choice(MODELS), "messages": messages}
    body["max_tokens"] = chance.randrange(2, 16)
    body["stream"] = chance.random() < 0.5
    if chance.random() < 0.3:
        body |= {"temperature": 0.8, "seed": chance.randrange(100)}
    return body | ({"logprobs": True} if chance.random() < 0.2 else {})
