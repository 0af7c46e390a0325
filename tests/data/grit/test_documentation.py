"""The examples of docs/grit.md are what the code reads and does."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deixis.data.grit.locations import PointRule
from deixis.data.grit.mixing import FERRET_MIX
from deixis.data.grit.records import DATASETS, read_grit
from deixis.data.grit.source import GritSource
from deixis.data.grit.tasks import TASKS

PAGE = (Path(__file__).parents[3] / "docs" / "grit.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_record_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "images").mkdir()
    Image.new("RGB", (640, 480)).save(tmp_path / "images/a.jpg")
    (tmp_path / "vg_objects.json").write_text(blocks("json")[0], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(blocks("python")[0], names)
    source = names["source"]
    assert isinstance(source, GritSource) and len(read_grit("vg_objects.json")) == 1
    (turn,) = source.example(0, np.random.default_rng(0)).dialogues[0].turns
    assert turn.question == "What is the object {region0}?"
    assert [turn.answer[mark.start : mark.end] for mark in turn.marks] == ["A dog beside a cup"]


def test_everything_is_named() -> None:
    for name in (*FERRET_MIX, *DATASETS, *TASKS):
        assert f"`{name}`" in PAGE or f"`{name.removeprefix('grounded_llava_boxes')}`" in PAGE
    rules = re.findall(r"^\| `((?:segment_mask|center|gaussian)[^`]*)`", PAGE, re.MULTILINE)
    assert len(rules) == 5 and all(PointRule.parse(rule.replace("\\", "")) for rule in rules)
    for name, factor in FERRET_MIX.items():
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name[:20]}"))
        assert f"| {factor:g} |" in row
