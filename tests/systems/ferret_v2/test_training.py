"""The three stages of the recipes, a few steps each at tiny size: what learns, what stands still."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from deixis.answers.grounded import Answer
from deixis.checkpoints.convert.renaming import dinov2_attention, with_parts
from deixis.regions.shapes import Box, Point
from deixis.runs.training import run_recipes
from deixis.systems import load, training_parts
from deixis.systems.ferret_v2.answering import FerretV2System
from deixis.training.recipes.packaged import FOLDER
from deixis.training.recipes.recipe import Recipe, SourceChoice, read_recipe
from tests.checkpoints.tiny_checkpoints import (
    CLIP,
    dinov2_state,
    ferret_folders,
    write_json,
    write_safetensors,
)
from tests.data.grit.made import spoken, write_list
from tests.systems.ferret.networks import SAMPLER
from tests.toy.pack import write_toy_pack

TINY: dict[str, dict[str, Any]] = {
    "alignment": {"initial": {"language": "base", "tower": "tower"}, "global_side": 56},
    "dense": {"initial": {"local_tower": "dinov2"}, "global_side": 56, "crop": 56, "sampler": SAMPLER},
    "instruct": {},
}
SOURCES = {
    "alignment": (SourceChoice(grit="captions.json"),),
    "dense": (SourceChoice(dense=True),),
    "instruct": (SourceChoice(grit="vg_objects.json", multiplier=1.5), SourceChoice(grit="refexp_all.json")),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy pack, records about its pictures, and published parts."""
    folder = tmp_path_factory.mktemp("data")
    ferret_folders(folder)
    (folder / "dinov2").mkdir()
    write_safetensors(folder / "dinov2", dinov2_state(torch.Generator().manual_seed(4)))
    fields = {key: value for key, value in CLIP.items() if key != "intermediate_size"}
    write_json(
        folder / "dinov2" / "config.json",
        {**fields, "model_type": "dinov2", "mlp_ratio": 2, "hidden_act": "gelu"},
    )
    write_toy_pack(folder, pictures=4)
    pictures = json.loads((folder / "train_instances.json").read_text())["images"]
    rows = [
        {"id": row["id"], "image": f"{row['id']}.jpg", "image_w": row["width"], "image_h": row["height"]}
        for row in pictures
    ]
    captions = spoken("<image>\nWhat is in the picture?", "some shapes on a ground.")
    asked = spoken("<image>\nWhat is <bbox_location0>?", "a shape.")
    found = spoken("<image>\nWhere is the shape?", "the shape <bbox_location0>.")
    box = [10, 10, 60, 70]
    write_list(folder / "captions.json", *(row | {"conversations": captions} for row in rows))
    boxes = {"box_x1y1x2y2": [[box], []]}
    write_list(folder / "vg_objects.json", *(row | {"conversations": asked} | boxes for row in rows))
    boxes = {"box_x1y1x2y2": [[], [box]]}
    write_list(folder / "refexp_all.json", *(row | {"conversations": found} | boxes for row in rows))
    return folder


def tiny(stage: str) -> Recipe:
    """Return the stage's own recipe at tiny size; rates are raised, so that a few steps show in bfloat16."""
    recipe = read_recipe(FOLDER / "ferret_v2" / f"{stage}.yaml")
    return replace(
        recipe,
        steps=3,
        batch=2,
        per_device_batch=None,
        precision="float32",
        workers=0,
        threads=1,
        sources=SOURCES[stage],
        groups=tuple(replace(group, rate=1e-2 * bool(group.rate)) for group in recipe.groups),
        schedule=replace(recipe.schedule, warmup=0),
        network=recipe.network | TINY[stage],
    )


@pytest.fixture(scope="module")
def models(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    out = tmp_path_factory.mktemp("out")
    done = run_recipes([tiny(stage) for stage in reversed(TINY)], data=data, out=out)
    return dict(zip(TINY, done, strict=True))


def weights_of(model: Path) -> dict[str, Tensor]:
    """Return saved weights; DINOv2's attention is stored by older names of transformers."""
    stored = load_file(model / "model.safetensors")
    return {with_parts(name, dinov2_attention()): tensor for name, tensor in stored.items()}


def parts_of(state: dict[str, Tensor]) -> set[str]:
    return {name.split(".")[0] for name in state}


def changed(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    """Return the parts with a weight that moved."""
    return {
        name.split(".")[0]
        for name, tensor in after.items()
        if not torch.equal(tensor, before[name].to(tensor.dtype))
    }


def started(stage: str, data: Path, start: Path | None) -> dict[str, Tensor]:
    """Return the weights that a stage starts from."""
    recipe = tiny(stage)
    torch.manual_seed(recipe.seed)
    parts = training_parts(recipe, data=data, start=start, work=data)
    return dict(parts.objective.network.state_dict())


def test_alignment_trains_the_projector_of_the_whole_picture(data: Path, models: dict[str, Path]) -> None:
    after = weights_of(models["alignment"])
    assert parts_of(after) == {"language", "tower", "projector"}
    assert changed(started("alignment", data, None), after) == {"projector"}
    system = load(models["alignment"])
    picture = next((data / "images").glob("*.jpg"))
    assert system.ask(picture, "what is there?", max_new_tokens=3).system == "ferret_v2"


def test_dense_trains_projectors_and_sampler(data: Path, models: dict[str, Path]) -> None:
    before = started("dense", data, models["alignment"])
    copied = {name: tensor for name, tensor in before.items() if name.startswith("local_projector.")}
    assert copied
    for name, tensor in copied.items():
        assert torch.equal(tensor, before[name.removeprefix("local_")]), name
    aligned = weights_of(models["alignment"])
    assert changed({name: before[name] for name in aligned}, aligned) == set()
    after = weights_of(models["dense"])
    assert parts_of(after) == {"language", "tower", "projector", "local_tower", "local_projector", "sampler"}
    assert changed(before, after) == {"projector", "local_projector", "sampler"}
    assert not torch.equal(after["projector.0.weight"], after["local_projector.0.weight"])


def test_instruct_trains_everything(data: Path, models: dict[str, Path]) -> None:
    dense = weights_of(models["dense"])
    before = started("instruct", data, models["dense"])
    assert changed(before, dense) == set()
    after = weights_of(models["instruct"])
    assert changed(before, after) == parts_of(after) == parts_of(dense)


def test_the_result_opens_and_answers(data: Path, models: dict[str, Path]) -> None:
    system = load(models["instruct"])
    assert isinstance(system, FerretV2System)
    picture = next((data / "images").glob("*.jpg"))
    answers = system.ask(
        picture,
        ["what is {it}?", "where is the shape?", "is {it} like {other}?"],
        it=Box(10, 10, 60, 70),
        other=Point(30, 30),
        max_new_tokens=6,
    )
    assert all(isinstance(answer, Answer) and answer.system == "ferret_v2" for answer in answers)
    assert {path.name for path in models["instruct"].iterdir()} == {
        "README.md",
        "config.json",
        "data_terms.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.model",
        "tokenizer_config.json",
    }


def test_what_starts_fresh_is_said(
    data: Path, models: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    started("dense", data, models["alignment"])
    assert "recipe 'ferret_v2-dense': parts that start fresh: sampler" in caplog.messages
