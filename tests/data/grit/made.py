"""Records and scenes written by hand, for the tests of this folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from deixis.data.grit.records import GritRecord, parse_grit
from deixis.data.scene import Caption, Phrase, PictureFile, Scene, Thing
from deixis.files.json_files import Fields
from deixis.regions.shapes import Box, Mask

DISC = np.hypot(*np.mgrid[-15:29, -20:40].astype(float)) <= 8  # (44, 60), round (20, 15)
RUNS = Mask.from_array(DISC).to_coco()


def spoken(*texts: str) -> list[dict[str, str]]:
    return [{"from": "gpt" if n % 2 else "human", "value": text} for n, text in enumerate(texts)]


def values(*texts: str, **fields: Any) -> dict[str, Any]:
    return {"id": 1, "image": "a.png", "image_w": 60, "image_h": 44, "conversations": spoken(*texts)} | fields


def record(*texts: str, **fields: Any) -> GritRecord:
    return parse_grit(Fields(values(*texts, **fields), "a.json[0]"))


def write_list(path: Path, *rows: object) -> Path:
    path.write_text(json.dumps(list(rows)), encoding="utf-8")
    return path


def scene(folder: Path) -> Scene:
    """A dog (with a mask) and two cups, of which a caption speaks; cats are known to be absent."""
    Image.new("RGB", (60, 44), (90, 120, 60)).save(folder / "a.png")
    things = (
        Thing(1, Box(12, 7, 29, 24), "dog", mask=Mask.from_array(DISC)),
        Thing(2, Box(40, 2, 50, 12), "cup"),
        Thing(3, Box(30, 30, 45, 44), "cup"),
        Thing(4, Box(0, 40, 2, 42), "crumb"),
    )
    text = "A brown dog beside two cups."
    phrases = (Phrase(0, 11, "A brown dog", (1,)), Phrase(19, 27, "two cups", (2, 3)))
    return Scene(
        "7",
        PictureFile(folder / "a.png"),
        60,
        44,
        things=things,
        captions=(Caption(text, phrases),),
        expressions=(),
        exhaustive=frozenset({"dog", "cup", "cat"}),
    )
