"""`evaluate` and `gallery` on published datasets: other layouts, boxes that stick out, broken files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis.cli import main
from deixis.data.sources import read_dataset, read_scenes
from deixis.evaluation.evaluating import evaluate
from deixis.evaluation.tasks import find_tasks
from tests.data.sources import test_flickr30k_entities as flickr
from tests.data.sources import test_visual_genome as genome
from tests.data.turned import write_folder, write_turned
from tests.gallery.guessing import Guessing
from tests.toy.pack import write_toy_pack


@pytest.fixture(autouse=True)
def system(monkeypatch: pytest.MonkeyPatch) -> Guessing:
    answering = Guessing()
    monkeypatch.setattr("deixis.systems.load", lambda *_, **__: answering)
    return answering


def report_of(*words: str, folder: Path) -> dict[str, Any]:
    out = folder.parent / "report.json"
    assert main(["evaluate", "--data", str(folder), *words, "--json", str(out)]) == 0
    content: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return content


def folder_of(layout: str, place: Path) -> tuple[Path, str]:
    """A folder of a layout, and a split of it."""
    folder = place / "dataset"
    if layout == "flickr30k_entities":
        folder.mkdir()
        return flickr.written(folder), "train"
    if layout == "visual_genome":
        folder.mkdir()
        genome.written(folder, genome.contents())
        for scene in read_scenes(folder, "all"):
            Image.new("RGB", (scene.width, scene.height)).save(scene.picture.path, format="JPEG")
        return folder, "all"
    return write_folder(folder, layout), "train"


LAYOUTS = ("pack", "flickr30k_entities", "coco", "refcoco", "visual_genome", "objects365", "lvis")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_measured_or_says_what_it_lacks(
    layout: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, split = folder_of(layout, tmp_path)
    for task in ("grounding", "naming", "presence", "expressions", "attributes"):
        for words in ([], ["--layout", layout]):
            code = main(["evaluate", "--data", str(folder), "--split", split, "--tasks", task, *words])
            said = capsys.readouterr()
            if find_tasks([task])[0].items(read_scenes(folder, split, layout=layout), 0):
                assert code == 0 and f"| {task}" in said.out
            else:
                assert code == 2 and f"task '{task}' finds nothing to ask" in said.err
                assert "it needs " in said.err and "jsonl" not in said.err


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_makes_a_gallery(layout: str, tmp_path: Path) -> None:
    folder, split = folder_of(layout, tmp_path)
    out = tmp_path / "gallery"
    assert main(["gallery", "--data", str(folder), "--split", split, "--out", str(out), "--count", "1"]) == 0
    assert "describe the picture" in (out / "index.html").read_text(encoding="utf-8")


def test_an_unknown_layout_and_a_folder_of_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_folder(tmp_path / "dataset", "coco")
    words = ["evaluate", "--data", str(folder), "--split", "train"]
    assert main([*words, "--layout", "yolo"]) == 2
    assert "unknown layout 'yolo'; expected one of pack, " in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main(["evaluate", "--data", str(tmp_path / "empty"), "--split", "train"]) == 2
    assert "is in no layout that we read" in capsys.readouterr().err


STICKS_OUT = {"id": 2, "image_id": 1, "category_id": 1, "bbox": [40, 10, 44, 20]}


def test_boxes_that_stick_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    within = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [6, 4, 20, 14]}
    folder = write_folder(tmp_path / "dataset", "lvis", annotations=[within, STICKS_OUT])
    words = ["--split", "train", "--tasks", "grounding"]
    assert main(["evaluate", "--data", str(folder), *words]) == 2
    assert "is not inside" in capsys.readouterr().err
    report = report_of(*words, "--outside", "cut", folder=folder)
    found = report["protocol"]["boxes_outside"]
    assert (found["rule"], found["count"], len(found["named"])) == ("cut", 1, 1)
    assert "annotations[1]" in found["named"][0]
    assert "boxes that stick out of their pictures: 1, cut (" in caplog.text


def test_what_sticks_out_is_counted_in_a_pack(tmp_path: Path) -> None:
    folder = write_toy_pack(tmp_path / "toy", pictures=6)
    path = folder / "val_instances.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    for row in content["annotations"][:2]:
        row["bbox"][2] += 500
    path.write_text(json.dumps(content), encoding="utf-8")
    for rule in ("cut", "pass_over"):
        dataset = read_dataset(folder, "val", outside=rule)
        assert dataset.boxes.count == len(dataset.boxes.places) == 2 and dataset.layout == "pack"
        report = report_of("--split", "val", "--tasks", "naming", "--outside", rule, folder=folder)
        assert report["protocol"]["boxes_outside"]["count"] == 2
        out = tmp_path / rule
        words = ["--split", "val", "--outside", rule, "--out", str(out)]
        assert main(["gallery", "--data", str(folder), *words]) == 0
        page = (out / "index.html").read_text(encoding="utf-8")
        assert "Boxes that stick out of their photos" in page and "val_instances.json" in page


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """A dataset of which one picture is cut and another is missing its whole content."""
    folder = write_toy_pack(tmp_path / "toy", pictures=18)
    scenes = read_scenes(folder, "val")
    assert len(scenes) == 6
    path = scenes[1].picture.path
    path.write_bytes(path.read_bytes()[:300])
    scenes[4].picture.path.write_bytes(b"")
    return folder


def names_of(folder: Path) -> list[str]:
    return [read_scenes(folder, "val")[index].picture.name for index in (1, 4)]


def test_broken_pictures_are_told_before_anything_is_asked(
    damaged: Path, system: Guessing, capsys: pytest.CaptureFixture[str]
) -> None:
    names = names_of(damaged)
    for words in (["evaluate", "--tasks", "naming"], ["gallery", "--out", str(damaged.parent / "gallery")]):
        assert main([words[0], "--data", str(damaged), "--split", "val", *words[1:]]) == 3
        error = capsys.readouterr().err
        assert any(name in error for name in names)
    assert system.asked == [] and not (damaged.parent / "gallery").exists()


def test_the_rest_is_measured_where_broken_pictures_are_passed_over(
    damaged: Path, caplog: pytest.LogCaptureFixture
) -> None:
    report = report_of(
        "--split", "val", "--tasks", "naming,grounding", "--broken", "pass_over", folder=damaged
    )
    found = report["protocol"]["broken_pictures"]
    assert (found["rule"], found["count"], found["named"]) == ("pass_over", 2, names_of(damaged))
    assert report["protocol"]["pictures"] == 4
    scenes = read_scenes(damaged, "val")
    whole = find_tasks(["naming"])[0].items(scenes, 0)
    kept = [item for item in whole if item.picture not in (scenes[1].id, scenes[4].id)]
    assert report["tasks"]["naming"]["n"] == len(kept) < len(whole)
    assert "pictures that can't be opened: 2, passed over (" in caplog.text


def test_a_gallery_takes_the_next_photo(damaged: Path) -> None:
    out = damaged.parent / "gallery"
    words = ["--split", "val", "--out", str(out), "--broken", "pass_over", "--count", "4"]
    assert main(["gallery", "--data", str(damaged), *words]) == 0
    page = (out / "index.html").read_text(encoding="utf-8")
    assert page.count("<article") == 4 and "Photos that can't be opened" in page.replace("&#x27;", "'")


def test_all_pictures_are_broken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_toy_pack(tmp_path / "toy", pictures=6)
    for scene in read_scenes(folder, "val"):
        scene.picture.path.write_bytes(b"no picture")
    words = ["--data", str(folder), "--split", "val", "--broken", "pass_over"]
    assert main(["evaluate", *words, "--tasks", "naming"]) == 2
    assert "are about pictures that can't be opened" in capsys.readouterr().err
    assert main(["gallery", *words, "--out", str(tmp_path / "gallery")]) == 2
    assert "of 2 photos none can be opened" in capsys.readouterr().err


@pytest.mark.parametrize("orientation", [2, 3, 6])
def test_a_gallery_of_turned_pictures(orientation: int, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "dataset", "pack")
    write_turned(folder / "images" / "a.jpg", orientation)
    out = tmp_path / "gallery"
    assert main(["gallery", "--data", str(folder), "--split", "train", "--out", str(out)]) == 0


def test_python_puts_the_fingerprint_into_the_protocol(tmp_path: Path, system: Guessing) -> None:
    folder = write_toy_pack(tmp_path / "toy", pictures=6)
    report = evaluate(system, read_scenes(folder, "val"), find_tasks(["naming"]), data="toy", split="val")
    assert report.to_dict()["protocol"]["weights"] == system.fingerprint() == "0123456789abcdef"
    assert "- **weights**: 0123456789abcdef" in report.to_markdown()
    assert "- **limit**: all items" in report.to_markdown()
