"""A recipe's file is read in bounded time, whatever it says."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
import yaml

from deixis.errors import RecipeError
from deixis.training.recipes.recipe import read_recipe
from deixis.training.recipes.yaml_file import read_yaml
from tests.toy.recipe import TOY, toy_recipe

LAUGHS = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
)
MERGED = "\n".join(
    ["a0: &a0 {x: 1, y: 2}"] + [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 9)]
)
DEEP = "[" * 5000 + "]" * 5000
HOSTILE = {
    "aliases that unfold": (LAUGHS, "holds more than .* values"),
    "merges that unfold": (MERGED, "holds more than .* values"),
    "an alias inside what it stands for": ("a: &a [*a, *a]\nb: *a", "."),
    "deep lists": (DEEP, "lists and mappings inside each other"),
    "deep lists as a value": (f"network: {DEEP}", "lists and mappings inside each other"),
    "deep mappings": ("{a: " * 5000 + "1" + "}" * 5000, "lists and mappings inside each other"),
    "deep blocks": ("\n".join(" " * n + "- " for n in range(2000)), "."),
    "open ends": ("[" * 5000, "."),
    "many values": ("a: [" + "1, " * 100_000 + "1]", "holds more than"),
    "a key twice": ("name: a\nsystem: pointer\nname: b", "line 3: key 'name' is given twice"),
    "a key twice within": ("name: a\nschedule: {warmup: 1, warmup: 2}", "key 'warmup' is given twice"),
    "a key twice in a list": ("groups:\n- {parts: [a], rate: 1.0, rate: 2.0}", "key 'rate' is given twice"),
    "a number of 5,000 digits": ("steps: " + "9" * 5000, "."),
    "a date that is none": ("name: 2001-99-99", "."),
    "a key that is a list": ("? [a, b]\n: 1", "."),
    "two documents": ("name: a\n---\nname: b", "."),
    "a tag of Python": ("!!python/object/apply:os.system ['true']", "."),
    "a timestamp that is a word": ("name: !!timestamp x", "."),
    "a bool that is a word": ("name: !!bool x", "."),
    "an int that is nothing": ("steps: !!int ''", "."),
    "an unknown alias": ("name: *nothing", "."),
    "half a character": (b"name: \xff\xfe", "."),
    "a null byte": (b"name: a\0b", "."),
    "nothing": ("", "expected keys and values"),
    "only a word": ("pointer", "expected keys and values"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files(kind: str, tmp_path: Path) -> None:
    content, message = HOSTILE[kind]
    path = tmp_path / "recipe.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    started = time.process_time()
    with pytest.raises(RecipeError, match=message):
        read_recipe(path)
    assert time.process_time() - started < 10


def test_what_is_no_ordinary_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (Path("/dev/zero"), tmp_path / "pipe", tmp_path):
        with pytest.raises(RecipeError, match="is no ordinary file"):
            read_recipe(path)
    with pytest.raises(RecipeError, match="cannot be read"):
        read_recipe(tmp_path / "gone.yaml")


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_text("#" * (1 << 21))
    with pytest.raises(RecipeError, match="is over"):
        read_recipe(path)


def test_ordinary_aliases_go_on_working(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    text = yaml.safe_dump({key: value for key, value in TOY.items() if key != "groups"})
    path.write_text(text + "groups:\n- &all {parts: [''], rate: 0.5}\n- {<<: *all, rate: 0.25}\n")
    groups = read_recipe(path).groups
    assert groups is not None and [group.rate for group in groups] == [0.5, 0.25]
    assert read_yaml(path)["groups"][1] == {"parts": [""], "rate": 0.25}


def test_a_recipe_survives_a_file(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(TOY))
    assert read_recipe(path) == toy_recipe()
