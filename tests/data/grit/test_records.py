"""Records of the on-disk format: what is read, every mistake with its place, writing and reading back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deixis.data.grit.records import GritPlace, dataset_of, read_grit, write_grit
from deixis.errors import RecordError
from tests.data.grit.made import RUNS, record, spoken, values, write_list

GOOD = values(
    "<image>\nWhat is <bbox_location0>?",
    "A dog <bbox_location1>, not <bbox_location0>.",
    box_x1y1x2y2=[[[11, 8, 29, 22]], [[1, 2, 3, 4], [5.5, 6, 7, 8]]],
    masks=[[RUNS], [None, None]],
)


def test_a_record_is_read_with_its_places(tmp_path: Path) -> None:
    (found,) = read_grit(write_list(tmp_path / "vg_objects.json", GOOD))
    assert (found.id, found.picture, found.size, found.dataset) == ("1", "a.png", (60, 44), "vg_object")
    assert found.turns[0].places == (GritPlace((11, 8, 29, 22), RUNS),)
    assert found.turns[1].places[1].box == (5.5, 6, 7, 8)
    assert found.turns[1].placeholders == (1, 0)


def test_records_without_places_need_no_size(tmp_path: Path) -> None:
    plain = {"id": 4, "image": "b.png", "conversations": spoken("<image>\nWhere?", "Left.")}
    (found,) = read_grit(write_list(tmp_path / "llava_instruct_x.json", plain))
    assert found.dataset == "llava_instruct" and found.width is None
    with pytest.raises(RecordError, match="image_w and image_h are missing"):
        _ = found.size


def test_the_kind_of_source_is_stated_or_named_by_the_file(tmp_path: Path) -> None:
    path = write_list(tmp_path / "flickr_part.json", GOOD, GOOD | {"dataset": "refexp"})
    assert [found.dataset for found in read_grit(path)] == ["flickr", "refexp"]
    assert [found.dataset for found in read_grit(path, dataset="mine")] == ["mine", "mine"]
    # A part that occurs in another counts first where it stands first.
    assert dataset_of("grounded_llava_boxes_detail.json") == "grounded_llava_boxes"
    assert dataset_of("nothing.json") is None


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    rows = [
        GOOD,
        values("Hello.", "Hi."),
        values("No picture?", "None.", image=None, image_w=None, image_h=None),
    ]
    first = read_grit(write_list(tmp_path / "first.json", *rows))
    write_grit(first, tmp_path / "second.json")
    second = read_grit(tmp_path / "second.json")
    assert [found.as_json() for found in second] == [found.as_json() for found in first]
    assert second[0].turns == first[0].turns
    write_grit([], tmp_path / "empty.json")
    assert read_grit(tmp_path / "empty.json") == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conversations": [], "box_x1y1x2y2": None, "masks": None}, "has no turns; expected a question"),
        ({"conversations": "Hello"}, "field 'conversations' is 'Hello'; expected a list"),
        ({"conversations": spoken("A", "B")[::-1]}, "turn 0 is said by 'gpt'; expected 'human'"),
        ({"conversations": [{"from": "human"}, spoken("A", "B")[1]]}, "field 'value' is missing"),
        ({"box_x1y1x2y2": [[[1, 2, 3, 4]]]}, "'box_x1y1x2y2' is .*; expected a list for each of the 2 turns"),
        (
            {"box_x1y1x2y2": [[], [[1, 2, 3, 4]] * 2], "masks": None},
            r"<bbox_location0>, but its turn has 0 boxes",
        ),
        (
            {"box_x1y1x2y2": [[[1, 2, 3]], [[1, 2, 3, 4]] * 2]},
            r"box_x1y1x2y2\[0\]: .*expected 4 finite numbers",
        ),
        ({"masks": [[], [None, None]]}, "'masks' has 0 entries in turn 0, which has 1 boxes"),
        ({"masks": [["abc"], [None, None]]}, r"masks\[0\]: entry 0 is 'abc'; expected"),
        ({"image_w": 0}, "field 'image_w' is 0; expected a whole number, at least 1"),
        ({"image_h": None}, "has boxes, but image_w and image_h are missing"),
    ],
)
def test_mistakes_name_file_and_entry(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = write_list(tmp_path / "x.json", GOOD, GOOD | change)
    with pytest.raises(RecordError, match=message) as fault:
        read_grit(path)
    assert f"{path}[1]" in str(fault.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{}", "is a JSON dict; expected a list"),
        ("[1]", r"\[0\]: is 1; expected an object"),
        ("[", "not valid"),
    ],
)
def test_files_that_are_no_list_of_objects(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "x.json").write_text(content, encoding="utf-8")
    with pytest.raises(RecordError, match=message):
        read_grit(tmp_path / "x.json")


def test_the_entry_of_a_placeholder_is_its_number() -> None:
    many = [[[n, 0, n + 1, 1] for n in range(12)], []]
    turn = record("<bbox_location11> or <bbox_location1>?", "No.", box_x1y1x2y2=many).turns[0]
    assert turn.placeholders == (11, 1)
