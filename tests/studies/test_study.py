"""Studies: what varies, what is kept, and that a table tells how it was measured."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deixis.errors import UsageError
from deixis.evaluation.report import TaskResult
from deixis.studies.resolution import resolution_variants
from deixis.studies.study import Study, run_study, shortened
from deixis.training.recipes.recipe import Group, Recipe, Schedule

GROUPS = (Group(("network.tower", "network.local_tower"), 1e-4, frozen_until=0.2), Group(("",), 1e-3))
RECIPE = Recipe(
    "small",
    "ferret_v2",
    steps=500,
    batch=8,
    groups=GROUPS,
    schedule=Schedule(warmup=80),
    network={"crop": 128},
)


def test_six_variants_differ_in_two_settings_only() -> None:
    variants = resolution_variants(RECIPE)
    what = [(v.what["resolution"], v.what["encoder"]) for v in variants]
    assert len(set(what)) == 6 == len({v.recipe.name for v in variants})
    for variant, (mode, encoder) in zip(variants, what, strict=True):
        side = 256 if mode == "direct_upsample" else 128
        assert variant.recipe.network == {"crop": 128, "resolution": mode, "global_side": side}
        kept = replace(variant.recipe, name="small", network=RECIPE.network, groups=GROUPS)
        assert kept == RECIPE
        first, rest = variant.recipe.groups
        assert rest == GROUPS[1]
        assert first == (GROUPS[0] if encoder == "trained" else Group(GROUPS[0].parts, 0.0, frozen_until=1.0))


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (replace(RECIPE, system="ferret"), "'small' is of 'ferret'"),
        (replace(RECIPE, groups=GROUPS[1:]), "no group that trains network.vision_encoder"),
        (replace(RECIPE, groups=(replace(GROUPS[0], frozen_until=1.0), GROUPS[1])), "no group that trains"),
    ],
)
def test_a_recipe_that_cannot_be_varied(recipe: Recipe, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        resolution_variants(recipe)


def test_a_group_that_contains_the_name_of_an_encoder_trains_it() -> None:
    norms = Group(("",), 1e-4, containing=("tower",))
    variants = resolution_variants(replace(RECIPE, groups=(norms, Group(("",), 1e-3))))
    assert {v.what["encoder"]: v.recipe.groups[0].rate for v in variants} == {"frozen": 0.0, "trained": 1e-4}
    with pytest.raises(UsageError, match="no group that trains"):
        resolution_variants(replace(RECIPE, groups=(Group(("",), 1e-3, containing=("lora",)),)))


def test_a_shortened_recipe_warms_up_in_a_tenth() -> None:
    assert shortened(RECIPE, None) is RECIPE
    short = shortened(RECIPE, 50)
    assert (short.steps, short.schedule.warmup) == (50, 5)
    assert shortened(RECIPE, 5000).schedule.warmup == 80


def studied() -> Study:
    """A study whose models score by their place in the order."""
    folders: list[Path] = []

    def train(recipe: Recipe) -> tuple[Path, float, float]:
        folders.append(Path(recipe.name))
        return folders[-1], 2.5, 60.0

    def lose(recipe: Recipe, folder: Path) -> np.ndarray:
        # Batches differ far more than variants do.
        return (
            np.array([1.0, 5.0, 3.0]) + 0.1 * folders.index(Path(recipe.name)) + np.array([0.0, 0.01, -0.01])
        )

    def measure(folder: Path) -> dict[str, TaskResult]:
        value = 0.1 * folders.index(folder)
        return {
            "naming": TaskResult(
                value, 200, (value - 0.05, value + 0.05), 1, {"most_frequent_noun": 0.09}, {}
            )
        }

    variants = resolution_variants(RECIPE)
    return run_study("resolution", variants, train=train, lose=lose, measure=measure, data="toy val")


def test_the_table_has_a_row_for_each_variant(tmp_path: Path) -> None:
    study = studied()
    table = study.to_markdown()
    assert "| any_res | trained | 2.500 | 3.500 (+0.500 to +0.500) | 50.0 % (45.0 to 55.0) | 60 |" in table
    assert "| fixed | frozen | 2.500 | 3.000 | 0.0 %" in table
    assert "500 steps each; measured on toy val: naming n = 200" in table
    content = json.loads(study.to_json())
    assert [row["tasks"]["naming"]["value"] for row in content["rows"]] == pytest.approx(
        [0, 0.1, 0.2, 0.3, 0.4, 0.5]
    )
    study.plot(tmp_path / "study.png")
    assert (tmp_path / "study.png").read_bytes().startswith(b"\x89PNG")
