"""Odd terminals: other encodings, streams that are closed or full, and Ctrl-C."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from deixis.cli import main
from tests.systems.pointer.tiny import saved_system

Terminal = Callable[[str], io.BytesIO]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model")
    saved_system(folder)
    return str(folder)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Print to a terminal of an encoding; what it shows."""

    def of(encoding: str) -> io.BytesIO:
        shown = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding=encoding, write_through=True))
        return shown

    return of


@pytest.fixture
def photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (80, 60)).save("photo.png")
    return "photo.png"


@pytest.fixture
def records(photo: str, tmp_path: Path) -> str:
    turns = [{"user": "{a} 是什么?", "assistant": "[狗](a)."}]
    record = {"picture": photo, "frame": "pixels", "regions": {"a": {"box": [10, 5, 30, 25]}}, "turns": turns}
    wrong = record | {"frame": "英寸"}
    lines = [json.dumps(one, ensure_ascii=False) for one in (record, wrong)]
    (tmp_path / "狗.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return "狗.jsonl"


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1"])
def test_characters_that_the_terminal_lacks_are_escaped(
    encoding: str, records: str, photo: str, model: str, terminal: Terminal
) -> None:
    shown = terminal(encoding)
    assert main(["data", "show", records, "1"]) == 0
    assert rb"{a} \u662f\u4ec0\u4e48?" in shown.getvalue()
    shown = terminal(encoding)
    assert main(["data", "check", records]) == 2
    assert rb"\u82f1\u5bf8" in shown.getvalue() and rb"\u72d7.jsonl:2" in shown.getvalue()
    shown = terminal(encoding)
    assert main(["ask", photo, "where is the dog?", "--model", model, "--out", "狗.png"]) == 0
    assert rb"drawn: \u72d7.png" in shown.getvalue()
    (Path(photo).parent / "狗.jpg").write_bytes(Path(photo).read_bytes())
    shown = terminal(encoding)
    sys.stdin, before = io.StringIO("where is the 狗?\n"), sys.stdin
    try:
        assert main(["chat", "狗.jpg", "--model", model]) == 0
    finally:
        sys.stdin = before
    assert rb"\u72d7.jpg" in shown.getvalue()


def test_json_stays_json_on_any_terminal(photo: str, model: str, terminal: Terminal) -> None:
    shown = terminal("ascii")
    assert main(["ask", photo, "où est le 🐕?", "--model", model, "--json"]) == 0
    json.loads(shown.getvalue())
