"""`deixis study proposals`: from two systems and a dataset to tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deixis.cli import main
from tests.systems.groma.tiny import fresh_groma
from tests.systems.pointer.tiny import saved_system
from tests.toy.pack import write_toy_pack


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    write_toy_pack(folder / "data", pictures=3)
    fresh_groma().save(folder / "groma")
    saved_system(folder / "pointer")
    return folder


def test_two_systems_side_by_side(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = [word for name in ("groma", "pointer") for word in ("--model", str(folders / name))]
    where = ["--data", str(folders / "data"), "--limit", "2", "--most", "5", "--out", str(folders / "out")]
    assert main(["study", "proposals", *models, *where, "--device", "cpu", "--quiet"]) == 0
    table = capsys.readouterr().out
    assert table.strip() == (folders / "out" / "study.md").read_text().strip()
    content = json.loads((folders / "out" / "study.json").read_text())
    assert [row["system"] for row in content["rows"]] == ["groma", "pointer"]
    assert content["pictures"] == 2
    for row in content["rows"]:
        assert 0 < row["boxes_a_picture"] <= 5
        low, high = row["AR@5"]["all"]["ci95"]
        assert low <= row["AR@5"]["all"]["value"] <= high


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--most", "0"], "--most is 0"),
        (["--model", "pointer", "--model", "pointer"], "names one system twice"),
        (["--limit", "0"], "limit is 0"),
    ],
)
def test_a_call_that_makes_no_sense(
    folders: Path, capsys: pytest.CaptureFixture[str], more: list[str], words: str
) -> None:
    where = ["--data", str(folders / "data"), "--out", str(folders / "none")]
    assert main(["study", "proposals", *where, *more]) == 2
    assert words in capsys.readouterr().err


def test_a_system_that_finds_only_what_it_is_asked_for(folders: Path) -> None:
    from deixis.errors import UsageError
    from tests.systems.vip_llava.tiny import fresh_vip_llava

    with pytest.raises(UsageError, match="'vip_llava' finds only what it is asked for"):
        fresh_vip_llava().propose("x.png")
