"""What a recipe's sources do with boxes that stick out and with pictures that can't be opened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis.errors import DeixisError
from deixis.regions.frames import Frame
from deixis.systems.sources import Sources
from deixis.training.recipes.recipe import Recipe
from tests.toy.recipe import toy_recipe


def coco(box: list[float]) -> dict[str, Any]:
    """Return a COCO file of two pictures of 60 x 40."""
    images = [
        {"id": n, "file_name": name, "width": 60, "height": 40} for n, name in enumerate(("a.png", "b.png"))
    ]
    annotations = [
        {"id": n, "image_id": n, "category_id": 1, "bbox": one, "area": 9.0, "iscrowd": 0}
        for n, one in enumerate((box, [5, 5, 20, 20]))
    ]
    return {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "cat"}]}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for folder in ("val2017", "images"):
        (tmp_path / folder).mkdir()
        for name in ("a.png", "b.png"):
            Image.new("RGB", (60, 40), (90, 120, 60)).save(tmp_path / folder / name)
    (tmp_path / "annotations").mkdir()
    return tmp_path


def written(data: Path, kind: str, *, sticks_out: bool = False) -> dict[str, Any]:
    """Write two pictures' entries, the first box beyond the picture if asked for; return the source."""
    box = [40, 10, 70, 30] if sticks_out else [40, 10, 55, 30]
    if kind == "dataset":
        content = coco([box[0], box[1], box[2] - box[0], box[3] - box[1]])
        (data / "annotations" / "instances_val2017.json").write_text(json.dumps(content))
        return {"split": "val2017"}
    if kind == "samples":
        lines = [
            {
                "picture": f"images/{name}",
                "frame": "pixels",
                "regions": {"a": {"box": one}},
                "turns": [{"user": "What is {a}?", "assistant": "A cat."}],
            }
            for name, one in (("a.png", box), ("b.png", [5, 5, 20, 20]))
        ]
        (data / "own.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        return {"samples": "own.jsonl"}
    entries = [
        {
            "id": name,
            "image": name,
            "image_w": 60,
            "image_h": 40,
            "box_x1y1x2y2": [[one], []],
            "conversations": [
                {"from": "human", "value": "<image>\nWhat is <bbox_location0>?"},
                {"from": "gpt", "value": "a cat"},
            ],
        }
        for name, one in (("a.png", box), ("b.png", [5, 5, 20, 20]))
    ]
    (data / "list.json").write_text(json.dumps(entries))
    return {"grit": "list.json"}


def sources(data: Path, **source: Any) -> Sources:
    recipe: Recipe = toy_recipe(sources=[source])
    return Sources.of(recipe, data)


def used(found: Sources) -> int:
    """Return how many things or regions are learnt from, those of samples in their pictures."""
    frame = Frame.original(60, 40)
    return sum(
        sum(len(scene.things) for scene in one.scenes)
        + sum(len(record.bound_regions(frame)) for record in one.records)
        + len(one.grit)
        for one in found.read
    )


KINDS = ["dataset", "samples", "grit"]


@pytest.mark.parametrize("kind", KINDS)
def test_boxes_that_stick_out_are_refused_cut_or_passed_over(data: Path, kind: str) -> None:
    source = written(data, kind, sticks_out=True)
    with pytest.raises(DeixisError, match=r"70|71"):
        used(sources(data, **source, outside="refuse"))
    assert used(sources(data, **source, outside="cut")) == 2
    assert used(sources(data, **source, outside="pass_over")) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_broken_pictures_are_passed_over_where_that_is_asked_for(data: Path, kind: str) -> None:
    source = written(data, kind)
    assert used(sources(data, **source)) == 2
    for file in data.rglob("a.png"):
        file.write_bytes(file.read_bytes()[:60])
    assert used(sources(data, **source, broken="pass_over")) == 1
