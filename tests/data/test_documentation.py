"""The examples of docs/data.md are what the code reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from deixis.data.sources import SIGNS, SOURCES
from deixis.records.check import check_records

PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_example_records_and_the_python_example_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (200, 160)).save(tmp_path / "photo.jpg")
    (tmp_path / "dialogues.jsonl").write_text(block("json"), encoding="utf-8")
    assert check_records(tmp_path / "dialogues.jsonl") == []
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(block("python"), names)
    assert len(names["source"]) == 2  # type: ignore[arg-type]


def test_every_layout_is_described() -> None:
    assert set(SIGNS) == set(SOURCES)
    for layout in SOURCES:
        assert f"| `{layout}` |" in PAGE
