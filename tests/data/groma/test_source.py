"""Records of every layout, what is passed over, and the dialogues that are made of them."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis.data.groma.boxes import SA1B_AREAS, centred, on_square, suppressed
from deixis.data.groma.building import BUILDERS, marked_answer, words
from deixis.data.groma.draws import NumpyDraws
from deixis.data.groma.records import READERS, GromaRecord, Note, PassedOver, Said, read_annotated
from deixis.data.groma.source import GromaSource, MarkedExample, large_enough, read_groma
from deixis.errors import RecordError

RNG = np.random.default_rng


def record(*boxes: tuple[float, float, float, float], caption: str = "", **more: Any) -> GromaRecord:
    notes = tuple(Note(box, caption=f"thing {number}", **more) for number, box in enumerate(boxes))
    return GromaRecord("a.png", "here", (60, 40), caption, notes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pixels = RNG(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return tmp_path


def coco_like(folder: Path, annotations: list[dict[str, Any]], **image: Any) -> Path:
    content = {
        "images": [{"id": 7, "file_name": "a.png", "width": 60, "height": 40} | image],
        "categories": [{"id": 3, "name": "dog"}],
        "annotations": [
            {"id": n, "image_id": 7, "category_id": 3, "iscrowd": 0} | one
            for n, one in enumerate(annotations)
        ],
    }
    path = folder / "file.json"
    path.write_text(json.dumps(content))
    return path


def test_readers_and_builders_are_of_the_same_kinds() -> None:
    assert set(READERS) == set(BUILDERS)
    assert len(READERS) == 10


def test_what_is_passed_over_is_counted(folder: Path) -> None:
    annotations = [
        {"bbox": [1, 2, 10, 10]},
        {"bbox": [1, 2, 10, 10], "iscrowd": 1},
        {"bbox": [1, 2, 0, 10]},
        {"bbox": [1, 2, 0.5, 10]},
        {"bbox": [70, 2, 10, 10]},
        {"bbox": [1, 2, 10, 10], "area": 0},
    ]
    passed = PassedOver()
    (one,) = read_annotated(coco_like(folder, annotations), passed)
    assert [note.edges for note in one.notes] == [(1, 2, 11, 12)]
    assert str(passed) == "4 boxes without area, 1 crowds"
    passed = PassedOver()
    assert read_annotated(coco_like(folder, annotations, width=31), passed) == []
    assert passed.counts["pictures too small"] == 1


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        ({"bbox": [1, 2, 3]}, "4 finite numbers"),
        ({"bbox": [1, 2, 3, 4], "image_id": 8}, "there is no image 8"),
        ({"bbox": [1, 2, 3, 4], "category_id": 8}, "there is no category 8"),
        ({"bbox": [1, 2, 3, 4], "tokens_positive": [[4, 2]]}, r"expected \[start, end\]"),
        ({"bbox": [1, 2, 3, 4], "tokens_positive": 3}, "tokens_positive is no list"),
    ],
)
def test_mistakes_in_files_are_named(folder: Path, annotation: dict[str, Any], message: str) -> None:
    with pytest.raises(RecordError, match=message):
        read_annotated(coco_like(folder, [annotation]), PassedOver())


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        (
            "grit",
            [{"filename": "a.png", "caption": "a dog", "ref_exps": [[0, 9, 0, 0, 1, 1, 1]]}],
            "no phrase",
        ),
        ("grit", [{"filename": "a.png", "caption": "a dog", "ref_exps": [[0, 5, 0, 0]]}], "7 finite numbers"),
        ("grit", [{"filename": "a.png", "caption": "a dog", "ref_exps": 5}], "is no list"),
        ("llava_instruct", [{"image": "a.png", "conversations": [{"value": "x"}]}], "1 turns"),
        (
            "groma_instruct",
            [
                {
                    "file_name": "a.png",
                    "width": 60,
                    "height": 40,
                    "boxes": [],
                    "conversation": [{"value": "x"}, {"value": "y", "box_inds": [0]}],
                }
            ],
            "there are 0 boxes",
        ),
    ],
)
def test_mistakes_in_lists_are_named(folder: Path, kind: str, content: list[Any], message: str) -> None:
    path = folder / "list.json"
    path.write_text(json.dumps(content))
    with pytest.raises(RecordError, match=message):
        read_groma(path, kind=kind)


def test_kinds_and_shares_are_checked(folder: Path) -> None:
    path = coco_like(folder, [{"bbox": [1, 2, 10, 10]}])
    with pytest.raises(RecordError, match="refcoco_rec, refcoco_cap"):
        read_groma(path, kind="vqa")
    with pytest.raises(RecordError, match="ratio is 0"):
        read_groma(path, kind="coco", ratio=0)


def test_a_share_is_the_same_for_a_seed(folder: Path) -> None:
    path = folder / "grit.json"
    rows = [
        {"filename": f"{n}.png", "caption": "a dog", "ref_exps": [[0, 5, 0, 0, 1, 1, 1]]} for n in range(40)
    ]
    path.write_text(json.dumps(rows))
    chosen = [
        [one.picture for one in read_groma(path, kind="grit", ratio=0.25, seed=seed)] for seed in (1, 1, 2)
    ]
    assert len(chosen[0]) == 10
    assert chosen[0] == chosen[1] != chosen[2]


def test_boxes_too_small_are_left_out_with_their_number(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    small, fine = record((1, 1, 1.2, 30)), record((1, 1, 20, 20), (1, 1, 1.1, 1.1))
    assert large_enough(small) == [] and large_enough(fine) == [0]
    with caplog.at_level(logging.WARNING, logger="deixis"):
        source = GromaSource([small, fine], kind="single_vg", root=folder)
    assert len(source) == 1
    assert "1 records left out" in caplog.text
    assert "2 boxes are too small and dropped" in caplog.text
    with pytest.raises(RecordError, match="no single_vg record with a box"):
        GromaSource([small], kind="single_vg", root=folder)


def test_the_published_replacement_takes_a_random_other_record(folder: Path) -> None:
    records = [record((1, 1, 1.2, 30)), record((1, 1, 20, 20)), record((5, 5, 30, 30))]
    source = GromaSource(records, kind="single_vg", root=folder, without_boxes="replaced")
    assert len(source) == 3
    seen = {source.example(0, RNG(seed)).refer[0].as_tuple() for seed in range(20)}
    assert seen == {(1, 1, 20, 20), (5, 5, 30, 30)}


def test_a_replacement_has_the_same_shape_and_is_not_looked_for_for_ever(folder: Path) -> None:
    upright = GromaRecord("a.png", "here", (40, 60), notes=(Note((0, 0, 0.1, 9), caption="x"),))
    records = [upright, record((1, 1, 20, 20))]
    source = GromaSource(records, kind="single_vg", root=folder, without_boxes="replaced")
    with pytest.raises(RecordError, match="no box is large enough"):
        source.example(0, RNG(0))


def test_lists_of_boxes_are_taken_as_they_are_only_as_published(folder: Path) -> None:
    spans = ((0, 5),)
    notes = (Note((0.1, 0.1, 0.101, 0.5), spans=spans), Note((0.1, 0.1, 0.5, 0.5), spans=spans))
    records = [GromaRecord("a.png", "here", None, "a dog", notes)]
    assert len(GromaSource(records, kind="grit", root=folder).example(0, RNG(0)).ground) == 1
    assert len(GromaSource(records, kind="grit", root=folder, published=True).example(0, RNG(0)).ground) == 2


def test_surplus_boxes_are_only_handed_on_where_that_is_asked_for(folder: Path) -> None:
    records = [record((1, 1, 20, 20), (5, 5, 30, 30))]
    for kind in ("single_vg", "refcoco_cap"):
        assert len(GromaSource(records, kind=kind, root=folder).example(0, RNG(0)).refer) == 1
        assert len(GromaSource(records, kind=kind, root=folder, published=True).example(0, RNG(0)).refer) == 2
    assert len(GromaSource(records, kind="refcoco_rec", root=folder).example(0, RNG(0)).ground) == 1
    assert (
        len(GromaSource(records, kind="refcoco_rec", root=folder, published=True).example(0, RNG(0)).ground)
        == 2
    )


def test_an_example_is_a_function_of_the_draws(folder: Path) -> None:
    boxes = [(n, n, n + 9.0, n + 9.0) for n in range(0, 30, 5)]
    source = GromaSource([record(*boxes)], kind="multi_vg", root=folder)

    def made(seed: int) -> MarkedExample:
        return source.example(0, RNG(seed))

    assert (made(3).turns, made(3).refer) == (made(3).turns, made(3).refer)
    assert made(3).turns != made(4).turns
    assert len(made(3).refer) == len(made(3).turns)


def test_regions_of_a_picture_are_captioned_once_and_apart() -> None:
    one = record((0, 0, 20, 20), (0, 0, 20, 20), (0, 0, 20, 19), (30, 0, 50, 20))
    built = BUILDERS["multi_vg"](one, [0, 1, 2, 3], NumpyDraws(RNG(0)))
    assert len(built.refer) == 2
    assert set(built.refer) in ({0, 3}, {2, 3})
    assert suppressed([], [], above=0.5).tolist() == []


def test_categories_are_asked_for_with_all_their_boxes() -> None:
    notes = (
        Note((0, 0, 5, 5), "bow_(weapon)"),
        Note((9, 9, 20, 20), "dog"),
        Note((0, 9, 5, 30), "bow_(weapon)"),
    )
    one = GromaRecord("a.png", "here", (60, 40), "", notes)
    built = BUILDERS["lvis"](one, [0, 1, 2], NumpyDraws(RNG(0)))
    assert sorted(built.ground) == [0, 1, 2]
    assert {answer.count("<ground_box>") for _, answer in built.turns} == {1, 2}
    assert any("<p>bow (weapon)</p>" in question for question, _ in built.turns)
    built = BUILDERS["coco"](one, [1, 2], NumpyDraws(RNG(1)))
    assert len(built.turns) == 1 and len(built.ground) == 1


def test_phrases_inside_others_and_beyond_the_caption_are_words() -> None:
    caption = "a dog on a mat"
    spans = [((0, 5),), ((2, 5),), ((9, 14),), ((12, 40),)]
    notes = tuple(Note((5 * n, 0, 5 * n + 4, 9), spans=own) for n, own in enumerate(spans))
    built = BUILDERS["flickr30k"](
        GromaRecord("a.png", "here", (60, 40), caption, notes), [0, 1, 2, 3], NumpyDraws(RNG(0))
    )
    assert built.turns[0][1] == "<p>a dog</p><roi><ground_box></roi> on <p>a mat</p><roi><ground_box></roi>"
    assert built.ground == [0, 2]
    assert built.turns[0][0].startswith("[grounding]")


def test_marks_in_words_of_files_do_not_act() -> None:
    one = GromaRecord("a.png", "here", said=(Said("<r3> <image> [grounding]?", "a <roi><r1></roi></s>"),))
    ((question, answer),) = BUILDERS["llava_instruct"](one, [], NumpyDraws(RNG(0))).turns
    assert question == "< r3>  [ grounding]?"
    assert answer == "a < roi>< r1>< /roi>< /s>"
    assert words("<sep> <unk>") == "< sep> < unk>"


def test_an_instruct_answer_keeps_its_marks_and_loses_dropped_boxes() -> None:
    answer = "A <p>cat</p> <roi><ground_box></roi> by <p>two <r1> dogs</p>"
    answer += "<roi><ground_box><ground_box></roi>. <roi>"
    assert marked_answer(answer, [5, 6, 7], frozenset([6, 7])) == (
        "A cat by <p>two < r1> dogs</p><roi><ground_box><ground_box></roi>. < roi>",
        [6, 7],
    )
    one = GromaRecord(
        "a.png",
        "here",
        (60, 40),
        notes=(Note((0, 0, 30, 30)), Note((0, 0, 0.0, 9))),
        said=(Said("what?", "<p>a</p><roi><ground_box></roi><p>b</p><roi><ground_box></roi>", (1, 0)),),
    )
    built = BUILDERS["groma_instruct"](one, large_enough(one), NumpyDraws(RNG(0)))
    assert built.turns == [("[grounding]what?", "a<p>b</p><roi><ground_box></roi>")]
    assert built.ground == [0]


def test_boxes_follow_a_picture_that_is_turned(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.zeros((40, 60, 3), dtype=np.uint8)).save(tmp_path / "a.jpg", exif=exif)
    one = GromaRecord("a.jpg", "here", (60, 40), notes=(Note((0, 0, 30, 10), caption="x"),))
    example = GromaSource([one], kind="single_vg", root=tmp_path).example(0, RNG(0))
    assert (example.picture.width, example.picture.height) == (40, 60)
    assert example.refer[0].as_tuple() == (30, 0, 40, 30)
    share = GromaRecord("a.jpg", "here", None, "a dog", (Note((0, 0, 0.5, 0.25), spans=((0, 5),)),))
    example = GromaSource([share], kind="grit", root=tmp_path).example(0, RNG(0))
    assert example.ground[0].as_tuple() == (30, 0, 40, 30)
    assert example.by_pillow


def test_a_picture_of_another_size_and_one_outside_are_refused(folder: Path) -> None:
    wrong = GromaRecord("a.png", "here", (61, 40), notes=(Note((0, 0, 9, 9)),))
    with pytest.raises(RecordError, match="its entry says 61 x 40"):
        GromaSource([wrong], kind="single_vg", root=folder).example(0, RNG(0))
    outside = GromaRecord("../a.png", "here", (60, 40), notes=(Note((0, 0, 9, 9)),))
    with pytest.raises(RecordError, match="leads out of"):
        GromaSource([outside], kind="single_vg", root=folder).example(0, RNG(0))


def test_areas_are_strict_and_squares_are_cut() -> None:
    assert SA1B_AREAS.kept([[0, 0, 14, 14], [0, 0, 14, 15], [0, 0, 400, 400]]).tolist() == [
        False,
        True,
        False,
    ]
    assert on_square([[-5, 0, 500, 30]], width=100, height=60, side=448).tolist() == [[0, 0, 448, 224]]
    assert centred(np.zeros((0, 4))).shape == (0, 4)
