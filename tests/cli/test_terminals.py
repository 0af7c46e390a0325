"""Odd terminals: other encodings, streams that are closed or full, and Ctrl-C."""

from __future__ import annotations

import io
import json
import subprocess
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
    Path(photo).rename("狗.jpg")
    assert main(["ask", "狗.jpg", "where is the dog?", "--model", model, "--json"]) == 0
    assert json.loads(shown.getvalue())["picture"]["name"] == "狗.jpg"


@pytest.mark.parametrize("text", ["wo ist der H\udcfcnd?", "\ud83d", "where is {it}? \udcff"])
def test_bytes_of_another_encoding_are_wrong_use(
    text: str, photo: str, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["ask", photo, text, "--model", model, *(["--box", "1,2,30,40"] if "{it}" in text else [])]
    assert main(words) == 2
    assert "is no whole character; is it in another encoding than UTF-8?" in capsys.readouterr().err
    for flags in (["--stop", text], ["--box", f"{text}=1,2,3,4"], ["--model", text], ["--device", text]):
        given = [] if "--model" in flags else ["--model", model]
        assert main(["ask", photo, "where is the dog?", *given, *flags]) == 2
    assert main(["ask", text, "where is the dog?", "--model", model]) == 3
    capsys.readouterr()


def test_half_characters_in_records_are_no_fault(
    photo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    turns = [{"user": "{a} \ud83d", "assistant": "[\udce9](a)."}]
    record = {"picture": photo, "frame": "pixels", "regions": {"a": {"box": [10, 5, 30, 25]}}, "turns": turns}
    (tmp_path / "half.jsonl").write_text(json.dumps(record), encoding="utf-8")
    assert main(["data", "check", "half.jsonl"]) in (0, 2)
    assert main(["data", "show", "half.jsonl", "1"]) in (0, 2)
    capsys.readouterr()


def test_closed_streams(
    photo: str, model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as closed:
        closed.setattr(sys, "stdin", None)
        assert main(["chat", photo, "--model", model]) == 2
        assert "standard input is closed" in capsys.readouterr().err
        assert main(["ask", photo, "where is the dog?", "--model", model]) == 0
    with monkeypatch.context() as closed:
        closed.setattr(sys, "stdout", None)
        closed.setattr(sys, "stdin", io.StringIO("where is the dog?\n"))
        assert main(["chat", photo, "--model", model]) == 0
        assert main(["ask", photo, "where is the dog?", "--model", model]) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no file that is always full")
@pytest.mark.parametrize("words", [["data", "show", "RECORDS", "1"], ["data", "check", "RECORDS"]])
def test_a_full_standard_output_is_told(words: list[str], records: str) -> None:
    words = [records if word == "RECORDS" else word for word in words]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "deixis", *words], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 2
    assert done.stderr == "deixis: reading or writing failed: No space left on device\n"


INTERRUPTED_AT = """
import sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            raise KeyboardInterrupt

import deixis.cli
sys.meta_path.insert(0, Finder())
sys.exit(deixis.cli.main(["ask", "photo.png", "what?"]))
"""


@pytest.mark.parametrize(
    "module", ["argparse", "deixis.errors", "deixis.cli.commands.ask", "deixis.pictures.opening"]
)
def test_ctrl_c_is_quiet_from_the_start(module: str) -> None:
    """As if it were typed while a module is imported, from the first one of the program on."""
    done = subprocess.run([sys.executable, "-c", INTERRUPTED_AT, module], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "deixis: interrupted\n")
