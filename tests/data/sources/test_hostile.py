"""Dataset files that claim, hide or lead to what they shouldn't: RecordError, in bounded time and memory."""

from __future__ import annotations

import json
import pickle
import tarfile
from pathlib import Path
from typing import Any

import pytest

from deixis.data.grit.records import read_grit
from deixis.data.grit.source import find_picture
from deixis.data.scene import PictureFile
from deixis.data.sources import read_scenes
from deixis.data.sources.coco import read_coco
from deixis.data.sources.refcoco import read_references
from deixis.errors import RecordError
from deixis.records.record import read_records
from tests.data.sources.test_flickr30k_entities import BALL, written
from tests.data.turned import LAYOUTS, instances, write_folder, write_pack, write_turned

MANY = 10**400


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("rows", "field", "value"),
    [
        ("annotations", "bbox", [MANY, 1, 2, 3]),
        ("annotations", "bbox", [1, 1, 2, -MANY]),
        ("annotations", "id", MANY),
        ("annotations", "category_id", MANY),
        ("categories", "id", -MANY),
        ("images", "id", MANY),
        ("images", "width", MANY),
    ],
)
def test_numbers_of_400_digits(tmp_path: Path, layout: str, rows: str, field: str, value: Any) -> None:
    changed = [instances()[rows][0] | {field: value}]
    folder = write_folder(tmp_path, layout, **{rows: changed})
    with pytest.raises(RecordError, match=rf"{rows}\[0\]: field '{field}' is ") as caught:
        read_scenes(folder, "train", layout=layout)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("segmentation", [[[MANY, 1, 2, 3, 4, 5]], {"size": [40, 64], "counts": [MANY]}])
def test_outlines_and_runs_of_400_digits(tmp_path: Path, segmentation: Any) -> None:
    row = instances()["annotations"][0] | {"segmentation": segmentation}
    folder = write_folder(tmp_path, "coco", annotations=[row])
    with pytest.raises(RecordError, match=r"annotations\[0\]: field 'segmentation'"):
        read_coco(folder, "train", masks=True)


def test_a_grit_box_of_400_digits(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "<bbox_location0>?"}, {"from": "gpt", "value": "a thing"}]
    record = {"image_w": 64, "image_h": 40, "conversations": turns, "box_x1y1x2y2": [[[MANY, 1, 2, 3]], []]}
    (tmp_path / "a.json").write_text(json.dumps([record]))
    with pytest.raises(RecordError, match=r"box_x1y1x2y2\[0\]: field '0' is .*expected 4 finite"):
        read_grit(tmp_path / "a.json")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", ["a" * 5_000, "a/" * 2_500 + "b", "half \ud800.jpg"])
def test_names_that_no_file_can_have(tmp_path: Path, layout: str, name: str) -> None:
    folder = write_folder(tmp_path, layout, images=[instances()["images"][0] | {"file_name": name}])
    with pytest.raises(
        RecordError, match=r"images\[0\]: (file name|picture).* (no name|does not exist)"
    ) as caught:
        read_scenes(folder, "train", layout=layout)
    assert len(str(caught.value)) < 600


def test_names_of_5000_letters_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"a\.json: file name .* no name"):
        find_picture("a" * 5_000, tmp_path, where="a.json")
    line = {"picture": "a" * 5_000, "frame": "pixels", "turns": [{"user": "What?", "assistant": "A thing."}]}
    (tmp_path / "own.jsonl").write_text(json.dumps(line))
    with pytest.raises(RecordError, match=r"own\.jsonl:1: field 'picture'"):
        list(read_records(tmp_path / "own.jsonl"))
    folder = written(tmp_path / "made") if (tmp_path / "made").mkdir() is None else tmp_path
    (folder / "train.txt").write_text("7" * 5_000)
    with pytest.raises(RecordError, match=r"train\.txt: file name .* no name"):
        read_scenes(folder, "train")


