"""Boxes that stick out of their pictures are refused, cut or passed over, by one option of every reader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.data.grit.records import read_grit
from deixis.data.sources import read_scenes
from deixis.data.sources.boxes import Boxes
from deixis.errors import RecordError, RegionClipped, UsageError
from deixis.records.record import read_records
from tests.data.sources.test_flickr30k_entities import BALL, BOX, written
from tests.data.turned import LAYOUTS, instances, write_folder, write_turned

STICKS_OUT, OUTSIDE, WITHIN = [40, 10, 44, 20], [70, 10, 20, 20], [6, 4, 20, 14]


def rows(*boxes: list[float]) -> list[dict[str, Any]]:
    (row,) = instances()["annotations"]
    return [row | {"id": number, "bbox": box} for number, box in enumerate(boxes, start=1)]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_they_are_refused_unless_something_else_is_chosen(tmp_path: Path, layout: str) -> None:
    folder = write_folder(tmp_path, layout, annotations=rows(STICKS_OUT))
    for options in ({}, {"outside": "refuse"}):
        with pytest.raises(RecordError, match=r"annotations\[0\].*is not inside the picture of 64 x 40.*cut"):
            read_scenes(folder, "train", layout=layout, **options)
    with pytest.raises(UsageError, match="outside is 'clip'; expected one of refuse, cut, pass_over"):
        read_scenes(folder, "train", layout=layout, outside="clip")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_they_are_cut_and_counted(tmp_path: Path, layout: str, caplog: pytest.LogCaptureFixture) -> None:
    folder = write_folder(tmp_path, layout, annotations=rows(STICKS_OUT, WITHIN, OUTSIDE))
    (scene,) = read_scenes(folder, "train", layout=layout, outside="cut")
    assert [(thing.id, thing.box.as_tuple()) for thing in scene.things] == [
        (1, (40, 10, 64, 30)),
        (2, (6, 4, 26, 18)),
    ]
    assert "stick out of their pictures and were cut to them: 2; " in caplog.text
    assert "annotations[0]" in caplog.text and len(caplog.records) == 1


@pytest.mark.parametrize("layout", LAYOUTS)
def test_they_are_passed_over_and_counted_with_what_means_them(
    tmp_path: Path, layout: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write_folder(tmp_path, layout, annotations=rows(STICKS_OUT, WITHIN))
    (scene,) = read_scenes(folder, "train", layout=layout, outside="pass_over")
    assert [thing.id for thing in scene.things] == [2]
    assert scene.expressions == () and all(
        phrase.things == () for c in scene.captions for phrase in c.phrases
    )
    assert "stick out of their pictures and were passed over: 1; " in caplog.text
    assert scene.exhaustive == frozenset()  # for there is a thing that nothing says the place of


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("outside", ["refuse", "cut", "pass_over"])
def test_a_box_the_wrong_way_round_is_always_a_mistake(tmp_path: Path, layout: str, outside: str) -> None:
    folder = write_folder(tmp_path, layout, annotations=rows([60, 10, -5, 20]))
    with pytest.raises(RecordError, match="is not inside"):
        read_scenes(folder, "train", layout=layout, outside=outside)


def test_flickr30k_entities(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    dogs = "<object><name>1</name>" + BOX.format(61, 6, 90, 25) + "</object>"
    folder = written(tmp_path, objects=dogs + BALL)
    with pytest.raises(RecordError, match="is not inside"):
        read_scenes(folder, "train")
    (scene,) = read_scenes(folder, "train", outside="cut")
    assert [thing.box.as_tuple() for thing in scene.things] == [(60, 5, 80, 25), (79, 39, 80, 40)]
    (scene,) = read_scenes(folder, "train", outside="pass_over")
    assert [thing.box.as_tuple() for thing in scene.things] == [(79, 39, 80, 40)]
    assert [phrase.things for phrase in scene.captions[0].phrases] == [(), (1,), ()]
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2


def test_visual_genome_is_cut_unless_something_else_is_chosen(tmp_path: Path) -> None:
    write_turned(tmp_path / "images" / "1.jpg", 1)
    (tmp_path / "image_data.json").write_text(json.dumps([{"image_id": 1, "width": 64, "height": 40}]))
    cup = {"object_id": 5, "x": 40, "y": 10, "w": 44, "h": 20, "names": ["cup"]}
    (tmp_path / "objects.json").write_text(json.dumps([{"image_id": 1, "objects": [cup]}]))
    for options in ({}, {"outside": "cut"}):
        (scene,) = read_scenes(tmp_path, "all", **options)
        assert scene.things[0].box.as_tuple() == (40, 10, 64, 30)
    assert read_scenes(tmp_path, "all", outside="pass_over")[0].things == ()
    with pytest.raises(RecordError, match="is not inside"):
        read_scenes(tmp_path, "all", outside="refuse")


def test_rounding_is_no_sticking_out() -> None:
    boxes = Boxes("pass_over")
    box = boxes.inside((0, 0, 64.9, 40), width=64, height=40, where="a.json")
    assert box is not None and box.as_tuple() == (0, 0, 64, 40) and boxes.count == 0


SAMPLE = {"frame": "pixels", "turns": [{"user": "What is {a}?", "assistant": "A thing."}]}


def write_samples(folder: Path, *boxes: list[float]) -> Path:
    write_turned(folder / "a.jpg", 1)
    lines = [SAMPLE | {"picture": "a.jpg", "regions": {"a": {"box": box}}} for box in boxes]
    (folder / "own.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder / "own.jsonl"


def test_samples(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_samples(tmp_path, [40, 10, 84, 30], [6, 4, 26, 18], [70, 10, 90, 20])
    cut, _, outside = read_records(path, outside="cut")
    with pytest.warns(RegionClipped):
        assert cut.to_example().dialogues[0].turns[0].regions[0][1].bounds().as_tuple() == (40, 10, 64, 30)
    with pytest.raises(RecordError, match=r"own\.jsonl:3: field 'regions\.a'.*outside"):
        outside.to_example()
    refused, kept, _ = read_records(path, outside="refuse")
    with pytest.raises(RecordError, match=r"own\.jsonl:1: field 'regions\.a'.*sticks out"):
        refused.to_example()
    assert kept.to_example().name == "own.jsonl:2"
    assert [record.line for record in read_records(path, outside="pass_over")] == [2]
    assert "samples with regions that stick out, which were passed over: 2" in caplog.text
    with pytest.raises(UsageError, match="outside is 'clip'; expected one of refuse, cut, pass_over"):
        list(read_records(path, outside="clip"))


def test_grit(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def record(box: list[float]) -> dict[str, Any]:
        turns = [{"from": "human", "value": "<bbox_location0>?"}, {"from": "gpt", "value": "a thing"}]
        return {"image_w": 64, "image_h": 40, "conversations": turns, "box_x1y1x2y2": [[box], []]}

    path = tmp_path / "vg.json"
    path.write_text(json.dumps([record([40, 10, 84, 30]), record([6, 4, 63, 39])]))
    boxes = Boxes("cut")
    assert len(read_grit(path)) == len(read_grit(path, outside=boxes)) == 2 and boxes.count == 1
    assert len(read_grit(path, outside="pass_over")) == 1
    assert "passed over: 1; " in caplog.text
    with pytest.raises(RecordError, match=r"vg\.json\[0\].*is not inside the picture of 64 x 40"):
        read_grit(path, outside="refuse")
