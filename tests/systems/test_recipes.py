"""Every recipe of the project: its options and parts exist, and its numbers are what its comments say."""

from __future__ import annotations

import dataclasses
import json
from math import ceil
from pathlib import Path

import pytest

from deixis.data.grit.mixing import FERRET_MIX
from deixis.errors import RecipeError
from deixis.runs.training import run_recipes
from deixis.systems.ferret.training import FERRET
from deixis.systems.ferret_v2.training import FERRET_V2
from deixis.systems.florence_vl.training import FLORENCE_VL
from deixis.systems.network_options import stored_options
from deixis.systems.pointer.training.building import network_options
from deixis.systems.spliced.network import SplicedNetwork
from deixis.systems.spliced.training.building import Member, check_not_small, checked_options
from deixis.systems.spliced.training.initial_parts import PARTS
from deixis.systems.vip_llava.training import VIP_LLAVA
from deixis.training.optimiser import group_of
from deixis.training.recipes.packaged import FOLDER
from deixis.training.recipes.parameter_names import begins
from deixis.training.recipes.recipe import in_order, read_recipe
from tests.systems.ferret.networks import ferret, ferret_v2
from tests.systems.florence_vl.tiny import fresh_florence_vl
from tests.systems.vip_llava.tiny import fresh_vip_llava
from tests.toy.pack import write_toy_pack
from tests.toy.recipe import TOY, toy_recipe

RECIPES = {str(path.relative_to(FOLDER)): read_recipe(path) for path in sorted(FOLDER.rglob("*.yaml"))}
MEMBERS: dict[str, Member] = {
    "ferret": FERRET,
    "ferret_v2": FERRET_V2,
    "vip_llava": VIP_LLAVA,
    "florence_vl": FLORENCE_VL,
}
FAMILY = [name for name, recipe in RECIPES.items() if recipe.system in MEMBERS]
BASELINES = ("vip_llava/small-coordinates.yaml", "vip_llava/small-region-tokens.yaml")
# Recipe -> epochs, pictures or records in one, batch.
STAGES = {
    "ferret/instruct.yaml": (3, 1_100_000, 128),
    "ferret_v2/alignment.yaml": (1, 1_400_000, 256),
    "ferret_v2/dense.yaml": (1, 100_170, 128),
    "ferret_v2/instruct.yaml": (3, 1_300_000, 128),
    "vip_llava/alignment.yaml": (1, 558_000, 256),
    "vip_llava/region.yaml": (1, 665_000 + 520_000, 128),
    "vip_llava/instruct.yaml": (1, 26_000, 128),
}


def vip_llava() -> SplicedNetwork:
    return fresh_vip_llava().network


def florence_vl() -> SplicedNetwork:
    return fresh_florence_vl().network


def test_names_are_those_of_files_and_recipes_start_from_each_other() -> None:
    ordered = [recipe.name for recipe in in_order(list(RECIPES.values()))]
    assert len(ordered) == len(RECIPES)
    for name, recipe in RECIPES.items():
        folder, file = name.split("/")
        assert f"{recipe.name}.yaml" == f"{folder}-{file}"
        # A baseline of another system lies beside what it is compared with.
        assert recipe.system == folder or name in BASELINES
        # "pointer" is the embedded model, which a recipe may go on from.
        assert recipe.starts_from in (None, "pointer", *ordered)


NETWORKS = {"ferret": ferret, "ferret_v2": ferret_v2, "vip_llava": vip_llava, "florence_vl": florence_vl}


@pytest.mark.parametrize("name", FAMILY)
def test_options_and_parts_exist(name: str) -> None:
    recipe = RECIPES[name]
    member = MEMBERS[recipe.system]
    options = checked_options(recipe, member)
    initial = options.pop("initial", {})
    assert set(stored_options(initial, PARTS, where=name)) <= set(PARTS)
    if initial or recipe.starts_from:
        check_not_small(options, where=name)
    assert not recipe.augmentation.square
    for option in ("view", "pretrained", "language"):
        options.pop(option, None)
    config = member.config(**options)
    json.dumps(config.to_dict())
    network = NETWORKS[recipe.system]()
    parts = {f"network.{parameter}" for parameter, _ in network.named_parameters()}
    assert all(group_of(parameter, recipe.groups) is not None for parameter in parts)
    for group in recipe.groups:
        for part in group.parts:
            top = ".".join(part.split(".")[:2])
            assert any(begins(parameter, top) for parameter in parts), part


@pytest.mark.parametrize("name", [name for name, recipe in RECIPES.items() if recipe.system == "pointer"])
def test_options_of_the_pointer_exist(name: str) -> None:
    assert network_options(RECIPES[name])


@pytest.mark.parametrize("name", STAGES)
def test_steps_follow_from_epochs(name: str) -> None:
    epochs, count, batch = STAGES[name]
    recipe = RECIPES[name]
    assert recipe.batch == batch and recipe.steps == ceil(epochs * count / batch)
    assert recipe.schedule.warmup == ceil(0.03 * recipe.steps) and recipe.schedule.floor == 0
    assert recipe.optimiser.betas == (0.9, 0.999) and recipe.optimiser.weight_decay == 0
    assert recipe.passes(devices=8) == 1 and recipe.ema is None


