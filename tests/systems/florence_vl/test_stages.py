"""The recipes of both sizes and of the Vicuna ablation: their numbers, and a few steps at tiny size."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from math import ceil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from deixis.checkpoints.convert.florence_folder import DECODER_FILE
from deixis.errors import MissingWeights
from deixis.runs.training import run_recipes
from deixis.systems import load, training_parts
from deixis.systems.florence_vl.places.tokens import TOKENS_FILE
from deixis.systems.florence_vl.training import names_encoder
from deixis.training.recipes.packaged import FOLDER
from deixis.training.recipes.recipe import Recipe, read_recipe
from tests.checkpoints.tiny_checkpoints import ferret_folders
from tests.studies.alignment.made_folders import florence2_folder
from tests.systems.florence_vl.places.tiny import byte_tokenizer, locating_folder

# Stage -> epochs, captions or dialogues, batch, highest rate: the paper's (the last two are LLaVA-1.5's).
STAGES = {
    "captions": (1, 16_900_000, 256, 2e-5),
    "instruct": (1, 10_000_000, 256, 1e-5),
    "captions-3b": (1, 16_900_000, 4096, 1e-4),
    "instruct-3b": (3, 10_000_000, 2048, 9e-5),
    "vicuna-alignment": (1, 558_000, 256, 1e-3),
    "vicuna-instruct": (1, 665_000, 128, 2e-5),
}
PAIRS = [("captions", "instruct"), ("vicuna-alignment", "vicuna-instruct")]


def packaged(stage: str) -> Recipe:
    return read_recipe(FOLDER / "florence_vl" / f"{stage}.yaml")


@pytest.mark.parametrize("stage", STAGES)
def test_steps_and_rates_follow_from_what_is_published(stage: str) -> None:
    epochs, count, batch, rate = STAGES[stage]
    recipe = packaged(stage)
    assert recipe.batch == batch and recipe.steps == ceil(epochs * count / batch)
    assert recipe.schedule.warmup == ceil(0.03 * recipe.steps) and recipe.schedule.floor == 0
    assert recipe.optimiser.weight_decay == 0 and recipe.passes(devices=8) >= 1
    assert max(group.rate for group in recipe.groups_in_use) == rate
    assert recipe.network["aspect"] == ("pad" if "instruct" in stage else "resize")
    assert recipe.order == ("length_groups" if "instruct" in stage else "shuffled")


def said(question: str, answer: str) -> list[dict[str, str]]:
    return [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Published parts at tiny size, and a few rows in the schema of every source."""
    folder = tmp_path_factory.mktemp("data")
    ferret_folders(folder / "initial")
    florence2_folder(folder / "initial" / "florence")
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 255, (60, 80, 3), dtype=np.uint8))
    rows = [
        {"id": f"{n}", "image": "a.png", "conversations": said("Write.\n<image>", "a dog runs")}
        for n in range(4)
    ]
    words = {"id": "w", "conversations": said("Hello?", "Hello.") * 2}
    rounds = {"id": "r", "image": "a.png", "conversations": said("<image>\nWhat?", "A dog.") * 1}
    rounds["conversations"] = [*rounds["conversations"], *said("Where?", "Here.")]  # type: ignore[misc]
    mix = [rounds, rounds, words, {"id": "faulty"}, rounds, rounds, words, words, words]
    for stage in STAGES:
        for source in packaged(stage).sources:
            (folder / source.folder / "images").mkdir(parents=True, exist_ok=True)
            picture.save(folder / source.folder / "images" / "a.png")
            picture.save(folder / source.folder / "images" / "7.jpg")
            path = folder / source.folder / str(source.file)
            if source.captions is not None:
                table = "uid,url,key,status,original_caption,vlm_model,vlm_caption\n"
                table += "u,http://x,7,success,dog,m,A brown dog runs.\n"
                path.with_name(path.name.replace("*", "cc12m_00")).write_text(table)
            else:
                listed = rows if stage in ("captions", "captions-3b", "vicuna-alignment") else mix
                lines = "\n".join(map(json.dumps, listed))
                path.write_text(lines if path.suffix == ".jsonl" else json.dumps(listed))
    return folder


def tiny(stage: str) -> Recipe:
    """Return a stage's own recipe at tiny size; rates are raised, so that a few steps show in bfloat16."""
    recipe = packaged(stage)
    small = {"initial": {"language": "initial/base", "vision_encoder": "initial/florence"}}
    small |= {"side": 32, "max_text": 256, "max_tokens": 256}  # type: ignore[dict-item]
    # The tiny decoder is a Llama with pieces, whatever the stage's own is.
    template = {"llama3": "vicuna_v1"}.get(recipe.network["template"], recipe.network["template"])
    return replace(
        recipe,
        steps=2,
        batch=4,
        per_device_batch=None,
        precision="float32",
        workers=0,
        threads=1,
        groups=tuple(replace(group, rate=1e-2 * bool(group.rate)) for group in recipe.groups_in_use),
        schedule=replace(recipe.schedule, warmup=0),
        network=recipe.network | {"template": template} | ({} if recipe.starts_from else small),
    )


