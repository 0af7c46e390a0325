"""`deixis data check` and `deixis data show`, through their own parser."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
from PIL import Image

from deixis.cli.commands import data
from deixis.errors import DeixisError, UsageError
from deixis.evaluation.benchmarks.lvis_questions import read_lvis_questions
from tests.evaluation.lvis_files import lvis_file


def called(*words: object) -> int:
    parser = argparse.ArgumentParser()
    data.add_arguments(parser)
    return data.run(parser.parse_args([str(word) for word in words]))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    Image.new("RGB", (80, 40)).save(tmp_path / "photo.jpg")
    turns = [{"user": "What is {a}?", "assistant": "[a dog](a), no [cat]()"}]
    record = {
        "picture": "photo.jpg",
        "frame": "pixels",
        "regions": {"a": {"box": [10, 5, 30, 25]}},
        "turns": turns,
    }
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps(record) + "\n", encoding="utf-8")
    return path


def test_check_of_a_good_file(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert called("check", file) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{file}: 1 sample about 1 picture, 1 turn, 2 phrases with a place (1 not in the picture); "
        "regions: 1 box",
        "no problems",
    ]


def test_check_reports_problems_and_exits_with_2(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(file.read_text() + "{\n" + file.read_text().replace("pixels", "inches"), encoding="utf-8")
    assert called("check", file) == 2
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{file}:2: is not valid JSON")
    assert lines[1].startswith(f'{file}:3: frame: is "inches"; expected one of')
    assert lines[-1] == "2 problems"
    file.write_text("{\n", encoding="utf-8")
    assert called("check", file) == 2
    assert capsys.readouterr().out.splitlines()[1:] == [
        f"{file}: 0 samples about 0 pictures, 0 turns, 0 phrases with a place (0 not in the picture); "
        "regions: none",
        "1 problem",
    ]


def test_show_draws_and_prints(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "drawn.png"
    assert called("show", file, 1, "--out", out) == 0
    assert Image.open(out).size == (480, 240)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "user:      What is {a}?" and printed[-1] == str(out)
    assert "'cat': not in the picture" in printed[-2]


def test_show_names_its_picture_after_file_and_line(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert called("show", file, 1) == 0
    assert (tmp_path / "mine-1.png").is_file()


def test_what_cannot_be_shown_is_a_mistake_of_the_caller(file: Path, tmp_path: Path) -> None:
    with pytest.raises(DeixisError, match="no sample on line 7"):
        called("show", file, 7)
    with pytest.raises(UsageError, match="no format for a picture"):
        called("show", file, 1, "--out", tmp_path / "drawn.strange")
    with pytest.raises(SystemExit):
        called()


def test_questions_from_lvis(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "questions.jsonl"
    words = ("lvis-questions", "--annotations", lvis_file(tmp_path), "--out", out)
    assert called(*words) == 0
    assert capsys.readouterr().out == f"{out}: 40 objects, each in a picture of its own\n"
    everything = read_lvis_questions(out)
    assert called(*words, "--limit", 3, "--shape", "point", "--pictures", "all") == 0
    few = read_lvis_questions(out)
    assert [one.point for one in few] == [one.point for one in everything[:3]]
    assert all(one.box is None and one.stroke is None for one in few)
    assert called(*words, "--seed", 1) == 0
    assert read_lvis_questions(out) != everything
