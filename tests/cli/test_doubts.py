"""Coordinates that look like fractions of the picture, where pixels are meant by default."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from PIL import Image

from deixis.cli import main
from tests.systems.pointer.tiny import saved_system

DOUBT = "has all its coordinates in 0..1, measured in {}; are they fractions? Then say --frame unit"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model")
    saved_system(folder)
    return str(folder)


@pytest.mark.parametrize(
    ("flags", "doubted"),
    [
        ("--box 0.1,0.2,0.5,0.9", "pixels"),
        ("--box 0,0,1,1", "pixels"),
        ("--point 0.5,1", "pixels"),
        ("--polygon 0.1,0.2;0.5,0.9;0,1", "pixels"),
        ("--scribble 0.1,0.2;0.5,0.9", "pixels"),
        ("--box 0.1,0.2,0.5,0.9 --frame thousandths", "thousandths"),
        ("--box 0.1,0.2,0.5,0.9 --frame unit", ""),
        ("--box 0.1,0.2,0.5,9", ""),
        ("--point 0,0", ""),
        ("--point 1,1.5", ""),
    ],
)
def test_fractions_without_a_frame_are_doubted(
    flags: str,
    doubted: str,
    model: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (80, 60)).save("photo.png")
    given = [*flags.split(), "--model", model]
    message = "{it} " + DOUBT.format(doubted)
    assert main(["ask", "photo.png", "What is {it}?", *given, "--json"]) == 0
    said = capsys.readouterr()
    assert (f"deixis: {message}\n" in said.err) == ("fractions" in said.err) == bool(doubted)
    assert "fractions" not in said.out
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert main(["chat", "photo.png", *given]) == 0
    said = capsys.readouterr()
    assert (f"note: {message}\n" in said.out) == ("fractions" in said.out) == bool(doubted)
