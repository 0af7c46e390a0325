"""How much commands say on standard error."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from deixis.cli import main
from deixis.cli.program import COMMANDS, build_parser
from deixis.cli.progress_bars import ProgressBars
from deixis.systems.pointer.weights import save_network
from tests.systems.pointer.tiny import tiny_network, tiny_vocabulary


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model")
    save_network(tiny_network(), tiny_vocabulary(), folder)
    return str(folder)


@pytest.fixture
def photo(tmp_path: Path) -> str:
    from PIL import Image

    path = tmp_path / "photo.png"
    Image.new("RGB", (80, 60), (200, 30, 30)).save(path)
    return str(path)


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(
    ("flag", "device", "doubt", "more"),
    [(None, True, True, False), ("--quiet", False, False, False), ("--verbose", True, True, True)],
)
def test_as_much_is_said_as_was_asked_for(
    model: str,
    photo: str,
    capsys: pytest.CaptureFixture[str],
    before: bool,
    flag: str | None,
    device: bool,
    doubt: bool,
    more: bool,
) -> None:
    own = [flag] if flag else []
    words = ["ask", photo, "what is {it}?", "--box", "0.1,0.2,0.5,0.9", "--model", model]
    assert main([*own, *words] if before else [*words, *own]) == 0
    captured = capsys.readouterr()
    assert captured.out and "deixis: " not in captured.out
    lines = captured.err.splitlines()
    assert all(line.startswith("deixis: ") for line in lines)
    assert any(line.endswith("on cpu in float32") and "from" not in line for line in lines) == device
    assert any("--frame unit" in line for line in lines) == doubt
    assert any(f"from {model}" in line for line in lines) == more


def test_errors_are_said_even_if_quiet(photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "--quiet", photo, "what?", "--model", "nobody"]) == 2
    assert "known systems: pointer" in capsys.readouterr().err


def test_nothing_stays_behind(model: str, photo: str) -> None:
    logger = logging.getLogger("deixis")
    before = list(logger.handlers), logger.level
    main(["ask", photo, "what?", "--model", model, "--verbose"])
    main(["ask", photo, "what?", "--model", "nobody"])
    assert (list(logger.handlers), logger.level) == before


@pytest.mark.parametrize("command", [*COMMANDS, "data check", "data show", "data lvis-questions"])
def test_every_command_takes_the_flags(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build_parser().parse_args([*command.split(), "--help"])
    said = capsys.readouterr().out
    assert all(flag in said for flag in ("--verbose", "--quiet", "--traceback"))


def test_a_mistake_under_a_bar_has_a_line_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = {
        "name": "mine",
        "system": "pointer",
        "starts_from": "pointer",
        "steps": 1,
        "batch": 1,
        "sources": [{"folder": "nowhere", "samples": "samples.jsonl"}],
        "objective": {"pretrained": False},
    }
    (tmp_path / "mine.yaml").write_text(json.dumps(recipe))
    words = ["train", str(tmp_path / "mine.yaml"), "--data", str(tmp_path), "--out", str(tmp_path / "runs")]
    assert main(words) == 2
    *bars, mistake = capsys.readouterr().err.splitlines()
    assert any("mine: reading" in bar for bar in bars)
    assert mistake.startswith("deixis: ") and "samples.jsonl cannot be read" in mistake


def test_nothing_to_do_has_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(ProgressBars().track([], "fitting: region classifier", unit="picture")) == []
    assert capsys.readouterr().err == ""
    assert list(ProgressBars().track([7], "fitting: region classifier", unit="picture")) == [7]
    assert "region classifier: 100%" in capsys.readouterr().err
