"""`deixis ask` about folders and several pictures, and the files of other tools that it writes."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import yaml
from PIL import Image

from deixis.answers import answer_schema
from deixis.answers.export.labels import Labels
from deixis.answers.export.yolo import yolo_names
from deixis.answers.parts import Place, Span
from deixis.cli import main
from deixis.regions.shapes import Box
from tests.systems.pointer.tiny import saved_system

QUESTION = "Where is the dog?"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model")
    saved_system(folder)
    return str(folder)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a folder of pictures: one below, one turned, one that is none, one that is hidden."""
    monkeypatch.chdir(tmp_path)
    for name, size in (
        ("a.png", (80, 60)),
        ("b.JPG", (40, 90)),
        ("more/c.png", (50, 50)),
        (".d.png", (9, 9)),
    ):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(len(name)).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    (tmp_path / "photos" / "notes.txt").write_text("no picture")
    return tmp_path


def answers_in(text: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        jsonschema.validate(line, answer_schema())
    return lines


NAMES = ["a.png", "b.JPG", "more/c.png"]


def test_a_folder_gives_one_json_line_a_picture(place: Path, model: str, capsys: Any) -> None:
    assert main(["ask", "photos", QUESTION, "--json", "--model", model]) == 0
    captured = capsys.readouterr()
    lines = answers_in(captured.out)
    assert [line["picture"]["name"] for line in lines] == NAMES
    assert {line["question"] for line in lines} == {QUESTION}
    assert len({line["weights"] for line in lines}) == 1 and len(lines[0]["weights"]) == 16
    assert "asking" in captured.err and "3/3" in captured.err


def test_answers_about_a_folder_are_those_about_each_picture(place: Path, model: str, capsys: Any) -> None:
    def asked(*words: str) -> list[dict[str, Any]]:
        assert main(["ask", *words, QUESTION, "--json", "--model", model, "--quiet"]) == 0
        lines = answers_in(capsys.readouterr().out)
        return [
            {key: value for key, value in line.items() if key not in ("seconds", "picture")} for line in lines
        ]

    apart = [line for name in NAMES for line in asked(f"photos/{name}")]
    assert asked("photos") == asked(*(f"photos/{name}" for name in NAMES)) == apart


def test_text_names_each_picture_and_quiet_draws_no_bar(place: Path, model: str, capsys: Any) -> None:
    assert main(["ask", "photos", QUESTION, "--quiet", "--model", model]) == 0
    captured = capsys.readouterr()
    assert [line[:-1] for line in captured.out.splitlines() if line.endswith(":")] == NAMES
    assert captured.err == ""


def test_words_may_stand_behind_flags(place: Path, model: str, capsys: Any) -> None:
    words = ["ask", "photos/a.png", "--point", "5,6", "What is {it}?", "--model", model]
    assert main(words) == 0 and capsys.readouterr().out


def test_several_files_and_a_question_behind_q(place: Path, model: str, capsys: Any) -> None:
    files = ["photos/a.png", "photos/b.JPG", "photos/a.png"]
    assert main(["ask", *files, "-q", QUESTION, "-q", "What?", "--json", "--model", model]) == 0
    lines = answers_in(capsys.readouterr().out)
    assert [(line["picture"]["name"], line["question"]) for line in lines] == [
        ("photos/a.png", QUESTION), ("photos/a.png", "What?"),
        ("photos/b.JPG", QUESTION), ("photos/b.JPG", "What?"),
    ]  # fmt: skip


def test_drawings_of_a_folder(place: Path, model: str) -> None:
    assert main(["ask", "photos", QUESTION, "-q", "What?", "--out", "drawn", "--model", model]) == 0
    drawn = sorted(path.relative_to("drawn").as_posix() for path in Path("drawn").rglob("*.png"))
    assert drawn == ["a-2.png", "a.png", "b-2.png", "b.png", "more/c-2.png", "more/c.png"]


def test_a_broken_picture_is_counted_and_named(place: Path, model: str, capsys: Any) -> None:
    Path("photos/aa.png").write_bytes(Path("photos/a.png").read_bytes()[:200])
    words = ["ask", "photos", QUESTION, "--json", "--model", model]
    assert main(words) == 0
    captured = capsys.readouterr()
    assert [line["picture"]["name"] for line in answers_in(captured.out)] == NAMES
    assert "passed over: picture 'aa.png' is damaged" in captured.err
    assert "deixis: 1 broken picture of 4 passed over" in captured.err

    assert main([*words, "--broken", "refuse"]) == 3
    captured = capsys.readouterr()
    assert [line["picture"]["name"] for line in answers_in(captured.out)] == ["a.png"]
    assert "'aa.png' is damaged" in captured.err


def test_only_broken_pictures_are_an_error(place: Path, model: str, capsys: Any) -> None:
    for name in ("x.png", "y.png"):
        Path("broken", name).parent.mkdir(exist_ok=True)
        Path("broken", name).write_bytes(b"no picture")
    assert main(["ask", "broken", QUESTION, "--format", "coco", "--out", "c.json", "--model", model]) == 3
    assert "2 broken pictures of 2" in capsys.readouterr().err and not Path("c.json").exists()


class Finding:
    """A system that finds a dog on the left of every picture, and a red dog in its upper right quarter."""

    name = "finding"
    device, dtype = "cpu", "torch.float32"

    def fingerprint(self) -> str:
        return "f00d"

    def ask(self, picture: Any, questions: list[str], **_: Any) -> list[Any]:
        from deixis.answers.grounded import Answer

        w, h = picture.frame.size
        dog = Span(0, 7, "The dog", (Place(Box(0, 0, w / 2, h, frame=picture.frame), 0.5),))
        red = Span(12, 21, "A red dog", (Place(Box(w / 2, 0, w, h / 4, frame=picture.frame), 0.75),))
        text = "The dog and A red dog"
        return [Answer(text, (dog, red), picture, "finding", 0.0, question=one) for one in questions]


@pytest.fixture
def finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deixis.systems.load", lambda *_, **__: Finding())


@pytest.mark.usefixtures("finding")
def test_coco(place: Path, capsys: Any) -> None:
    assert main(["ask", "photos", QUESTION, "--format", "coco", "--out", "found/coco.json"]) == 0
    said = capsys.readouterr()
    assert said.out == "" and said.err.endswith("deixis: written: found/coco.json\n")
    file = json.loads(Path("found/coco.json").read_text())
    assert file["images"][1] == {"id": 2, "file_name": "b.JPG", "width": 40, "height": 90}
    assert file["categories"] == [{"id": 1, "name": "dog"}, {"id": 2, "name": "red dog"}]
    assert len(file["annotations"]) == 6
    assert file["annotations"][3] == {
        "id": 4, "image_id": 2, "category_id": 2, "bbox": [20, 0, 20, 22.5], "area": 450, "iscrowd": 0,
        "score": 0.75, "phrase": "A red dog",
    }  # fmt: skip
    assert main(["ask", "photos", QUESTION, "--format", "coco-results"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert results[3] == {
        "image_id": 2, "category_id": 2, "bbox": [20, 0, 20, 22.5], "score": 0.75, "phrase": "A red dog",
    }  # fmt: skip


@pytest.mark.usefixtures("finding")
def test_cocos_own_names_give_the_ids(place: Path, capsys: Any) -> None:
    Path("coco").mkdir()
    for number in (139, 285):
        shutil.copy("photos/a.png", f"coco/{number:012}.png")
    assert main(["ask", "coco", QUESTION, "--format", "coco-results"]) == 0
    assert [one["image_id"] for one in json.loads(capsys.readouterr().out)] == [139, 139, 285, 285]


@pytest.mark.usefixtures("finding")
def test_label_studio(place: Path, capsys: Any) -> None:
    flags = ["--format", "label-studio", "--image-prefix", "/data/local-files/?d="]
    assert main(["ask", "photos", QUESTION, *flags]) == 0
    tasks = json.loads(capsys.readouterr().out)
    assert [task["data"]["image"] for task in tasks] == [f"/data/local-files/?d={name}" for name in NAMES]
    (prediction,) = tasks[1]["predictions"]
    assert prediction["model_version"] == "finding f00d" and prediction["score"] == 0.5
    assert prediction["result"][1] == {
        "id": "2", "type": "rectanglelabels", "from_name": "label", "to_name": "image",
        "original_width": 40, "original_height": 90, "image_rotation": 0, "score": 0.75,
        "value": {"x": 50, "y": 0, "width": 50, "height": 25, "rotation": 0, "rectanglelabels": ["red dog"]},
    }  # fmt: skip


@pytest.mark.usefixtures("finding")
def test_yolo(place: Path) -> None:
    assert main(["ask", "photos", QUESTION, "--format", "yolo", "--out", "yolo"]) == 0
    labels = {
        path.relative_to("yolo/labels").as_posix(): path.read_text() for path in Path("yolo").rglob("*.txt")
    }
    assert set(labels) == {"a.txt", "b.txt", "more/c.txt"}
    assert labels["b.txt"] == "0 0.250000 0.500000 0.500000 1.000000\n1 0.750000 0.125000 0.500000 0.250000\n"
    assert yaml.safe_load(Path("yolo/data.yaml").read_text()) == {"names": {0: "dog", 1: "red dog"}}


def test_labels_in_any_letters_are_names() -> None:
    labels = Labels(first=0)
    for label in ("狗 🐕", "no", "1: [a]", '"quoted" \\', "a\x85b\x07"):
        labels.number(label)
    assert yaml.safe_load(yolo_names(labels)) == {"names": dict(enumerate(labels.numbers))}


@pytest.mark.usefixtures("finding")
@pytest.mark.parametrize("format", ["text", "jsonl", "coco", "coco-results", "label-studio"])
def test_any_terminal_shows_any_name(place: Path, monkeypatch: pytest.MonkeyPatch, format: str) -> None:
    Path("photos/a.png").rename("photos/狗 🐕.png")
    os.rename(b"photos/b.JPG", b"photos/\xff.JPG")
    shown = io.BytesIO()
    for stream in ("stdout", "stderr"):
        text = io.TextIOWrapper(shown, encoding="cp1252", write_through=True)
        monkeypatch.setattr(sys, stream, text)
    assert main(["ask", "photos", QUESTION, "--format", format, "--quiet"]) == 0
    assert shown.getvalue().isascii() and (format == "coco-results" or rb"\u72d7" in shown.getvalue())


@pytest.mark.usefixtures("finding")
def test_json_lines_in_a_file(place: Path, capsys: Any) -> None:
    assert main(["ask", "photos", QUESTION, "--format", "jsonl", "--out", "new/answers.jsonl"]) == 0
    assert capsys.readouterr().out == ""
    assert len(answers_in(Path("new/answers.jsonl").read_text())) == 3


@pytest.mark.usefixtures("finding")
@pytest.mark.parametrize("format", ["text", "jsonl", "coco", "label-studio", "yolo"])
def test_boxes_of_a_turned_picture_are_in_the_upright_one(place: Path, capsys: Any, format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (80, 60)).save("turned.jpg", exif=exif)
    out = ["--out", "yolo"] if format == "yolo" else []
    assert main(["ask", "turned.jpg", QUESTION, "--format", format, *out]) == 0
    said = capsys.readouterr().out
    match format:
        case "text":
            assert "The dog: box 0.0, 0.0, 30.0, 80.0" in said
        case "jsonl":
            assert json.loads(said)["picture"]["width"] == 60
        case "coco":
            assert json.loads(said)["images"][0]["width"] == 60
            assert json.loads(said)["annotations"][0]["bbox"] == [0, 0, 30, 80]
        case "label-studio":
            assert json.loads(said)[0]["predictions"][0]["result"][0]["original_width"] == 60
        case "yolo":
            assert Path("yolo/labels/turned.txt").read_text().startswith("0 0.250000 0.500000 0.500000 1.0")


LONG = "n" * 300


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("photos what --format coco --out .", "--out . is a folder"),
        ("photos what --format coco --out photos/a.png", "is the picture itself"),
        ("photos what --format coco --out /dev/full", "/dev/full"),
        ("photos what --json --out /dev/full/x.jsonl", "x.jsonl"),
        (f"photos what --format coco --out {LONG}.json", "too long"),
        (f"photos what --format yolo --out {LONG}", "too long"),
        (f"photos what --out {LONG}", "too long"),
        (f"photos/a.png what --out {LONG}.png", "too long"),
        ("photos/a.png what --out /dev/full", "/dev/full"),
        ("photos/a.png what --out .", "--out . is a folder"),
        ("photos/a.png what -q where --out .", "--out . is a folder"),
        ("photos/a.png what --out photos/new.txt", "ends in .png or .jpg"),
        ("photos what --out photos/a.png", "photos/a.png is a file"),
        ("photos what --out photos", "photos/a.png is the picture itself"),
        ("photos what --format yolo", "--format yolo writes a folder"),
        ("photos what --format yolo --out photos/a.png", "photos/a.png is a file"),
        ("photos what --json --format coco", "two formats"),
        ("photos what --image-prefix x", "--format label-studio only"),
        ("photos", "nothing is asked"),
        ("empty what", "folder 'empty' holds no pictures"),
    ],
)
def test_what_cannot_be_written_is_told_before_anything_is_asked(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, words: str, message: str
) -> None:
    monkeypatch.setattr("deixis.systems.load", lambda *_, **__: pytest.fail("the weights were read"))
    Path("empty").mkdir()
    before = sorted(place.rglob("*"))
    assert main(["ask", *words.split()]) == 2
    said = capsys.readouterr().err
    assert message in said and "Traceback" not in said
    assert sorted(place.rglob("*")) == before


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="whoever runs this may write anywhere")
def test_a_folder_that_may_not_be_written(place: Path, capsys: Any) -> None:
    Path("closed").mkdir(mode=0o500)
    for out in ("closed/a.png", "closed/new/a.png"):
        assert main(["ask", "photos/a.png", "what", "--out", out]) == 2


def test_two_pictures_for_one_file_are_refused(place: Path, capsys: Any) -> None:
    shutil.copy("photos/a.png", "photos/a.jpg")
    for flags in (["--format", "yolo"], []):
        assert main(["ask", "photos", QUESTION, *flags, "--out", "out"]) == 2
        assert "a.jpg and a.png would both be written to" in capsys.readouterr().err


@pytest.mark.usefixtures("finding")
@pytest.mark.parametrize("format", ["coco", "jsonl"])
def test_answers_that_cannot_be_written_are_printed(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, format: str
) -> None:
    Path("o.json").symlink_to("/dev/full")
    monkeypatch.setattr("deixis.cli.answer_outputs.require_writable", lambda *_, **__: None)
    assert main(["ask", "photos", QUESTION, "--format", format, "--out", "o.json"]) == 2
    captured = capsys.readouterr()
    assert "no space left" in captured.err
    assert json.loads(captured.out.splitlines()[0])


def test_a_region_outside_of_one_picture_names_it(place: Path, model: str, capsys: Any) -> None:
    assert main(["ask", "photos", "What is {it}?", "--point", "70,10", "--model", model, "--quiet"]) == 3
    assert "deixis: b.JPG: " in capsys.readouterr().err
