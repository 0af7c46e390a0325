"""Which reader a folder gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from deixis.data.sources import SIGNS, SOURCES, detect_layout, read_scenes
from deixis.errors import RecordError
from tests.toy.pack import write_toy_pack

SHARED = Path(__file__).parents[4] / "shared" / "data"


@pytest.mark.parametrize(
    ("files", "layout"),
    [
        (["train_instances.json", "train_captions.jsonl"], "pack"),
        (["train_instances.json", "train_captions.json"], "coco"),
        (["train_instances.json"], "coco"),
        (["annotations/instances_val2017.json"], "coco"),
        (["Sentences/7.txt", "Annotations/7.xml", "train.txt"], "flickr30k_entities"),
        (["refs(unc).p", "instances.json"], "refcoco"),
        (["image_data.json", "objects.json"], "visual_genome"),
        (["annotations/objects365_train.json"], "objects365"),
        (["zhiyuan_objv2_val.json"], "objects365"),
        (["lvis_v1_train.json"], "lvis"),
        (["annotations/lvis_v1_val.json"], "lvis"),
        (["annotations/lvis_v1_val.json", "annotations/instances_val2017.json"], "coco"),
    ],
)
def test_a_layout_is_known_by_its_files(tmp_path: Path, files: list[str], layout: str) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert detect_layout(tmp_path) == layout


def test_every_reader_can_be_detected() -> None:
    assert set(SIGNS) == set(SOURCES)


def test_the_layout_can_be_named(tmp_path: Path) -> None:
    folder = write_toy_pack(tmp_path)
    assert len(read_scenes(folder, "train", layout="pack")) == 12
    with pytest.raises(RecordError, match="unknown layout 'voc'; expected one of pack"):
        read_scenes(folder, "train", layout="voc")


def test_other_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="is in no layout that we read; expected one of these files"):
        read_scenes(tmp_path, "train")
    with pytest.raises(RecordError, match="there is no dataset folder"):
        read_scenes(tmp_path / "none", "train")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real samples are not beside the checkout")
@pytest.mark.parametrize(
    ("folder", "layout"),
    [
        ("flickr_grounding", "pack"),
        ("coco_small", "coco"),
        ("formats/coco", "coco"),
        ("formats/flickr30k_entities", "flickr30k_entities"),
    ],
)
def test_real_folders(folder: str, layout: str) -> None:
    assert detect_layout(SHARED / folder) == layout
