"""Damaged pictures are named, or passed over and counted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from deixis.data.detection import DetectionSource
from deixis.data.grit.records import read_grit
from deixis.data.grit.source import DenseSource, GritSource, TaskSource, sound_records
from deixis.data.sources import read_scenes
from deixis.data.synthesis.dialogue_mix import DialogueMix
from deixis.data.synthesis.phrasebook import Phrasebook
from deixis.data.synthesis.views import DialogueSource
from deixis.errors import BadPicture, RecordError, UsageError
from deixis.records.record import RecordSource, read_records
from tests.data.test_opening import STILL
from tests.data.turned import instances, write_pack, write_turned


def cut(path: Path) -> Path:
    """The picture without its second half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A pack of two pictures, the second of them cut."""
    cut(write_turned(tmp_path / "images" / "b.jpg", 1))
    images = [*instances()["images"], instances("b.jpg")["images"][0] | {"id": 2}]
    rows = [instances()["annotations"][0] | {"id": number, "image_id": number} for number in (1, 2)]
    return write_pack(tmp_path, images=images, annotations=rows)


def test_every_source_of_scenes_names_the_picture(folder: Path) -> None:
    scenes = read_scenes(folder, "train")[1:]
    for source in (
        DetectionSource(scenes, augmentation=STILL, side=64),
        DialogueSource(scenes, phrasebook=Phrasebook(scenes), mix=DialogueMix(), augmentation=STILL, side=64),
        DenseSource(scenes),
        TaskSource(scenes),
    ):
        with pytest.raises(BadPicture, match=r"b\.jpg"):
            source.example(0, np.random.default_rng(0))


def test_scenes_without_a_picture_are_passed_over_and_counted(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert [scene.id for scene in read_scenes(folder, "train", broken="pass_over")] == ["1"]
    assert "broken pictures that were passed over: 1; " in caplog.text and "b.jpg" in caplog.text
    with pytest.raises(UsageError, match="broken is 'skip'; expected one of refuse, pass_over"):
        read_scenes(folder, "train", broken="skip")


def test_records_too(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    turns = [{"user": "What is it?", "assistant": "A thing."}]
    lines = [{"picture": f"images/{name}.jpg", "frame": "pixels", "turns": turns} for name in "abb"]
    file = folder / "own.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(RecordError, match=r"b\.jpg"):
        RecordSource(list(read_records(file)), side=None).example(1, np.random.default_rng(0))
    assert [record.line for record in read_records(file, broken="pass_over")] == [1]
    assert "broken pictures that were passed over: 1; " in caplog.text


def test_ferret_records_too(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    turns = [{"from": "human", "value": "What is it?"}, {"from": "gpt", "value": "a thing"}]
    file = folder / "records.json"
    file.write_text(json.dumps([{"image": f"{name}.jpg", "conversations": turns} for name in "ab"]))
    records = read_grit(file)
    with pytest.raises(RecordError, match=r"b\.jpg"):
        GritSource(records, images=folder / "images").example(1, np.random.default_rng(0))
    assert sound_records(records, images=folder / "images", broken="pass_over") == records[:1]
    assert "broken pictures that were passed over: 1; " in caplog.text
    (folder / "images" / "b.jpg").unlink()
    with pytest.raises(RecordError, match=r"there is no picture 'b\.jpg'"):
        sound_records(records, images=folder / "images", broken="pass_over")
