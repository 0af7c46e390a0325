"""Pictures as cameras store them that were held askew: a red thing, and what states where it is."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

KEPT: dict[str, dict[str, Any]] = {
    ".jpg": {"quality": 95, "subsampling": 0},
    ".webp": {"lossless": True},
}  # so that edges stay where they are
LAYOUTS = ("pack", "coco", "refcoco", "objects365", "lvis")  # all of COCO's kin
RED = (6, 4, 26, 18)  # in pixels of the stored file


def write_turned(path: Path, orientation: int, *, size: tuple[int, int] = (64, 40)) -> Path:
    """A picture with a red thing and an orientation mark."""
    picture = Image.new("RGB", size, (20, 90, 40))
    picture.paste((230, 20, 20), RED)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, exif=exif, **KEPT.get(path.suffix, {}))
    return path


def instances(name: str = "a.jpg", *, size: tuple[int, int] = (64, 40), **changes: Any) -> dict[str, Any]:
    """The instances file of that picture."""
    x0, y0, x1, y1 = RED
    return {
        "images": [{"id": 1, "file_name": name, "width": size[0], "height": size[1]}],
        "categories": [{"id": 1, "name": "thing"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [x0, y0, x1 - x0, y1 - y0]}],
        **changes,
    }


def write_pack(
    folder: Path,
    orientation: int = 1,
    *,
    size: tuple[int, int] = (64, 40),
    name: str = "a.jpg",
    **changes: Any,
) -> Path:
    """A pack of that one picture, with a caption and an expression that speak of the thing."""
    write_turned(folder / "images" / name, orientation, size=size)
    content = instances(name, **({"size": size} | changes))
    (folder / "train_instances.json").write_text(json.dumps(content))
    phrase = {"start": 0, "end": 11, "text": "a red thing", "entity_id": "1", "ann_ids": [1]}
    caption = {"image_id": 1, "caption": "a red thing.", "phrases": [phrase]}
    (folder / "train_captions.jsonl").write_text(json.dumps(caption) + "\n")
    said = {"image_id": 1, "expression": "red thing", "ann_id": 1, "distractors": 0, "unique_phrase": True}
    (folder / "train_expressions.jsonl").write_text(json.dumps(said) + "\n")
    return folder


def write_folder(folder: Path, layout: str, **changes: Any) -> Path:
    """A folder of one red thing in a layout of COCO's kin, of whose instances file parts are changed."""
    content = instances(**changes)
    if layout == "pack":
        return write_pack(folder, **changes)
    places = {
        "coco": ("train_instances.json", "images"),
        "refcoco": ("instances.json", "images"),
        "objects365": ("objects365_train.json", "train"),
        "lvis": ("lvis_v1_train.json", "images"),
    }
    file, pictures = places[layout]
    write_turned(folder / pictures / "a.jpg", 1)
    (folder / file).write_text(json.dumps(content))
    if layout == "refcoco":
        said = {"split": "train", "image_id": 1, "ann_id": 1, "sentences": [{"sent": "the red one"}]}
        (folder / "refs(unc).p").write_bytes(pickle.dumps([said], protocol=2))
    return folder


def red_share(pixels: np.ndarray, box: tuple[float, ...]) -> float:
    """How much of a box of a picture is red."""
    x0, y0, x1, y1 = (round(edge) for edge in box)
    inside = pixels[max(y0, 0) : y1, max(x0, 0) : x1].astype(int)
    red = (inside[..., 0] > 150) & (inside[..., 1] < 90)
    return float(red.mean()) if red.size else 0.0
