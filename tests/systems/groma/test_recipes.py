"""Groma's recipes: their options and parts exist, and their numbers are what their comments say."""

from __future__ import annotations

from math import ceil

import pytest

from deixis.data.groma.records import READERS
from deixis.systems.groma.config import GromaConfig
from deixis.systems.groma.detector.config import GromaProposerConfig
from deixis.systems.groma.detector.fields import region_encoder_size
from deixis.systems.groma.prompts import groma_template
from deixis.systems.groma.training.building import DETECTION_OWN, OWN, options_of, packaged_parts
from deixis.training.optimiser import group_of
from deixis.training.recipes.packaged import FOLDER
from deixis.training.recipes.recipe import Recipe, read_recipe
from tests.systems.groma.tiny import fresh_groma

PUBLISHED = ("detection", "alignment", "instruct", "instruct-frozen-decoder")
RECIPES = {path.stem: read_recipe(path) for path in sorted((FOLDER / "groma").glob("*.yaml"))}
# Recipe -> epochs, samples in one (5.7 million, 3.2 million, 857,000), share of steps that warm up.
STAGES = {
    "detection": (12, 5_700_000, None),
    "alignment": (2, 3_200_000, 0.03),
    "instruct": (1, 857_000, 0.03),
    "instruct-frozen-decoder": (1, 857_000, 0.03),
}
LEARNT_WITHOUT_DECODER = ("bridge", "region_encoder", "embed_tokens.extra", "lm_head.extra")


def rate_of(name: str, recipe: Recipe) -> float:
    """Return how fast a parameter of the network learns."""
    group = recipe.groups_in_use[group_of(name, recipe.groups_in_use)]
    return 0.0 if group.frozen else group.rate


@pytest.mark.parametrize("name", PUBLISHED)
def test_numbers_are_what_comments_say(name: str) -> None:
    recipe = RECIPES[name]
    epochs, samples, warmup = STAGES[name]
    assert recipe.steps == ceil(epochs * samples / recipe.batch)
    assert recipe.schedule.warmup == (100 if warmup is None else ceil(warmup * recipe.steps))
    assert recipe.order == "source_groups"
    assert recipe.optimiser.clip == 1.0


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_options_exist(name: str) -> None:
    recipe = RECIPES[name]
    detects = all(choice.detection for choice in recipe.sources)
    config = GromaProposerConfig if detects else GromaConfig
    own = DETECTION_OWN if detects else (*OWN, "view")
    options = options_of(recipe, config, own, where=name)
    groma_template(options.get("template") or "llava")


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_learns_is_what_was_published(name: str) -> None:
    names = [f"network.{key}" for key, _ in fresh_groma().network.named_parameters()]
    rates = {key: rate_of(key, RECIPES[name]) for key in names}
    tower = [key for key in names if ".perceiver.tower." in key]
    proposer = [key for key in names if ".perceiver." in key and key not in tower]
    assert tower and proposer
    assert not any(rates[key] for key in tower)
    if name == "detection":
        offsets = [key for key in proposer if "sampling_offsets" in key]
        assert offsets
        assert {rates[key] for key in offsets} == {2e-5}
        assert {rates[key] for key in proposer if key not in offsets} == {2e-4}
        return
    assert not any(rates[key] for key in proposer)
    others = [key for key in names if key not in tower and key not in proposer]
    new = [key for key in others if any(part in key for part in LEARNT_WITHOUT_DECODER)]
    assert {part for part in LEARNT_WITHOUT_DECODER if any(part in key for key in new)} == set(
        LEARNT_WITHOUT_DECODER
    )
    assert {rates[key] for key in new} == {1e-4 if name == "alignment" else 1e-5}
    decoder = {rates[key] for key in others if key not in new}
    assert decoder == ({1e-5} if name == "instruct" else {0.0})


def test_all_kinds_but_one_come_up() -> None:
    kinds = {choice.kind for name in PUBLISHED[1:] for choice in RECIPES[name].sources}
    assert set(READERS) - kinds == {"lvis"}
    ratios = {(c.groma, c.ratio) for name in PUBLISHED[1:3] for c in RECIPES[name].sources if c.ratio != 1}
    assert len(ratios) == 4


SMALL = ("small-detection", "small-alignment", "small-instruct")


def test_small_stages_start_from_each_other_and_see_the_same_data() -> None:
    detection, alignment, instruct = (RECIPES[name] for name in SMALL)
    assert detection.starts_from is None
    assert alignment.starts_from == detection.name and instruct.starts_from == alignment.name
    folders = {(choice.folder, choice.hold_out) for choice in detection.sources}
    assert folders == {("flickr_grounding", 200), ("coco_small", 0)}
    for recipe in (alignment, instruct):
        assert {(choice.folder, choice.hold_out) for choice in recipe.sources} == folders
        assert not any(choice.detection for choice in recipe.sources)


def test_sizes_of_small_networks_fit() -> None:
    proposer = options_of(RECIPES[SMALL[0]], GromaProposerConfig, DETECTION_OWN, where=SMALL[0])
    assert "efficientnet_lite0" in packaged_parts(RECIPES[SMALL[0]])
    assert packaged_parts(RECIPES[SMALL[1]]) == ["minilm"]
    found = GromaProposerConfig(**proposer)
    own = options_of(RECIPES[SMALL[1]], GromaConfig, (*OWN, "view"), where=SMALL[1])
    for option in ("language", "view"):
        own.pop(option)
    size = region_encoder_size(GromaConfig(**proposer | own).region_encoder)
    # With the encoder's true stride and boxes where they are, samples lie inside them.
    assert size.box_format == "xyxy" and size.box_scale == found.side
    assert size.strides() == (16.0,)


@pytest.mark.parametrize("name", SMALL)
def test_small_stages_leave_perception_as_it_was(name: str) -> None:
    names = [f"network.{key}" for key, _ in fresh_groma().network.named_parameters()]
    rates = {key: rate_of(key, RECIPES[name]) for key in names}
    frozen = "network.perceiver.tower." if name == "small-detection" else "network.perceiver."
    assert all((rate == 0) == key.startswith(frozen) for key, rate in rates.items())
