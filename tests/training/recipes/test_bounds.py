"""Numbers that no run can be made of are refused, whichever part of a recipe they are in."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Iterator
from typing import Any

import pytest

from deixis.data.augment import Augmentation
from deixis.data.synthesis.dialogue_mix import DialogueMix
from deixis.errors import RecipeError
from deixis.systems.pointer.training.objective import ObjectiveWeights
from deixis.training.recipes.low_rank import LowRank
from deixis.training.recipes.recipe import Group, Mixture, Optimiser, Recipe, Schedule
from deixis.training.recipes.source_choice import SourceChoice
from deixis.training.recipes.strict import build
from tests.toy.recipe import TOY, toy_recipe

PARTS: dict[str, tuple[type, Any]] = {
    "optimiser": (Optimiser, lambda values: {"optimiser": values}),
    "schedule": (Schedule, lambda values: {"schedule": values}),
    "dialogues": (DialogueMix, lambda values: {"dialogues": values}),
    "augmentation": (Augmentation, lambda values: {"augmentation": values}),
    "groups": (Group, lambda values: {"groups": [{"parts": [""], "rate": 1e-3} | values]}),
    "sources": (SourceChoice, lambda values: {"sources": [values]}),
    "lora": (LowRank, lambda values: {"lora": values}),
    "recipe": (Recipe, lambda values: values),
}


def numeric(kind: type) -> Iterator[tuple[str, Any]]:
    """Yield every field of a dataclass that holds numbers, and how many it holds (0: one, bare)."""
    for name, hint in typing.get_type_hints(kind).items():
        numbers = [one for one in (hint, *typing.get_args(hint)) if one in (int, float)]
        if numbers and name in {field.name for field in dataclasses.fields(kind)}:
            yield name, (len(numbers) if typing.get_origin(hint) is tuple else 0, numbers[0])


FIELDS = [(part, name, *shape) for part, (kind, _) in PARTS.items() for name, shape in numeric(kind)]


def test_all_parts_of_a_recipe_are_here() -> None:
    kinds = {kind for kind, _ in PARTS.values()} | {Mixture}
    hints = typing.get_type_hints(Recipe).values()
    inner = {one for hint in hints for one in (hint, *typing.get_args(hint)) if dataclasses.is_dataclass(one)}
    assert inner <= kinds and len(FIELDS) > 40


@pytest.mark.parametrize(("part", "name", "count", "kind"), FIELDS)
@pytest.mark.parametrize("value", [-1, math.nan, math.inf, -math.inf, 10**30, 10**400, "5", True])
def test_a_number_that_makes_no_sense(part: str, name: str, count: int, kind: type, value: Any) -> None:
    given = [value] * count if count else value
    with pytest.raises(RecipeError, match=name):
        toy_recipe(**PARTS[part][1]({name: given}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimiser": {"betas": [5.0, 0.9]}}, "betas is"),
        ({"optimiser": {"betas": [0.9, 1.0]}}, "betas is"),
        ({"optimiser": {"clip": 0.0}}, "clip is 0.0"),
        ({"schedule": {"floor": 1.5}}, "floor is 1.5; expected 0 to 1"),
        ({"per_device_batch": 0}, "per_device_batch is 0; expected at least 1"),
        ({"per_device_batch": 5}, "per_device_batch is 5; expected at most the batch of 4"),
        ({"threads": 0}, "threads is 0; expected 1 to"),
        ({"workers": 10**6}, "workers is 1000000; expected 0 to"),
        ({"augmentation": {"zoom": [1.4, 0.7]}}, "expected the smaller one first"),
        ({"augmentation": {"zoom": [0.0, 1.0]}}, "zoom is"),
        ({"augmentation": {"mirror": 1.5}}, "mirror is 1.5; expected 0 to 1"),
        ({"groups": [{"parts": [""], "rate": 0.0}]}, "every group is frozen"),
        ({"groups": [{"parts": [""], "rate": 1.0, "frozen_until": 1.0}]}, "every group is frozen"),
        ({"groups": [{"parts": [""], "rate": 1.0, "frozen_until": 1.5}]}, "frozen_until is 1.5"),
        ({"sources": []}, "no sources"),
        ({"sources": [{"outside": "ignore"}]}, "expected one of 'refuse', 'cut', 'pass_over'"),
        ({"sources": [{"broken": "cut"}]}, "expected one of 'refuse', 'pass_over'"),
        ({"sources": [{"samples": "a.jsonl", "records": "b.jsonl"}]}, "samples is given twice"),
        ({"objective": {"language_model": 1.0, "words": 2.0}}, "."),
        ({"network": {"side": math.nan}}, "network.side: is nan; expected a finite number"),
        ({"network": {"sampler": {"points": [1, math.inf]}}}, r"network.sampler.points\[1\]: is inf"),
        ({"network": {"side": 10**400}}, "over 64 bits"),
        ({"network": {3: 4}}, "key 3 is no text"),
        ({"lora": {"rank": 0}}, "rank is 0; expected"),
        ({"lora": {"scale": 0.0}}, "no adapter would learn"),
        ({"lora": {"parts": []}}, "no adapter would learn"),
    ],
)
def test_further_values_that_make_no_sense(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        made = toy_recipe(**changes)
        build(ObjectiveWeights, made.objective, where="objective")


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(ObjectiveWeights)])
@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf, "1"])
def test_weights_of_losses(name: str, value: Any) -> None:
    with pytest.raises(RecipeError, match=name):
        build(ObjectiveWeights, {name: value}, where="objective")


@pytest.mark.parametrize(
    "name",
    [
        "../../evil",
        "/tmp/evil",
        "a/b",
        "..",
        ".",
        "",
        ".hidden",
        "a\\b",
        "a\0b",
        "a\nb",
        " a",
        "x" * 300,
        "C:x",
    ],
)
def test_names_that_no_run_can_have(name: str) -> None:
    with pytest.raises(RecipeError, match="expected the name of a new folder"):
        toy_recipe(name=name)


@pytest.mark.parametrize("name", ["mine", "pointer-stage-1", "versuch 2", "größer", "v1.5_b"])
def test_names_that_a_run_can_have(name: str) -> None:
    assert toy_recipe(name=name).name == name


def test_without_groups_everything_learns() -> None:
    values = {key: value for key, value in TOY.items() if key != "groups"}
    new = build(Recipe, values, where="recipe")
    tuned = build(Recipe, values | {"starts_from": "pointer"}, where="recipe")
    adapted = build(Recipe, values | {"starts_from": "pointer", "lora": {"rank": 4}}, where="recipe")
    assert [group.parts for group in new.groups_in_use] == [("",)]
    assert 0 < tuned.groups_in_use[0].rate < new.groups_in_use[0].rate
    first, rest = adapted.groups_in_use
    assert first.takes("network.a.lora_up") and not first.takes("network.a.weight") and rest.frozen


def test_the_least_that_a_recipe_says() -> None:
    least = build(Recipe, {"name": "mine", "system": "pointer", "steps": 1, "batch": 1}, where="recipe")
    assert least.groups_in_use
    for name in ("name", "system", "steps", "batch"):
        with pytest.raises(RecipeError, match=f"missing {name}"):
            build(Recipe, {k: v for k, v in TOY.items() if k != name}, where="recipe")


def test_former_keys_mean_what_they_meant() -> None:
    made = toy_recipe(sources=[{"folder": "a", "records": "b.jsonl"}])
    assert made == toy_recipe(sources=[{"folder": "a", "samples": "b.jsonl"}])
    weights = build(ObjectiveWeights, {"words": 3.0}, where="objective")
    assert weights == build(ObjectiveWeights, {"language_model": 3.0}, where="objective")
