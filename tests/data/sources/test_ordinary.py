"""Pipes and devices in the place of data files are refused before a byte is read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from deixis.data.grit.records import read_grit
from deixis.data.sources import read_scenes
from deixis.data.sources.pack import locate_members
from deixis.errors import RecordError
from deixis.files.json_files import bounded_bytes, read_json, read_json_lines
from deixis.files.json_lists import read_json_list
from deixis.records.check import check_records
from deixis.records.record import read_record, read_records
from tests.data.turned import instances, write_pack

READERS: dict[str, Callable[[Path], object]] = {
    "json": read_json,
    "json lines": lambda path: list(read_json_lines(path)),
    "json list": lambda path: list(read_json_list(path)),
    "records": lambda path: list(read_records(path)),
    "record": lambda path: read_record(path, 1),
    "check": check_records,
    "grit": read_grit,
    "shard": locate_members,
    "bytes": lambda path: bounded_bytes(path, largest=100),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", ["/dev/zero", "/dev/null", "pipe", "folder", "link to a device"])
def test_only_ordinary_files_are_read(tmp_path: Path, reader: str, kind: str) -> None:
    path = tmp_path / "file"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "link to a device":
        path.symlink_to("/dev/zero")
    else:
        path = Path(kind)
    with pytest.raises(RecordError, match="is not an ordinary file"):
        READERS[reader](path)


@pytest.mark.parametrize("name", ["train_captions.jsonl", "train_expressions.jsonl"])
def test_nor_in_a_dataset(tmp_path: Path, name: str) -> None:
    folder = write_pack(tmp_path)
    (folder / name).unlink()
    os.mkfifo(folder / name)
    if name == "train_expressions.jsonl":  # optional: what is no file is none
        assert read_scenes(folder, "train")[0].expressions == ()
        return
    with pytest.raises(RecordError, match=r"train_captions\.jsonl is not an ordinary file"):
        read_scenes(folder, "train")


def test_a_pipe_is_no_picture(tmp_path: Path) -> None:
    folder = write_pack(tmp_path)
    os.mkfifo(folder / "images" / "p.jpg")
    (folder / "train_instances.json").write_text(json.dumps(instances("p.jpg")))
    with pytest.raises(RecordError, match="does not exist"):
        read_scenes(folder, "train")
