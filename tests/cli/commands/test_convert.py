"""`deixis convert`: what it writes, and the exit codes of what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from deixis.cli import main
from tests.checkpoints.tiny_checkpoints import Folders, ferret_folders, ferret_ui_folder, ferret_v2_folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    return ferret_folders(tmp_path_factory.mktemp("original"))


def called(*words: object) -> int:
    return main(["convert", *map(str, words)])


def test_there_and_back_again(folders: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours, delta, back = (tmp_path / name for name in ("ours", "delta", "back"))
    assert called("ferret", "--folder", folders.target, "--vision-encoder", folders.tower, "--out", ours) == 0
    assert called("ferret", "--make-delta", "--base", folders.base, "--target", ours, "--out", delta) == 0
    both = ("--base", folders.base, "--delta", delta, "--tower", folders.tower)  # as it was called before
    assert called("ferret", *both, "--out", tmp_path / "again") == 0
    assert called("ferret", "--folder", tmp_path / "again", "--back", "--out", back) == 0
    written, target = load_file(back / "model.safetensors"), load_file(folders.target / "model.safetensors")
    assert set(written) == set(target) and all(torch.equal(written[key], target[key]) for key in target)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Ferret, from a whole checkpoint: {ours}"
    assert (
        lines[1].startswith(f"a delta of {ours}, ") and lines[-1] == f"Ferret in its original format: {back}"
    )


@pytest.mark.parametrize("system", ["ferret-ui", "ferret-v2"])
def test_the_others(folders: Folders, tmp_path: Path, system: str) -> None:
    ferret_ui_folder(tmp_path / "ferret-ui", kind="gemma")
    ferret_v2_folder(tmp_path / "ferret-v2")
    tower = ("--vision-encoder", folders.tower) if system == "ferret-ui" else ()
    assert called(system, "--folder", tmp_path / system, *tower, "--out", tmp_path / "ours") == 0
    assert called(system, "--folder", tmp_path / "ours", "--back", "--out", tmp_path / "back") == 0
    assert (tmp_path / "back" / "model.safetensors").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ferret", "--out", "x"], "--base is missing"),
        (["ferret", "--base", "b", "--out", "x"], "--delta is missing"),
        (["ferret", "--make-delta", "--base", "b", "--out", "x"], "--target is missing"),
        (
            ["ferret", "--make-delta", "--base", "b", "--target", "t", "--vision-encoder", "c", "--out", "x"],
            "--vision-encoder has no",
        ),
        (["ferret", "--back", "--out", "x"], "--folder is missing"),
        (["ferret", "--folder", "f", "--base", "b", "--out", "x"], "--base has no meaning here"),
        (["ferret-ui", "--out", "x"], "--folder is missing"),
        (["ferret-ui", "--folder", "f", "--delta", "d", "--out", "x"], "--delta has no meaning here"),
        (["ferret-ui", "--folder", "f", "--make-delta", "--out", "x"], "--make-delta has no meaning here"),
        (
            ["ferret-v2", "--folder", "f", "--back", "--vision-encoder", "c", "--out", "x"],
            "--vision-encoder has no meaning here",
        ),
    ],
)
def test_wrong_use_ends_with_2(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert called(*words) == 2
    assert said in capsys.readouterr().err


def test_the_help_lists_what_all_systems_take(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    with pytest.raises(SystemExit) as ended:
        called("--help")
    said = capsys.readouterr().out
    assert ended.value.code == 0
    usage = said.split("\n\n")[0]
    flags = (
        "--folder DIR",
        "--base DIR",
        "--delta DIR",
        "--target DIR",
        "--out DIR",
        "--back",
        "--make-delta",
    )
    assert usage.startswith("usage: deixis convert [-h]") and all(flag in usage for flag in flags)
    assert usage.endswith("{ferret,ferret-ui,ferret-v2,vip-llava,florence-vl,groma}")
    assert "--local-vision-encoder DIR" in said and "the tiles' vision encoder" in said
    assert "tower" not in said
    first = said.index("examples:\n  deixis convert ferret --base vicuna-7b-v1.3 --delta ferret-7b-delta ")
    last = said.index("  deixis convert groma --folder groma-7b --back --out groma-7b-original\n\nFolders")
    assert first < last


@pytest.mark.parametrize(
    "words", [[], ["florence", "--out", "x"], ["ferret", "--back", "--make-delta", "--out", "x"]]
)
def test_words_the_parser_refuses(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        called(*words)
    assert ended.value.code == 2


def test_a_folder_that_is_there_ends_with_2(folders: Folders, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("ferret", "--folder", folders.target, "--vision-encoder", folders.tower, "--out", folders.base)
    assert called(*words) == 2
    assert "is there already" in capsys.readouterr().err


def test_wrong_and_missing_weights_end_with_4(
    folders: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called("ferret", "--folder", tmp_path / "none", "--out", tmp_path / "x") == 4
    assert called("ferret", "--base", folders.base, "--delta", folders.delta, "--out", tmp_path / "x") == 4
    other = ferret_folders(tmp_path / "other", seed=3)
    words = ("ferret", "--base", other.base, "--delta", folders.delta, "--vision-encoder", folders.tower)
    assert called(*words, "--out", tmp_path / "x") == 4
    said = capsys.readouterr().err
    assert "is no folder" in said and "holds no vision encoder" in said and "--any-base" in said
    assert not (tmp_path / "x").exists()
    assert called(*words, "--any-base", "--out", tmp_path / "x") == 0