@pytest.mark.parametrize("name", ["ferret/instruct.yaml", "ferret_v2/instruct.yaml"])
def test_multipliers_are_ferrets(name: str) -> None:
    found = {
        str(s.grit).removesuffix(".json"): s.multiplier for s in RECIPES[name].sources if s.folder == "grit"
    }
    assert found == dict(FERRET_MIX)


def test_an_option_that_is_none() -> None:
    with pytest.raises(RecipeError, match="unknown key 'projectr'; did you mean 'projector'"):
        checked_options(toy_recipe(network={"projectr": "linear"}), FERRET)


def test_former_names_of_options_mean_the_same() -> None:
    now = {"vision_encoder": "efficientnet_tiny", "local_vision_encoder": None, "side": 64}
    former = {"tower": "efficientnet_tiny", "local_tower": None, "side": 64}
    legal = ("tower", "local_tower", "side")
    assert (
        stored_options(now, legal, where="network")
        == former
        == stored_options(former, legal, where="network")
    )
    with pytest.raises(RecipeError, match="tower is given twice"):
        stored_options(now | former, legal, where="network")
    with pytest.raises(RecipeError, match="unknown key 'vision_encodr'; did you mean 'vision_encoder'"):
        stored_options({"vision_encodr": "small"}, legal, where="network")


@pytest.mark.parametrize(
    "options",
    [
        {"view": -3},
        {"view": "large"},
        {"view": 10**6},
        {"side": "wide"},
        {"side": -5},
        {"max_text": "long"},
        {"sampler": {"points": "many"}},
        {"sampler": 3},
        {"language": 5},
        {"projector": "cubic"},
    ],
)
def test_options_that_no_network_has(options: dict[str, object], tmp_path: Path) -> None:
    data = write_toy_pack(tmp_path / "data", pictures=2)
    small = {"vision_encoder": "efficientnet_tiny", "language": "tiny", "side": 64, "pretrained": False}
    recipe = toy_recipe(
        system="ferret", objective={}, augmentation={"square": False}, network={**small, **options}
    )
    with pytest.raises(RecipeError, match="recipe 'toy'"):
        run_recipes([recipe], data=data, out=tmp_path / "out")


@pytest.mark.parametrize(
    "options",
    [
        {"side": "wide"},
        {"side": -5},
        {"candidates": -1},
        {"dropped": 2.0},
        {"map_width": 0},
        {"looks": "two"},
    ],
)
def test_options_that_no_pointer_has(options: dict[str, object], tmp_path: Path) -> None:
    data = write_toy_pack(tmp_path / "data", pictures=2)
    with pytest.raises(RecipeError, match="recipe 'toy'"):
        run_recipes([toy_recipe(network={**TOY["network"], **options})], data=data, out=tmp_path / "out")


BOUNDLESS = {
    "ferret/instruct.yaml": [
        {"side": 320_000},
        {"side": "336"},
        {"vision_encoder": {"kind": "clip", "num_hidden_layers": 1_000_000}},
        {"sampler": {"points": 10**9, "anchors": [8], "neighbours": [4], "pooling": "max"}},
        {"language": {"model_type": "llama", "hidden_size": 10**8}},
        {"max_text": 10**12},
    ],
    "ferret_v2/instruct.yaml": [{"crop": 320_000}, {"grids": [[10**6, 1]]}, {"global_side": -1}],
    "vip_llava/instruct.yaml": [{"side": 320_000}, {"select_layers": [10**9]}],
    "pointer/stage-1.yaml": [
        {"side": 320_000},
        {"map_width": 10_000_000},
        {"candidates": 10**9},
        {"most_found": 10**9},
        {"picture_grid": 10**6},
        {"dropout": 2},
        {"second_side": 10**7},
    ],
}


@pytest.mark.parametrize(
    ("name", "options"), [(name, one) for name, several in BOUNDLESS.items() for one in several]
)
def test_sizes_beyond_what_saved_networks_may_have_are_refused_at_once(
    name: str, options: dict[str, object]
) -> None:
    """Before any data are read or a network is made."""
    recipe = dataclasses.replace(RECIPES[name], network=options)
    (option,) = options
    with pytest.raises(RecipeError, match=rf"network: field '{option}[^']*' is .*; expected"):
        if recipe.system == "pointer":
            network_options(recipe)
        else:
            checked_options(recipe, MEMBERS[recipe.system])


@pytest.mark.parametrize("name", FAMILY)
def test_a_family_without_options_of_its_objective_says_so(name: str) -> None:
    recipe = dataclasses.replace(RECIPES[name], objective={"language_model": 2.0})
    with pytest.raises(RecipeError, match="its objective has no options; leave objective out"):
        checked_options(recipe, MEMBERS[recipe.system])
