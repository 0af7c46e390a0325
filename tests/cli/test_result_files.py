"""Reports and galleries: what can't be written is told before the work, and a report is never lost."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from deixis.cli import main
from deixis.cli.saving import save_or_print
from deixis.errors import UsageError
from tests.files.test_writing import room_for
from tests.gallery.guessing import Guessing
from tests.toy.pack import write_toy_pack


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dataset, and nothing that answers: what is refused is refused before weights are read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("deixis.systems.load", lambda *_, **__: pytest.fail("the weights were read"))
    write_toy_pack(tmp_path / "toy", pictures=6)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}", encoding="utf-8")
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    (tmp_path / "way").symlink_to("toy/val_instances.json")
    os.link(next((tmp_path / "toy" / "images").glob("*.jpg")), tmp_path / "photo.jpg")
    return tmp_path


EVALUATE = "evaluate --data toy --split val --tasks naming"
GALLERY = "gallery --data toy --split val"
STUDY = "study resolution --recipe ferret_v2/resolution --data . --eval-data toy"


@pytest.mark.parametrize("flag", ["--json", "--items"])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        (".", "is a folder"),
        ("toy", "is a folder"),
        ("file/report.json", "cannot be written"),
        ("nowhere/report.json", "make it first"),
        ("n" * 300, "name too long"),
        ("/dev/full", "no space left"),
        ("/proc/report.json", "cannot be written"),
        ("toy/val_instances.json", "is a file of the dataset"),
        ("toy/val_captions.jsonl", "is a file of the dataset"),
        ("./toy/../toy/train_captions.jsonl", "is a file of the dataset"),
        ("way", "is a file of the dataset"),
        ("photo.jpg", "is a file of the dataset"),
        ("model/config.json", "is a file of the model"),
    ],
)
def test_a_report_that_cannot_be_written(
    flag: str, name: str, message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert main([*EVALUATE.split(), "--model", "model", flag, name]) == 2
    error = capsys.readouterr().err
    assert f"deixis: {flag} " in error and message in error and "Traceback" not in error
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_two_reports_in_one_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*EVALUATE.split(), "--json", "a", "--items", "./a"]) == 2
    assert "--json, --items name one file" in capsys.readouterr().err


@pytest.mark.parametrize("command", [GALLERY, STUDY])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("file", "is a file"),
        ("file/new", "cannot be written"),
        ("n" * 300, "name too long"),
        ("/dev/full", "is a file"),
        ("/proc/new", "cannot be written"),
    ],
)
def test_a_folder_that_cannot_be_written(
    command: str, name: str, message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(folder.rglob("*"))
    assert main([*command.split(), "--out", name]) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    "words", [f"{EVALUATE} --json new.json", f"{GALLERY} --out new", f"{STUDY} --out new"]
)
def test_a_full_disk(words: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with room_for(1000):
        assert main(words.split()) == 2
    assert "file too large" in capsys.readouterr().err
    assert not list(folder.glob("new*"))


def test_a_report_is_printed_where_the_disk_filled_up_meanwhile(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Filling(Guessing):
        def ask(self, *values: object, **named: object) -> list[object]:  # type: ignore[override]
            (folder / "full").mkdir(exist_ok=True)
            (folder / "report.json").mkdir(exist_ok=True)  # now nothing can be written under that name
            return super().ask(*values, **named)  # type: ignore[arg-type, return-value]

    monkeypatch.setattr("deixis.systems.load", lambda *_, **__: Filling())
    assert main([*EVALUATE.split(), "--json", "report.json", "--items", "items.jsonl"]) == 2
    said = capsys.readouterr()
    report = json.loads(said.out[said.out.index("\n{\n") :])
    assert report["tasks"]["naming"]["n"] == len((folder / "items.jsonl").read_text().splitlines()) > 0
    assert "cannot write report.json" in said.err and "was printed instead" in said.err


def test_all_that_fails_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(UsageError, match=r"cannot write .*a: .*cannot write .*full"):
        save_or_print({tmp_path / "a": "first", tmp_path / "b": "second", Path("/dev/full"): "third"})
    assert capsys.readouterr().out == "first\nthird\n"
    assert (tmp_path / "b").read_text(encoding="utf-8") == "second"