@pytest.fixture(scope="module")
def models(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    out = tmp_path_factory.mktemp("out")
    stages = [stage for pair in PAIRS for stage in pair]
    done = run_recipes([tiny(stage) for stage in stages], data=data, out=out)
    return {path.parent.name.removeprefix("florence_vl-"): path for path in done}


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


@pytest.mark.parametrize(
    ("stage", "learnt"),
    [
        ("captions", {"tower", "encoder", "projector", "language"}),
        ("instruct", {"projector", "language"}),
        ("vicuna-alignment", {"projector"}),
        ("vicuna-instruct", {"projector", "language"}),
    ],
)
def test_what_learns_and_what_is_frozen(
    data: Path, models: dict[str, Path], stage: str, learnt: set[str]
) -> None:
    earlier = {later: first for first, later in PAIRS}.get(stage)
    before = started(stage, data, models[earlier] if earlier else None)
    assert changed(before, load_file(models[stage] / "model.safetensors")) == learnt
    config = load(models[stage], device="cpu").network.config
    assert config.aspect == packaged(stage).network["aspect"] and config.integration == "channel"
    assert config.max_tokens == 256 and config.region_token_id is None


def test_the_trained_model_answers(data: Path, models: dict[str, Path]) -> None:
    system = load(models["vicuna-instruct"], device="cpu")
    picture = data / "llava_instruct" / "images" / "a.png"
    assert system.ask(picture, "What is it?", max_new_tokens=3).system == "florence_vl"


def test_florence_is_read_into_both_parts(data: Path) -> None:
    """The weights that a stage starts from are Florence-2's, not fresh ones."""
    stored = load_file(data / "initial" / "florence" / "model.safetensors")
    before = started("captions", data, None)
    key = "language_model.encoder.layers.0.fc1.weight"
    original = next(tensor for name, tensor in stored.items() if name.endswith(key))
    ours = next(tensor for name, tensor in before.items() if name.endswith("layers.0.fc1.weight"))
    assert torch.equal(ours, original)
    patch = next(tensor for name, tensor in stored.items() if name.endswith("convs.0.conv.weight"))
    assert any(tensor.shape == patch.shape and torch.equal(tensor, patch) for tensor in before.values())


def trained_on(start: Path, data: Path, out: Path, **network: object) -> Path:
    """Return the model of a stage that goes on from a saved one."""
    recipe = replace(tiny("vicuna-instruct"), name="more", starts_from=str(start), steps=1)
    kept = {key: one for key, one in recipe.network.items() if key in ("template", "tower_training")}
    (model,) = run_recipes([replace(recipe, network=kept | network)], data=data, out=out)
    return model


def test_what_places_need_goes_from_a_converted_model_to_its_trained_one(data: Path, tmp_path: Path) -> None:
    start = locating_folder(tmp_path)
    model = trained_on(start, data, tmp_path / "out")
    for name in (DECODER_FILE, TOKENS_FILE):
        assert (model / name).read_bytes() == (start / name).read_bytes()
    picture = data / "llava_instruct" / "images" / "a.png"
    assert load(model, device="cpu").locate(picture, "od", max_new_tokens=3).system == "florence_2"


def test_a_model_without_them_has_none_after_training(data: Path, tmp_path: Path) -> None:
    start = locating_folder(tmp_path)
    (start / DECODER_FILE).unlink()
    (start / TOKENS_FILE).unlink()
    model = trained_on(start, data, tmp_path / "out")
    assert not (model / DECODER_FILE).exists() and not (model / TOKENS_FILE).exists()


def test_a_run_that_starts_from_florence_keeps_its_decoder(
    data: Path, models: dict[str, Path], tmp_path: Path
) -> None:
    picture = data / "llava_instruct" / "images" / "a.png"
    for stage in ("captions", "instruct"):
        assert (models[stage] / DECODER_FILE).is_file(), "of the Florence-2 that the first stage names"
        with pytest.raises(MissingWeights, match=f"{TOKENS_FILE} is missing"):
            load(models[stage], device="cpu").locate(picture, "od", max_new_tokens=3)
    florence = tmp_path / "data" / "initial" / "florence"
    shutil.copytree(data, tmp_path / "data")
    byte_tokenizer(florence / "tokenizer.json")
    (model,) = run_recipes([tiny("captions")], data=tmp_path / "data", out=tmp_path / "out")
    shutil.rmtree(florence)  # the saved folder is complete
    assert load(model, device="cpu").locate(picture, "od", max_new_tokens=3).system == "florence_2"
    stored = load_file(model / DECODER_FILE)
    original = load_file(data / "initial" / "florence" / "model.safetensors")
    key = "decoder.layers.0.fc1.weight"
    own, other = (
        next(one for name, one in found.items() if name.endswith(key)) for found in (stored, original)
    )
    assert torch.equal(own, other), "it isn't trained"


def test_another_vision_encoder_gets_no_decoder_of_the_earlier_one() -> None:
    recipe = tiny("vicuna-instruct")
    assert not names_encoder(recipe)
    for network in ({"initial": {"vision_encoder": "initial/florence"}}, {"encoder": None}):
        assert names_encoder(replace(recipe, network=network))
