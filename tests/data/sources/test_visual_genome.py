"""The Visual Genome reader: objects, relations, regions, splits, crowd mistakes left out, others reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.data.sources import detect_layout
from deixis.data.sources.visual_genome import is_relation, read_visual_genome
from deixis.errors import RecordError

MAN = {"object_id": 11, "x": 5, "y": 2, "w": 20, "h": 30, "names": ["Man"], "synsets": ["man.n.01"]}
HAT = {"object_id": 12, "x": 70, "y": 2, "w": 20, "h": 10, "name": "hat"}


def contents() -> dict[str, Any]:
    link = {"relationship_id": 3, "predicate": "WEARING", "subject": MAN, "object": HAT}
    region = {
        "region_id": 21,
        "image_id": 7,
        "x": 4,
        "y": 1,
        "width": 30,
        "height": 30,
        "phrase": "a tall man.",
    }
    return {
        "image_data": [{"image_id": n, "width": 80, "height": 40, "url": "x"} for n in (7, 8)],
        "objects": [{"image_id": 7, "objects": [dict(MAN)]}],
        "relationships": [{"image_id": 7, "relationships": [link]}],
        "region_descriptions": [{"id": 7, "regions": [region]}],
    }


def written(folder: Path, content: dict[str, Any]) -> Path:
    for number, parent in ((7, "VG_100K"), (8, "VG_100K_2")):
        (folder / parent).mkdir(exist_ok=True)
        (folder / parent / f"{number}.jpg").touch()
    for name, rows in content.items():
        (folder / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")
    return folder


def test_objects_relations_and_regions(tmp_path: Path) -> None:
    folder = written(tmp_path, contents())
    assert detect_layout(folder) == "visual_genome"
    first, second = read_visual_genome(folder, "all")
    man, hat, region = first.things
    assert (man.id, man.category, man.box.as_tuple()) == (11, "man", (5, 2, 25, 32))
    assert (hat.id, hat.category, hat.box.as_tuple()) == (12, "hat", (70, 2, 80, 12))  # cut at the edge
    assert (region.id, region.category, region.supercategory) == (-21, "man", "region")
    (caption,) = first.captions
    assert caption.text == "man wearing hat" and is_relation(caption)
    assert [phrase.things for phrase in caption.phrases] == [(11,), (12,)]
    (expression,) = first.expressions
    assert (expression.text, expression.thing, expression.unique) == ("a tall man", -21, True)
    assert second.things == () and second.picture.path.parent.name == "VG_100K_2"
    assert first.exhaustive == frozenset()


def test_splits_are_lists_of_ids(tmp_path: Path) -> None:
    folder = written(tmp_path, contents())
    (folder / "train.txt").write_text("8\n", encoding="utf-8")
    assert [scene.id for scene in read_visual_genome(folder, "train")] == ["8"]
    with pytest.raises(RecordError, match=r"no split 'val' \(no val\.txt\); it has: all, train"):
        read_visual_genome(folder, "val")
    (folder / "val.txt").write_text("8.jpg", encoding="utf-8")
    with pytest.raises(RecordError, match="expected the numbers of pictures"):
        read_visual_genome(folder, "val")


def test_files_of_annotations_may_be_missing(tmp_path: Path) -> None:
    content = {"image_data": contents()["image_data"]}
    assert all(scene.things == () for scene in read_visual_genome(written(tmp_path, content), "all"))


@pytest.mark.parametrize("change", [{"w": 0}, {"x": 90}, {"names": []}, {"names": [" "]}])
def test_what_the_crowd_left_unusable_is_left_out_with_its_relations(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    content = contents()
    content["objects"][0]["objects"][0] |= change
    content["relationships"][0]["relationships"][0]["subject"] = MAN | change
    scene, _ = read_visual_genome(written(tmp_path, content), "all")
    assert [thing.id for thing in scene.things] == [12, -21] and scene.captions == ()


@pytest.mark.parametrize(
    ("file", "path", "change", "message"),
    [
        ("objects", ("objects", 0), {"x": "a"}, r"objects\.json\[0\] objects\[0\]: field 'x' is 'a'"),
        ("objects", ("objects", 0), {"object_id": None}, "field 'object_id' is None"),
        ("relationships", ("relationships", 0), {"subject": 5}, "field 'subject' is 5; expected an object"),
        ("relationships", ("relationships", 0), {"predicate": 5}, "field 'predicate' is 5"),
        ("region_descriptions", ("regions", 0), {"region_id": 0}, "at least 1"),
        ("image_data", (), {"width": 0}, r"image_data\.json\[0\]: field 'width' is 0"),
        ("objects", (), {"image_id": 9}, "image 9 is not in image_data"),
    ],
)
def test_mistakes_name_file_and_entry(
    tmp_path: Path, file: str, path: tuple[Any, ...], change: dict[str, Any], message: str
) -> None:
    content = contents()
    entry = content[file][0]
    for key in path:
        entry = entry[key]
    entry |= change
    with pytest.raises(RecordError, match=message):
        read_visual_genome(written(tmp_path, content), "all")


def test_answered_questions(tmp_path: Path) -> None:
    asked = [
        {"qa_id": 1, "question": "What is  it?", "answer": "A dog."},
        {"qa_id": 2, "question": "?", "answer": ""},
    ]
    folder = written(tmp_path, contents() | {"question_answers": [{"id": 7, "qas": asked}]})
    scene = read_visual_genome(folder, "all")[0]
    assert scene.exchanges == (("What is it?", "A dog."),)
    (folder / "question_answers.json").write_text(json.dumps([{"id": 7, "qas": [{"question": "What?"}]}]))
    with pytest.raises(RecordError, match=r"qas\[0\]: field 'answer' is missing"):
        read_visual_genome(folder, "all")


def test_missing_pictures(tmp_path: Path) -> None:
    folder = written(tmp_path, contents())
    (folder / "VG_100K/7.jpg").unlink()
    assert [scene.id for scene in read_visual_genome(folder, "all", skip_missing=True)] == ["8"]
    with pytest.raises(RecordError, match=r"picture 7\.jpg does not exist in any of: VG_100K"):
        read_visual_genome(folder, "all")
