"""What docs/fine_tuning.md prints works as it is printed, at a size that a test can wait for."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from PIL import Image

from deixis.cli.program import run as command
from deixis.records.check import check_records
from deixis.runs.training import run_recipes
from deixis.training.recipes.recipe import Recipe, read_recipe
from deixis.training.recipes.strict import build
from tests.toy.recipe import toy_recipe

PAGE = (Path(__file__).parents[2] / "docs" / "fine_tuning.md").read_text(encoding="utf-8")
FILES = ("mine.yaml", "mine_lora.yaml", "my_ferret.yaml")
SMALL = {
    "name": "ferret-small",
    "system": "ferret",
    "steps": 1,
    "batch": 1,
    "groups": None,
    "objective": {},
    "augmentation": {"square": False},
    "network": {
        "vision_encoder": "efficientnet_tiny",
        "language": "tiny",
        "side": 64,
        "view": 64,
        "pretrained": False,
        "sampler": {"points": 16, "anchors": [8, 4], "neighbours": [4, 2], "pooling": "max"},
        "max_text": 1000,
    },
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the page's data and recipes, one step of one picture each."""
    photos = tmp_path / "data" / "my_photos"
    photos.mkdir(parents=True)
    for name in ("1.jpg", "2.jpg"):
        Image.effect_noise((160, 120), 64).convert("RGB").save(photos / name)
    (photos / "samples.jsonl").write_text(blocks("json")[0], encoding="utf-8")
    for name, text in zip(FILES, blocks("yaml"), strict=True):
        (tmp_path / name).write_text(yaml.safe_dump(yaml.safe_load(text) | {"steps": 1, "batch": 1}))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def commands() -> list[list[str]]:
    lines = [line for block in blocks("sh") for line in block.splitlines() if line]
    return [shlex.split(line, comments=True)[1:] for line in lines]


def test_samples_and_recipes_are_legal(place: Path) -> None:
    assert check_records(place / "data" / "my_photos" / "samples.jsonl") == []
    for name, text in zip(FILES, blocks("yaml"), strict=True):
        assert build(Recipe, yaml.safe_load(text), where=name).steps == 60
        assert read_recipe(place / name).steps == 1
    named = {word for words in commands() for word in words if word.endswith(".yaml")}
    assert named == set(FILES) and len(commands()) == 7


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_commands_run(name: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = read_recipe(place / name)
    if recipe.starts_from == "ferret-small":
        small = toy_recipe(**SMALL, sources=[{"folder": "my_photos", "samples": "samples.jsonl"}])
        run_recipes([small], data=place / "data", out=place / "runs")
    own = [words for words in commands() if name in words or f"runs/{recipe.name}/model" in words]
    assert len(own) == 2
    for words in (commands()[0], *own):
        assert command(words) == 0, capsys.readouterr().err
    assert (place / "runs" / recipe.name / "model" / "config.json").is_file()
