"""Larger pictures: one limit under one name, wherever pictures are opened."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deixis.cli import main
from deixis.cli.program import build_parser
from deixis.data.grit.records import read_grit
from deixis.data.grit.source import GritSource, sound_records
from deixis.data.opening import open_scene, orientation_of
from deixis.data.painted.records import read_region_records
from deixis.data.painted.source import PaintedSource, sound_region_records
from deixis.data.sources import read_dataset, read_scenes
from deixis.errors import BadPicture, RecordError
from deixis.records.check import check_records
from deixis.records.record import read_record, read_records
from deixis.records.show import draw_record
from deixis.systems.sources import Sources
from tests.data.turned import write_pack
from tests.toy.recipe import toy_recipe

PIXELS = 64 * 40  # of the one picture
RNG = np.random.default_rng


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The same picture as a dataset, with samples, and in the formats of Ferret's and ViP-LLaVA's data."""
    write_pack(tmp_path, 6)
    turns = [{"user": "What is {a}?", "assistant": "A thing."}]
    line = {"picture": "images/a.jpg", "frame": "pixels", "regions": {"a": {"point": [5, 5]}}, "turns": turns}
    (tmp_path / "own.jsonl").write_text(json.dumps(line) + "\n")
    said = [{"from": "human", "value": "What is it?"}, {"from": "gpt", "value": "a thing"}]
    (tmp_path / "grit.json").write_text(json.dumps([{"image": "a.jpg", "conversations": said}]))
    painted = {"id": "region-1", "image": "a.jpg", "bboxes": [[6, 4, 26, 18]], "conversations": said}
    (tmp_path / "painted.json").write_text(json.dumps([painted]))
    return tmp_path


def scene(folder: Path, limit: int) -> object:
    return open_scene(read_scenes(folder, "train", max_pixels=limit)[0])


def scene_of_dataset(folder: Path, limit: int) -> object:
    return read_dataset(folder, "train", max_pixels=limit).scenes[0].picture.open()


def sample(folder: Path, limit: int) -> object:
    (record,) = read_records(folder / "own.jsonl", max_pixels=limit)
    return record.to_example()


def drawn_sample(folder: Path, limit: int) -> object:
    return draw_record(read_record(folder / "own.jsonl", 1, max_pixels=limit))


def grit(folder: Path, limit: int) -> object:
    return GritSource(read_grit(folder / "grit.json"), images=folder / "images", max_pixels=limit).example(
        0, RNG(0)
    )


@pytest.mark.parametrize("opens", [scene, scene_of_dataset, sample, drawn_sample, grit])
def test_the_limit_counts_and_can_be_raised(opens: Callable[[Path, int], object], folder: Path) -> None:
    opens(folder, PIXELS)
    with pytest.raises((BadPicture, RecordError), match=f"at most {PIXELS - 1:,} are decoded"):
        opens(folder, PIXELS - 1)


def test_what_is_too_large_is_broken(folder: Path) -> None:
    below = {"broken": "pass_over", "max_pixels": PIXELS - 1}
    records, images = read_grit(folder / "grit.json"), folder / "images"
    assert read_scenes(folder, "train", broken="pass_over", max_pixels=PIXELS)
    assert read_scenes(folder, "train", broken="pass_over", max_pixels=PIXELS - 1) == []
    assert list(read_records(folder / "own.jsonl", broken="pass_over", max_pixels=PIXELS - 1)) == []
    assert sound_records(records, images=images, **below) == []  # type: ignore[arg-type]
    (problem,) = check_records(folder / "own.jsonl", max_pixels=PIXELS - 1)
    assert problem.field == "picture" and "--max-pixels" in problem.message
    assert check_records(folder / "own.jsonl", max_pixels=PIXELS) == []


def test_a_recipe_says_it_for_every_kind_of_source(folder: Path) -> None:
    for what in ({}, {"samples": "own.jsonl"}, {"grit": "grit.json"}, {"detection": True}, {"dense": True}):
        for limit, fits in ((PIXELS, True), (PIXELS - 1, False)):
            recipe = toy_recipe(sources=[{**what, "max_pixels": limit}])
            read = Sources.of(recipe, folder, detection=True).read[0]
            source = read.scenes[0].picture.open if read.scenes else None
            if read.records:
                source = read.records[0].open
            elif read.grit:
                source = lambda read=read, limit=limit: GritSource(  # noqa: E731
                    read.grit, images=read.folder / "images", max_pixels=limit
                ).example(0, RNG(0))
            assert source is not None
            if fits:
                source()
            else:
                with pytest.raises((BadPicture, RecordError), match="--max-pixels"):
                    source()
    assert toy_recipe().with_max_pixels(7).sources[0].max_pixels == 7


@pytest.mark.parametrize(
    "words",
    [
        "ask p.jpg q", "chat p.jpg", "paint p.jpg --out o.png", "data check f", "data show f 1",
        "train r --data d --out o", "evaluate --data d --split s", "gallery --data d --split s --out o",
        "study resolution --recipe r --data d --eval-data e --out o",
        "teach region --data d --split s --out o --endpoint e --model m",
    ],
)  # fmt: skip
def test_every_command_that_opens_pictures_has_the_flag(words: str) -> None:
    assert build_parser().parse_args([*words.split(), "--max-pixels", "2_000"]).max_pixels == 2000


def test_from_the_shell(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, low = str(folder / "own.jsonl"), ["--max-pixels", str(PIXELS - 1)]
    assert main(["data", "check", file]) == 0
    assert main(["data", "check", file, *low]) == 2
    assert "2,560 pixels; at most 2,559 are decoded" in capsys.readouterr().out
    assert main(["data", "show", file, "1", "--out", str(folder / "o.png"), *low]) != 0
    assert main(["evaluate", "--data", str(folder), "--split", "train", "--tasks", "naming", *low]) == 3
    assert "at most 2,559 are decoded" in capsys.readouterr().err


def test_a_picture_beyond_pillows_own_limit_is_still_turned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "wide.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (64, 40)).save(path, exif=exif)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert orientation_of(path, max_pixels=200_000_000) == 6


def test_painted_pictures_too(folder: Path) -> None:
    records = read_region_records(folder / "painted.json", root=folder / "images")
    kept = sound_region_records(records, root=folder / "images", broken="pass_over", max_pixels=PIXELS)
    assert len(kept) == 1
    assert not sound_region_records(
        records, root=folder / "images", broken="pass_over", max_pixels=PIXELS - 1
    )
    with pytest.raises((BadPicture, RecordError), match="at most 2,559"):
        PaintedSource(records, root=folder / "images", max_pixels=PIXELS - 1).example(0, RNG(0))
