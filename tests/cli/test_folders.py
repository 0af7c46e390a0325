"""Folders and tasks that aren't there are told before anything is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from deixis.cli import main

WORDS = {
    "evaluate": "evaluate --data PACK --split val",
    "gallery": "gallery --data PACK --split val --out gallery",
}


@pytest.mark.parametrize("command", WORDS)
def test_a_pack_that_is_not_there(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(WORDS[command].replace("PACK", "nope").split()) == 2
    assert capsys.readouterr().err == "deixis: --data 'nope': there is no such folder\n"
    Path("file").touch()
    assert main(WORDS[command].replace("PACK", "file").split()) == 2
    assert capsys.readouterr().err == "deixis: --data 'file' is not a folder\n"


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("ground", "there is no task 'ground'. Did you mean 'grounding'? Known tasks: grounding, "),
        ("zzz", "there is no task 'zzz'; known tasks: grounding, "),
    ],
)
def test_a_task_that_is_not_there(task: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--pack", ".", "--split", "val", "--tasks", task]) == 2
    assert message in capsys.readouterr().err
