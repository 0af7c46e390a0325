"""``deixis ask --task`` and ``--ground``, on a converted folder of random weights."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis.checkpoints.convert.florence_folder import DECODER_FILE
from deixis.cli import main
from deixis.systems.contract import System
from tests.systems.florence_vl.places.tiny import locating_folder
from tests.systems.pointer.tiny import noise_picture, saved_system


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("florence")
    Image.fromarray(noise_picture(50, 30).pixels).save(folder / "photo.png")
    return locating_folder(folder)


def refused(*given: Any, **named: Any) -> None:
    raise AssertionError("something was asked")


def asked(folder: Path, *words: str) -> list[str]:
    return [
        "ask",
        str(folder.parent / "photo.png"),
        *words,
        "--model",
        str(folder),
        "--device",
        "cpu",
        "--json",
    ]


@pytest.mark.parametrize(
    ("words", "question"),
    [
        (["--task", "object-detection"], "Locate the objects with category name in the image."),
        (["a {dog}", "--task", "<OPEN_VOCABULARY_DETECTION>"], "Locate a {{dog}} in the image."),
        (["--task", "region-to-category", "--box", "1,2,20,20"], "What is the region {it}?"),
    ],
)
def test_a_task(folder: Path, words: list[str], question: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*asked(folder, *words), "--max-new-tokens", "3"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["system"], answer["question"]) == ("florence_2", question)


def test_an_answer_with_places(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*asked(folder, "what is there?"), "--max-new-tokens", "8"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert main([*asked(folder, "what is there?", "--ground"), "--max-new-tokens", "8"]) == 0
    grounded = json.loads(capsys.readouterr().out)
    assert plain["text"] and grounded["text"] == plain["text"]
    assert grounded["system"] == "florence_vl"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--task", "find"], "there is no task 'find'"),
        (["--task", "od", "a dog"], "takes nothing, but a text was given"),
        (["--task", "region-to-ocr"], "takes region; give it"),
        (["--task", "od", "--temperature", "1"], "--temperature has no meaning with --task"),
        (["--task", "od", "--box", "a=1,1,9,9", "--box", "b=1,1,9,9"], "takes one region; got 2"),
        (["--task", "od", "--ground"], "not allowed with"),
        ([], "nothing is asked"),
    ],
)
def test_refusals(folder: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(asked(folder, *words))
    except SystemExit as end:
        code = int(end.code or 0)
    assert code == 2 and said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--task", "od"], "'pointer' has no tasks of Florence-2"),
        (["where is the dog?", "--ground"], "'pointer' has no decoder of Florence-2"),
    ],
)
def test_other_systems(
    folder: Path,
    tmp_path: Path,
    words: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    saved_system(tmp_path)
    monkeypatch.setattr(System, "ask", refused)
    assert main([*asked(folder, *words), "--model", str(tmp_path)]) == 2
    assert said in capsys.readouterr().err


def test_grounding_without_the_decoders_files_is_refused_before_asking(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = tmp_path / "lacking"
    shutil.copytree(folder, lacking)
    (lacking / DECODER_FILE).unlink()
    monkeypatch.setattr(System, "ask", refused)
    assert main([*asked(folder, "what is there?", "--ground"), "--model", str(lacking)]) == 4
    assert DECODER_FILE in capsys.readouterr().err
