"""No command writes over a file that it reads."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from PIL import Image

from deixis.cli import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of inputs, and nothing that answers: what is refused is refused before weights are read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("deixis.systems.load", lambda *_, **__: pytest.fail("the weights were read"))
    Image.new("RGB", (80, 60)).save("photo.png")
    Image.new("RGB", (80, 60)).save("photo-2.png")
    Image.new("L", (80, 60), 255).save("mask.png")
    os.link("photo.png", "link.png")
    Path("way.png").symlink_to("photo.png")
    turns = [{"user": "{a}?", "assistant": "[a dog](a)"}]
    record = {"picture": "photo.png", "frame": "pixels", "regions": {"a": {"box": [1, 2, 3, 4]}}}
    Path("mine.jsonl").write_text(json.dumps(record | {"turns": turns}), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("ask photo.png what? --out photo.png", "--out photo.png is the picture itself"),
        ("ask photo.png what? --out ./photo.png", "is the picture itself"),
        ("ask photo.png what? --out link.png", "is the picture itself"),
        ("ask photo.png what? --out way.png", "is the picture itself"),
        ("ask way.png what? --out photo.png", "is the picture itself"),
        ("ask photo-2.png what? -q where? --out photo.png", "--out photo-2.png is the picture itself"),
        ("ask photo.png {it}? --mask mask.png --out mask.png", "--out mask.png is a mask that is read"),
        ("ask photo.png {a}? --mask a=mask.png --out mask.png", "is a mask that is read"),
        ("ask photo.png what? --out .", "--out . is a folder"),
        ("chat photo.png --out link.png", "is the picture itself"),
        ("chat photo.png --mask mask.png --out mask.png", "is a mask that is read"),
        ("data show mine.jsonl 1 --out photo.png", "is the sample's picture itself"),
        ("data show mine.jsonl 1 --out mine.jsonl", "is the file of samples itself"),
        (
            "data lvis-questions --annotations mine.jsonl --out mine.jsonl",
            "is the file of annotations itself",
        ),
    ],
)
def test_an_input_is_never_written_over(
    words: str, message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert main(words.split()) == 2
    assert message in capsys.readouterr().err
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
