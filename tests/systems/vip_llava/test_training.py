"""The three stages of the recipes, a few steps each at tiny size: what learns, what is frozen."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from deixis.regions.shapes import Box
from deixis.runs.training import run_recipes
from deixis.systems import load, training_parts
from deixis.systems.vip_llava.config import VipLlavaConfig
from deixis.training.recipes.packaged import FOLDER
from deixis.training.recipes.recipe import Recipe, read_recipe
from tests.checkpoints.tiny_checkpoints import ferret_folders

STAGES = ("alignment", "region", "instruct")
TINY = {
    "initial": {"language": "initial/base", "tower": "initial/tower"},
    "side": 56,
    "select_layers": [-1, 1],
}


def said(question: str, answer: str) -> list[dict[str, str]]:
    return [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Published parts, and the three stages' files of a few records in the documented layout."""
    folder = tmp_path_factory.mktemp("data")
    ferret_folders(folder / "initial")
    rng = np.random.default_rng(0)
    for images in ("llava_pretrain/images", "vip_llava/images/coco"):
        (folder / images).mkdir(parents=True)
        Image.fromarray(rng.integers(0, 255, (60, 80, 3), dtype=np.uint8)).save(folder / images / "a.png")
    captions = [
        {"id": f"{n}", "image": "a.png", "conversations": said("Write.\n<image>", "a dog")} for n in range(4)
    ]
    (folder / "llava_pretrain" / "blip_laion_cc_sbu_558k.json").write_text(json.dumps(captions))
    twice = {"id": "pointQA_twice-1", "image": "coco/a.png", "bboxes": [[5, 5, 40, 40]]}
    twice |= {"general_question": "How many?", "answer": "two"}
    dialogue = {"id": "refcocog-gpt4v-1", "image": "coco/a.png", "bboxes": [[5, 5, 40, 40]]}
    dialogue |= {
        "segmentations": [[[5, 5, 40, 5, 40, 40]]],
        "conversations": said("What is <bbox>?", "A dog."),
    }
    words = {"id": "llava-1", "conversations": said("Hello?", "Hello.")}
    for name in ("vip-llava_stage2_mix.json", "vip-llava_stage3_mix.json"):
        (folder / "vip_llava" / name).write_text(json.dumps([twice, dialogue, words, dialogue]))
    return folder


def tiny(stage: str) -> Recipe:
    """Return the stage's own recipe at tiny size; rates are raised, so that a few steps show in bfloat16."""
    recipe = read_recipe(FOLDER / "vip_llava" / f"{stage}.yaml")
    return replace(
        recipe,
        steps=3,
        batch=4,
        per_device_batch=None,
        precision="float32",
        workers=0,
        threads=1,
        groups=tuple(replace(group, rate=1e-2 * bool(group.rate)) for group in recipe.groups or ()),
        schedule=replace(recipe.schedule, warmup=0),
        network=recipe.network | (TINY if stage == "alignment" else {}),
    )


@pytest.fixture(scope="module")
def models(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    out = tmp_path_factory.mktemp("out")
    done = run_recipes([tiny(stage) for stage in reversed(STAGES)], data=data, out=out)
    return dict(zip(STAGES, done, strict=True))


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


def test_alignment_trains_the_projector(data: Path, models: dict[str, Path]) -> None:
    after = load_file(models["alignment"] / "model.safetensors")
    before = started("alignment", data, None)
    assert changed(before, after) == {"projector", "feature_norm"}
    assert load(models["alignment"], device="cpu").network.config.aspect == "crop"


@pytest.mark.parametrize("stage", ["region", "instruct"])
def test_later_stages_leave_the_encoder_alone(data: Path, models: dict[str, Path], stage: str) -> None:
    earlier = models[STAGES[STAGES.index(stage) - 1]]
    after = load_file(models[stage] / "model.safetensors")
    assert changed(started(stage, data, earlier), after) == {"language", "projector", "feature_norm"}
    system = load(models[stage], device="cpu")
    assert (system.network.config.aspect, system.network.config.template) == ("pad", "llava_v1")
    picture = data / "vip_llava" / "images" / "coco" / "a.png"
    assert system.ask(picture, "what is {it}?", it=Box(5, 5, 40, 40), max_new_tokens=3).system == "vip_llava"


@pytest.mark.parametrize("name", ["small-coordinates", "small-region-tokens"])
def test_small_recipes_differ_in_how_they_point_only(name: str) -> None:
    painted, other = (read_recipe(FOLDER / "vip_llava" / f"{one}.yaml") for one in ("small", name))
    theirs = {key: getattr(painted, key) for key in ("name", "system", "steps", "network")}
    assert replace(other, **theirs) == painted
    assert other.steps < painted.steps  # equal in time: coordinates make questions longer
    same = ("vision_encoder", "language", "side", "view", "max_text")
    assert [other.network[key] for key in same] == [painted.network[key] for key in same]
    assert other.network["projector"] == VipLlavaConfig().projector
    assert (other.network["sampler"] is None) == (name == "small-coordinates")