@pytest.mark.parametrize(
    "encoded",
    [
        b"\x80\x02Nr\xff\xff\xff\x7f.",  # numbers its first part two thousand million
        b"\x80\x04\x8e\xff\xff\xff\xff\x0f\x00\x00\x00.",  # bytes, 64 GiB of them
        b"\x80\x05\x96\xff\xff\xff\xff\x0f\x00\x00\x00.",  # the same to be written to
        b"\x80\x04\x8d\xff\xff\xff\xff\x0f\x00\x00\x00.",  # text
        b"\x80\x02\x8b\xff\xff\xff\x7f.",  # a number
        b"p999999999\n.",
    ],
)
def test_a_few_bytes_that_ask_for_gigabytes(tmp_path: Path, encoded: bytes) -> None:
    (tmp_path / "refs(unc).p").write_bytes(encoded)
    with pytest.raises(RecordError, match="is no pickled list of references"):
        list(read_references(tmp_path / "refs(unc).p"))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_references_of_every_protocol_are_read(tmp_path: Path, protocol: int) -> None:
    rows = [{"ref_id": n, "sentences": [{"sent": f"number {n}"}], "big": "x" * 300} for n in range(400)]
    (tmp_path / "refs(unc).p").write_bytes(pickle.dumps(rows, protocol=protocol))
    assert [row.values for row in read_references(tmp_path / "refs(unc).p")] == rows


def test_a_number_in_references_of_more_digits_than_python_writes(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, "refcoco")
    said = {"split": "train", "image_id": 1, "ann_id": 10**6000, "sentences": []}
    (folder / "refs(unc).p").write_bytes(pickle.dumps([said | {"image_id": 10**6000}], protocol=2))
    with pytest.raises(RecordError, match=r"refs\[0\]: field 'image_id' is .*expected a whole number"):
        read_scenes(folder, "train")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("declared", ['<!ENTITY e "x">', ""])
def test_entities_are_refused_in_every_encoding(tmp_path: Path, encoding: str, declared: str) -> None:
    folder = written(tmp_path)
    start = f'<?xml version="1.0" encoding="{encoding[:6]}"?><!DOCTYPE a [{declared}]>'
    text = f"{start}<annotation>{BALL}</annotation>"
    (folder / "Annotations" / "7.xml").write_bytes(text.encode(encoding))
    with pytest.raises(RecordError, match=r"7\.xml: (has a document type|is not valid XML)"):
        read_scenes(folder, "train")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_links_that_lead_out_are_refused(tmp_path: Path, layout: str) -> None:
    outside = write_turned(tmp_path / "secret.jpg", 1)
    folder = write_folder(tmp_path / "made", layout)
    (picture,) = folder.rglob("a.jpg")
    picture.unlink()
    picture.symlink_to(outside)
    with pytest.raises(RecordError, match=r"images\[0\]: file name '.*a\.jpg' is a link that leads out of"):
        read_scenes(folder, "train", layout=layout)
    picture.unlink()
    picture.symlink_to(write_turned(picture.parent / "b.jpg", 1).name)  # a link to a neighbour is no harm
    assert len(read_scenes(folder, "train", layout=layout)) == 1


def test_linked_folders_and_shards_that_lead_out_of_a_pack(tmp_path: Path) -> None:
    write_turned(tmp_path / "secret" / "a.jpg", 1)
    folder = write_pack(tmp_path / "pack", images=[instances("x/a.jpg")["images"][0]])
    (folder / "images" / "x").symlink_to(tmp_path / "secret")
    with pytest.raises(RecordError, match="is a link that leads out of"):
        read_scenes(folder, "train")
    with tarfile.open(tmp_path / "secret.tar", "w") as archive:
        archive.add(tmp_path / "secret" / "a.jpg", "a.jpg")
    (folder / "images" / "s.tar").symlink_to(tmp_path / "secret.tar")
    (folder / "train_instances.json").write_text(
        json.dumps(instances(images=[instances()["images"][0] | {"shard": "s.tar"}]))
    )
    with pytest.raises(RecordError, match="is a link that leads out of"):
        read_scenes(folder, "train")


def test_the_folder_of_pictures_may_itself_be_a_link(tmp_path: Path) -> None:
    folder = write_pack(tmp_path / "pack")
    (folder / "images").rename(tmp_path / "elsewhere")
    (folder / "images").symlink_to(tmp_path / "elsewhere")
    assert len(read_scenes(folder, "train")) == 1


@pytest.mark.parametrize("member", [False, True])
def test_a_picture_of_3_gb_is_not_read(tmp_path: Path, member: bool) -> None:
    path, size = tmp_path / "a.jpg", 3 << 30
    with path.open("wb") as stream:
        stream.truncate(size)  # takes no room
    picture = PictureFile(path, member="a.jpg", offset=0, size=size) if member else PictureFile(path)
    with pytest.raises(RecordError, match=r"a\.jpg has 3,221,225,472 bytes; expected"):
        picture.read()
