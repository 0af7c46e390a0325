"""The pack reader on the toy pack, with pictures in tar shards and as ordinary files; and its mistakes."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis.data.sources.pack import read_pack
from deixis.errors import RecordError
from tests.toy.pack import write_toy_pack


@pytest.mark.parametrize("shards", [False, True])
def test_both_layouts_hold_whole_pictures(tmp_path: Path, shards: bool) -> None:
    folder = write_toy_pack(tmp_path / "toy", pictures=6, shards=shards)
    for split, count in (("train", 6), ("val", 2)):
        scenes = read_pack(folder, split)
        assert len(scenes) == count
        for scene in scenes:
            assert Image.open(io.BytesIO(scene.picture.read())).size == (scene.width, scene.height)
            assert scene.source == "toy" and scene.exhaustive == frozenset()


def test_both_layouts_hold_the_same(tmp_path: Path) -> None:
    one = read_pack(write_toy_pack(tmp_path / "a" / "toy"), "train")
    two = read_pack(write_toy_pack(tmp_path / "b" / "toy", shards=True), "train")
    for first, second in zip(one, two, strict=True):
        assert (first.id, first.things, first.captions) == (second.id, second.things, second.captions)
        assert first.expressions == second.expressions
        assert first.picture.read() == second.picture.read()


def test_phrases_are_linked_to_the_things_they_name(tmp_path: Path) -> None:
    for scene in read_pack(write_toy_pack(tmp_path), "train"):
        for caption in scene.captions:
            for phrase in caption.phrases:
                assert caption.text[phrase.start : phrase.end] == phrase.text
                kinds = {scene.thing(number).category for number in phrase.things}
                assert len(kinds) == 1 and phrase.text.rstrip("s").endswith(kinds.pop())
        for expression in scene.expressions:
            assert expression.text.endswith(scene.thing(expression.thing).category)


def test_expressions_may_be_missing(tmp_path: Path) -> None:
    folder = write_toy_pack(tmp_path)
    (folder / "train_expressions.jsonl").unlink()
    assert all(scene.expressions == () for scene in read_pack(folder, "train"))


def test_an_unknown_split_names_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"no split 'test' .*; it has: train, val"):
        read_pack(write_toy_pack(tmp_path), "test")


def test_a_shard_that_was_cut_is_noticed(tmp_path: Path) -> None:
    folder = write_toy_pack(tmp_path, shards=True)
    scenes = read_pack(folder, "train")
    shard = folder / "images" / "train-00.tar"
    shard.write_bytes(shard.read_bytes()[:-30_000])
    with pytest.raises(RecordError, match="cut or replaced"):
        for scene in scenes:
            scene.picture.read()


def in_json(entry: str, **change: Any) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        path = folder / "train_instances.json"
        content = json.loads(path.read_text())
        content[entry][0] |= change
        path.write_text(json.dumps(content))

    return edit


def in_lines(name: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        path = folder / f"train_{name}.jsonl"
        first, *rest = path.read_text().splitlines()
        row = json.loads(first)
        change(row)
        path.write_text("\n".join([json.dumps(row), *rest]))

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (in_json("images", file_name="../1.jpg"), "leads out of"),
        (in_json("images", file_name="none.jpg"), "does not exist"),
        (in_json("images", shard="none.tar"), "cannot be read as an uncompressed tar"),
        (in_json("images", shard="1.jpg"), "cannot be read as an uncompressed tar"),
        (in_json("images", id=2), "image id 2 is used twice"),
        (in_json("images", height="40"), "field 'height' is '40'; expected a whole number"),
        (in_json("annotations", bbox=[0, 0, 900, 9]), "is not inside the picture"),
        (in_json("annotations", bbox=[5, 5, 0, 9]), "has no area"),
        (in_json("annotations", bbox=[9, 9, -5, 9]), "is not inside the picture"),
        (in_json("annotations", bbox=None), "expected 4 finite numbers"),
        (in_json("annotations", category_id=77), "category_id 77 is not in 'categories'"),
        (in_json("annotations", image_id=777), "image_id 777 is not in 'images' of the instances file"),
        (in_json("annotations", iscrowd="yes"), "expected true or false"),
        (in_lines("captions", lambda row: row.update(image_id=777)), r"captions\.jsonl:1: image_id 777"),
        (in_lines("captions", lambda row: row.pop("caption")), "field 'caption' is missing"),
        (in_lines("captions", lambda row: row["phrases"][0].update(start=1)), r"phrases\[0\]: caption\[1:"),
        (in_lines("captions", lambda row: row["phrases"][0].update(ann_ids=[777])), "ann_ids has 777"),
        (in_lines("captions", lambda row: row.update(phrases=["x"])), "expected an object"),
        (in_lines("expressions", lambda row: row.update(ann_id=777)), "ann_id 777 is no annotation"),
        (in_lines("expressions", lambda row: row.update(distractors=-1)), "at least 0"),
        (lambda folder: (folder / "train_captions.jsonl").unlink(), "cannot be read"),
        (lambda folder: (folder / "train_captions.jsonl").write_text("[]\n"), r":1: is a JSON list"),
        (lambda folder: (folder / "train_instances.json").write_text("{"), "is not valid JSON"),
    ],
)
def test_mistakes_say_where_they_are(tmp_path: Path, edit: Callable[[Path], None], message: str) -> None:
    folder = write_toy_pack(tmp_path, pictures=3)
    edit(folder)
    with pytest.raises(RecordError, match=message):
        read_pack(folder, "train")
