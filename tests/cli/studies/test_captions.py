"""`deixis study captions`: from trained runs to a table."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from deixis.cli import main
from deixis.runs.training import run_recipes
from deixis.runs.unseen import captions_alone, unseen_losses
from tests.toy.pack import write_toy_pack
from tests.toy.recipe import TOY, toy_recipe

SOURCES = [{"folder": "pack", "split": "train"}]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack, a recipe's file, and its run of two steps."""
    folder = tmp_path_factory.mktemp("captions")
    write_toy_pack(folder / "pack", pictures=48)
    (folder / "toy.yaml").write_text(yaml.safe_dump({**TOY, "sources": SOURCES, "steps": 2}))
    run_recipes([toy_recipe(sources=SOURCES, steps=2)], data=folder, out=folder / "out", device="cpu")
    return folder


def words(folder: Path, run: str, *more: str) -> list[str]:
    where = ["--data", str(folder / "pack"), "--out", str(folder / "results"), "--device", "cpu", "--quiet"]
    return ["study", "captions", "--run", run, *where, *more]


def test_a_run_becomes_a_row(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = f"{trained / 'toy.yaml'}={trained / 'out' / 'toy'}"
    assert main(words(trained, given, "--limit", "16")) == 0
    (row,) = json.loads((trained / "results" / "study.json").read_text())["rows"]
    assert "| toy |" in capsys.readouterr().out
    assert row["captions"]["pictures"] == row["naming"]["n"] == 16
    assert row["seconds_a_step"] > 0 and row["positions"] > 16
    recipe = toy_recipe(sources=SOURCES, steps=2)
    losses = unseen_losses(
        recipe,
        trained / "out" / "toy" / "model",
        pack=trained / "pack",
        split="val",
        dialogues=captions_alone(),
    )
    np.testing.assert_allclose(row["unseen"], losses, rtol=1e-6)
    assert len(losses) == 2


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ("out/nothing", "nothing/model"),
        ("out/toy", "no packaged recipe has that name"),
        ("ferret/*=out/toy", "means 2 recipes"),
    ],
)
def test_a_run_that_is_none(
    trained: Path, run: str, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trained)
    assert main(words(trained, run)) == 2
    assert said in capsys.readouterr().err
