"""LVIS files on the fly: pictures that show a dog and a cup, perhaps a cat, and know no more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CLASSES = (
    (1, "dog", ["dog", "puppy"]),
    (2, "cup", ["cup"]),
    (3, "cat", ["cat"]),
    (4, "hot_dog", ["hot_dog"]),
    (5, "cow", ["cow"]),
    (6, "teddy_bear", ["teddy_bear"]),
    (
        7,
        "monitor_(computer_equipment) computer_monitor",
        ["monitor_(computer_equipment)", "computer_monitor"],
    ),
    (8, "cupcup", ["cup_(toy)"]),
)


def annotation(number: int, *, image: int, kind: int, **changes: Any) -> dict[str, Any]:
    """A box of 20 x 24 pixels whose left half is the object."""
    x, y = 10 + number % 40, 5 + number % 8
    half = [[x, y, x + 10, y, x + 10, y + 24, x, y + 24]]
    return {
        "id": number,
        "image_id": image,
        "category_id": kind,
        "bbox": [x, y, 20, 24],
        "segmentation": half,
        **changes,
    }


def lvis_content(*, pictures: int = 40) -> dict[str, Any]:
    """What an LVIS file of so many pictures of 80 x 40 holds, two objects in each."""
    numbers = range(1, pictures + 1)
    return {
        "images": [
            {
                "id": number,
                "width": 80,
                "height": 40,
                "coco_url": f"http://images.cocodataset.org/val2017/{number}.jpg",
                "neg_category_ids": [5],
                "not_exhaustive_category_ids": [3, 8],
            }
            for number in numbers
        ],
        "categories": [
            {"id": number, "name": name, "synonyms": synonyms} for number, name, synonyms in CLASSES
        ],
        "annotations": [
            annotation(2 * number + kind, image=number, kind=kind) for number in numbers for kind in (1, 2)
        ],
    }


def lvis_file(folder: Path, content: dict[str, Any] | None = None) -> Path:
    """The path of a file with this content."""
    path = folder / "lvis_v1_val.json"
    path.write_text(json.dumps(lvis_content() if content is None else content), encoding="utf-8")
    return path
