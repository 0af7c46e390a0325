"""What comes after the last step: fitting, unless the run was cut short, then saving; all of it is told."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from deixis.progress import Progress
from deixis.runs.training import run_recipes
from deixis.training.loop import train
from deixis.training.parallel import World
from tests.toy.pack import write_toy_pack
from tests.toy.recipe import toy_recipe
from tests.training import toy_objective as toy

ALONE = World(rank=0, size=1, device=torch.device("cpu"))


class Told(Progress):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def phase(self, what: str) -> None:
        self.said.append(what)

    def track(
        self, items: Iterable[Any], what: str, *, total: int | None = None, first: int = 0, unit: str = ""
    ) -> Iterator[Any]:
        done = first
        for item in items:
            yield item
            done += 1
        self.said.append(f"{what} {done}/{total}")

    def note(self, text: str) -> None:
        self.said.append(text.split("=")[0])


def fitted_run(out: Path, told: Progress | None = None, **options: Any) -> list[str]:
    """Run the toy with a stage of fitting and return what was called, in order."""
    called: list[str] = []
    parts = toy.parts()

    def fit() -> None:
        called.append("fit" if not parts.objective.training else "fit while training")

    def save(objective: nn.Module, folder: Path) -> None:
        called.append("save")
        toy.save(objective, folder)

    with_fit = dataclasses.replace(parts, fit=fit, save=save)
    train(with_fit, toy.recipe(ema=0.9), out=out, world=ALONE, progress=told or Told(), **options)
    return called


def test_a_finished_run_is_fitted_then_saved(tmp_path: Path) -> None:
    assert fitted_run(tmp_path) == ["fit", "save"]


def test_a_run_cut_short_fits_nothing_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="deixis"):
        assert fitted_run(tmp_path, max_steps=2) == ["save"]
    assert "nothing is fitted" in caplog.text and "--resume" in caplog.text
    assert fitted_run(tmp_path, resume=True) == ["fit", "save"]


def test_max_steps_beyond_the_end_cuts_nothing(tmp_path: Path) -> None:
    assert fitted_run(tmp_path, max_steps=60) == ["fit", "save"]


def test_every_phase_is_told(tmp_path: Path) -> None:
    told = Told()
    fitted_run(tmp_path, told)
    assert [text for text in told.said if text != "loss"] == [
        "toy: training 6/6",
        "toy: fitting",
        "toy: saving",
    ]
    assert "loss" in told.said


def test_a_recipe_tells_all_its_phases(tmp_path: Path) -> None:
    told = Told()
    run_recipes([toy_recipe()], data=write_toy_pack(tmp_path / "data"), out=tmp_path, progress=told)
    phases = [text for text in told.said if text.startswith("toy: ")]
    assert phases == [
        "toy: reading 1/None",
        "toy: collecting phrases and words",
        "toy: making the network",
        "toy: training 6/6",
        "toy: fitting",
        "toy: saving",
    ]
    told.said.clear()
    run_recipes([toy_recipe(name="cut")], data=tmp_path / "data", out=tmp_path, progress=told, max_steps=1)
    assert "cut: saving" in told.said and "cut: fitting" not in told.said
