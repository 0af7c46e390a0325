"""Recipes of the package, found by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from deixis.errors import RecipeError
from deixis.training.recipes.packaged import find_recipes, packaged_recipes


@pytest.mark.parametrize("name", ["ferret/small", "ferret/small.yaml", "recipes/ferret/small.yaml"])
def test_a_recipe_is_found_by_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_recipes(name) == [packaged_recipes()["ferret/small"]]


def test_a_file_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ferret").mkdir()
    (tmp_path / "ferret" / "small").write_text("name: mine")
    assert find_recipes("ferret/small") == [Path("ferret/small")]


def test_a_pattern_means_all_that_fit() -> None:
    names = [name for name in packaged_recipes() if name.startswith("pointer/")]
    assert len(names) > 1
    assert find_recipes("pointer/*") == [packaged_recipes()[name] for name in names]


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(RecipeError, match=r"recipe 'pointer/lok' cannot be read.*pointer/stage-1"):
        find_recipes("pointer/lok")


@pytest.mark.parametrize(
    ("former", "now"),
    [
        ("pointer/look", "pointer/stage-1"),
        ("recipes/pointer/named.yaml", "pointer/stage-9"),
        ("pointer/verified", "pointer/stage-8"),
    ],
)
def test_former_names_go_on_working(
    former: str, now: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_recipes(former) == [packaged_recipes()[now]]
