"""Recipes of the family as networks and data: small new ones, parts, earlier stages, and what is wrong."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from deixis.errors import BadWeights, MissingWeights, RecipeError
from deixis.layers.towers.pretrained import packaged_file
from deixis.runs.training import run_recipes
from deixis.runs.unseen import captions_alone, paired_interval, unseen_losses
from deixis.systems import load, training_parts
from deixis.systems.spliced.answering import SplicedSystem
from deixis.systems.spliced.training.building import WORD_SPREAD, start_words
from deixis.training.loop import TrainingParts
from deixis.training.recipes.packaged import FOLDER
from deixis.training.recipes.recipe import Recipe, SourceChoice, read_recipe
from tests.checkpoints.tiny_checkpoints import ferret_folders
from tests.systems.ferret.networks import ferret
from tests.toy.pack import write_toy_pack
from tests.toy.recipe import toy_recipe

NETWORK = {
    "tower": "efficientnet_tiny",
    "language": "tiny",
    "side": 64,
    "view": 64,
    "sampler": {"points": 16, "anchors": [8, 4], "neighbours": [4, 3], "pooling": "max"},
    "pretrained": False,
}


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_pack(tmp_path_factory.mktemp("pack"), pictures=8)


def toy(**changes: Any) -> Recipe:
    options: dict[str, Any] = {
        "system": "ferret",
        "network": NETWORK,
        "objective": {},
        "augmentation": {"square": False},
        "groups": [
            {"parts": ["network.tower"], "rate": 0.0, "frozen_until": 1.0},
            {"parts": [""], "rate": 3e-3},
        ],
        "dialogues": {"locate_bare": 0.0, "absent_bare": 0.0},
        "steps": 3,
        "batch": 2,
        "log_every": 1,
    }
    return toy_recipe(**(options | changes))


def parts_of(recipe: Recipe, pack: Path, *, start: Path | None = None) -> TrainingParts:
    return training_parts(recipe, data=pack, start=start, work=pack)


@pytest.fixture(scope="module")
def finished(pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    (model,) = run_recipes([toy()], data=pack, out=out)
    return model


def test_a_small_ferret_trains_and_answers(pack: Path, finished: Path) -> None:
    names = {path.name for path in finished.iterdir()}
    saved = {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json"}
    assert names == saved | {"README.md", "data_terms.json"}
    system = load(finished)
    assert isinstance(system, SplicedSystem)
    picture = next((pack / "images").glob("*.jpg"))
    assert system.ask(picture, "where is a red circle?", max_new_tokens=4).system == "ferret"
    assert "circle" in (finished / "tokenizer.json").read_text()


def test_losses_on_unseen_pictures(pack: Path, finished: Path, tmp_path: Path) -> None:
    longer = toy(name="longer", steps=30)
    (trained,) = run_recipes([longer], data=pack, out=tmp_path)
    first, again, second = (
        unseen_losses(recipe, model, pack=pack, split="val", size=1)
        for recipe, model in ((toy(), finished), (toy(), finished), (longer, trained))
    )
    assert np.array_equal(first, again) and len(first) == 2, "two pictures, each once"
    assert paired_interval(first, second)[1] < 0, "who trains longer predicts better"


def test_losses_on_unseen_captions(pack: Path, finished: Path) -> None:
    mixed = unseen_losses(toy(), finished, pack=pack, split="val", size=1)
    captions = captions_alone()
    alone = unseen_losses(toy(), finished, pack=pack, split="val", size=1, dialogues=captions)
    assert len(alone) == 2 and np.isfinite(alone).all() and not np.isclose(alone, mixed).any()
    other = toy(dialogues={"locate": 0.0, "absent": 7.0})
    same = unseen_losses(other, finished, pack=pack, split="val", size=1, dialogues=captions)
    assert np.array_equal(alone, same), "whatever the recipe's own mix is"


def test_the_tower_stands_still(pack: Path, finished: Path) -> None:
    torch.manual_seed(0)
    fresh = parts_of(toy(), pack).objective.network.state_dict()
    trained = load_file(finished / "model.safetensors")
    for name, tensor in trained.items():
        same = torch.equal(tensor, fresh[name].to(torch.bfloat16))
        assert same or not name.startswith("tower."), name
    assert not torch.equal(trained["projector.weight"], fresh["projector.weight"].to(torch.bfloat16))


def test_a_stage_starts_from_another(pack: Path, finished: Path) -> None:
    same = parts_of(toy(network={"view": 64}), pack, start=finished).objective.network
    stored = load_file(finished / "model.safetensors")
    now = same.state_dict()  # it has the words once more, as the head that is tied to them
    assert all(torch.equal(now[name].to(torch.bfloat16), tensor) for name, tensor in stored.items())
    grown = parts_of(toy(network={"max_text": 700, "side": 96}), pack, start=finished).objective.network
    assert grown.config.max_text == 700 and grown.config.side == 96
    assert torch.equal(grown.projector.weight.to(torch.bfloat16), stored["projector.weight"])


def test_a_stage_of_other_sizes_is_refused(pack: Path, finished: Path) -> None:
    with pytest.raises(BadWeights, match=r"recipe 'toy': .*other shapes of .*tower"):
        parts_of(toy(network={"tower": "efficientnet_lite0"}), pack, start=finished)
    with pytest.raises(BadWeights, match=r"no place for \['sampler"):
        parts_of(toy(network={"sampler": None}), pack, start=finished)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": {"towr": "clip"}}, "network: unknown key 'towr'"),
        ({"augmentation": {}}, r"expected augmentation: \{square: false\}"),
        ({"network": {"initial": {"tower": "gone"}, "pretrained": False}}, "for small new networks"),
        ({"network": {"initial": {"tower": "gone"}, "language": "small"}}, "for small new networks"),
        ({"network": {"initial": {"head": "gone"}}}, "initial: unknown key 'head'"),
        ({"network": {"initial": "vicuna"}}, "initial is 'vicuna'; expected a folder"),
        ({"sources": [{"hold_out": 8}]}, "nothing to learn from in"),
    ],
    ids=str,
)
def test_a_recipe_that_cannot_be_run(pack: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        parts_of(toy(**changes), pack)


def test_parts_need_a_language(pack: Path, tmp_path: Path) -> None:
    shutil.copytree(ferret_folders(tmp_path).tower, pack / "clip")
    with pytest.raises(RecipeError, match="initial names no language"):
        parts_of(toy(network={"initial": {"tower": "clip"}}), pack)
    with pytest.raises(RecipeError, match="leads out of the data folder"):
        parts_of(toy(network={"initial": {"tower": str(tmp_path)}}), pack)
    with pytest.raises(MissingWeights, match="gone"):
        parts_of(toy(network={"initial": {"language": "gone"}}), pack)


def test_words_start_as_the_vectors_of_a_sentence_encoder() -> None:
    network = ferret()
    draw = torch.Generator().manual_seed(0)
    vectors = {row: torch.randn(64, generator=draw) for row in range(10, 50)}
    vectors[11] = vectors[10] + 0.01
    start_words(network, vectors)
    table = network.get_input_embeddings().weight
    assert (table[10] - table[11]).norm() < 0.1 * (table[10] - table[12]).norm()
    assert float(table[10:50].detach().std()) == pytest.approx(WORD_SPREAD, rel=0.05)


def test_fewer_words_than_the_table_is_wide() -> None:
    network = ferret()
    start_words(network, {row: torch.randn(64) for row in range(10, 16)})
    assert network.get_input_embeddings().weight[10:16].norm(dim=1).min() > 0


def packaged() -> bool:
    """Whether the pretrained parts of training are installed."""
    try:
        for name in ("efficientnet_lite0", "efficientnet_lite1", "minilm"):
            packaged_file(name)
    except MissingWeights:
        return False
    return True


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ferret", "ferret_v2"])
def test_the_small_recipe_learns(name: str, pack: Path, tmp_path: Path) -> None:
    recipe = read_recipe(FOLDER / name / "small.yaml")
    recipe = replace(
        recipe,
        steps=16,
        batch=4,
        sources=(SourceChoice(),),
        precision="float32",
        log_every=4,
        schedule=replace(recipe.schedule, warmup=2),
        network=recipe.network | {"pretrained": packaged()},
    )
    (model,) = run_recipes([recipe], data=pack, out=tmp_path)
    rows = [json.loads(line) for line in (model.parent / "metrics.jsonl").read_text().splitlines()]
    losses = [row["losses"]["language_model"] for row in rows]
    assert losses[-1] < 0.7 * losses[0]
    picture = next((pack / "images").glob("*.jpg"))
    assert load(model).ask(picture, "where is a red circle?", max_new_tokens=4).system == name
