import argparse
from pathlib import Path

import pytest

from deixis.cli.commands import gallery as command
from deixis.cli.program import COMMANDS
from deixis.errors import RecordError, UsageError
from tests.gallery.guessing import Guessing
from tests.toy.pack import write_toy_pack


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return write_toy_pack(tmp_path / "toy", pictures=6)


def call(*words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(words))


def test_the_command_is_offered() -> None:
    assert "gallery" in COMMANDS


def test_a_gallery_is_written(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("deixis.systems.load", lambda *_, **__: Guessing())
    out = tmp_path / "gallery"
    assert (
        call("--pack", str(pack), "--split", "train", "--out", str(out), "--count", "3", "--seed", "2") == 0
    )
    assert f"3 photos with 15 questions: {out / 'index.html'}" in capsys.readouterr().out
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "toy" in page and "0123456789abcdef" in page and "seed 2" in page


@pytest.mark.parametrize(
    ("words", "fault", "message"),
    [
        (["--split", "train", "--count", "0"], UsageError, "--count is 0; expected a whole number from 1"),
        (["--split", "train", "--seed", "-1"], UsageError, "--seed is -1"),
        (["--split", "test"], RecordError, "train, val"),
        (["--split", "train", "--out", "{pack}"], UsageError, "no gallery"),
    ],
)
def test_mistakes_show_before_a_system_is_loaded(
    pack: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], fault: type[Exception], message: str
) -> None:
    monkeypatch.setattr("deixis.systems.load", lambda *_, **__: pytest.fail("loaded"))
    filled = [word.format(pack=pack) for word in words]
    with pytest.raises(fault, match=message):
        call("--pack", str(pack), "--out", str(pack.parent / "gallery"), *filled)
    assert not (pack.parent / "gallery").exists()
