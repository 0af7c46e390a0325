"""Files of region instructions: read, checked, painted; small files of the documented schema."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis.data.painted.building import build
from deixis.data.painted.records import KINDS, read_region_records
from deixis.data.painted.source import PaintedSource, painted, sound_region_records, turned
from deixis.errors import BadPicture, RecordError
from deixis.painting.draws import SeededDraws

BOX, OTHER = [20, 15, 70, 60], [80, 10, 110, 50]
OUTLINE = [20.0, 15.0, 70.0, 20.0, 60.0, 60.0, 25.0, 55.0]
VCR = {
    "id": "vcr-1",
    "image": "photo.png",
    "meta_dir": "./dataset/photo.json",
    "class_names": ["person", "dog"],
    "question": ["Why", "is", [0], "holding", [1], "?"],
    "answer_choices": [[[0], "likes", [1], "."], ["No", "reason", "."], ["It", "rains", "."], ["Fun", "."]],
    "answer_label": 0,
    "rationale_choices": [["It", "is", "so", "."], [[1], "is", "small", "."], ["A", "."], ["B", "."]],
    "rationale_label": 1,
}
RECORDS: dict[str, dict[str, Any]] = {
    "refcocog": {"bboxes": [BOX], "segmentations": [[OUTLINE]], "answer": "the man in red"},
    "refcocog-gpt4v": {
        "bboxes": [BOX],
        "segmentations": [[OUTLINE]],
        "conversations": [
            {"from": "human", "value": "What is <bbox> doing?"},
            {"from": "gpt", "value": "He <bbox> sits."},
        ],
    },
    "vg_rel": {"bboxes": [BOX, OTHER], "answer": "(man, near, dog)"},
    "flickr30k": {"grounding": "a man <bbox0> near a dog <bbox1>", "bbox": [[BOX], [OTHER, BOX]]},
    "v7w": {
        "question": "Which is red?",
        "bboxes": [BOX, OTHER, [1, 1, 9, 9], [5, 60, 20, 70]],
        "answer": OTHER,
    },
    "pointQA_twice": {"bboxes": [BOX], "general_question": "How many of these?", "answer": "2"},
    "vcr": VCR,
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (80, 120, 3), dtype=np.uint8)).save(tmp_path / "photo.png")
    outline = [[20, 15], [70, 20], [60, 60], [25, 55]]
    metadata = {
        "boxes": [[*BOX, 0.9], [*OTHER, 0.8]],
        "segms": [[outline], [[[80, 10], [110, 10], [110, 50], [80, 50]]]],
    }
    (tmp_path / "photo.json").write_text(json.dumps(metadata | {"names": [], "width": 120, "height": 80}))
    return tmp_path


def file_of(root: Path, *records: dict[str, Any]) -> Path:
    path = root / "mix.json"
    path.write_text(json.dumps(list(records)))
    return path


def record(kind: str, **changes: Any) -> dict[str, Any]:
    return {"id": f"{kind}-7", "image": "photo.png", **RECORDS[kind], **changes}


@pytest.mark.parametrize("kind", RECORDS)
def test_every_kind_is_painted_and_asked_about(root: Path, kind: str) -> None:
    source = PaintedSource(read_region_records(file_of(root, record(kind)), root=root), root=root)
    first, again, other = (source.example(0, np.random.default_rng(seed)) for seed in (1, 1, 2))
    plain = np.asarray(Image.open(root / "photo.png"))
    assert first.picture.pixels.shape == plain.shape
    assert not np.array_equal(first.picture.pixels, plain), "nothing was painted"
    assert np.array_equal(first.picture.pixels, again.picture.pixels)
    assert first.dialogues == again.dialogues
    assert not np.array_equal(first.picture.pixels, other.picture.pixels)
    text = " ".join(turn.question + turn.answer for turn in first.dialogues[0].turns)
    assert "<image>" not in text and "<bbox" not in text
    assert source.lengths()[0] > 0


def test_the_released_behaviour_is_there_by_name(root: Path) -> None:
    records = read_region_records(file_of(root, record("refcocog"), record("vg_rel")), root=root)
    source = PaintedSource(records, root=root, published=True)
    examples = [source.example(index, np.random.default_rng(0)) for index in range(2)]
    assert [example.pictures for example in examples] == [(), ()]
    assert all(length < 0 for length in source.lengths())


def test_corrected_relations_have_colours_of_their_own(root: Path) -> None:
    (one,) = read_region_records(file_of(root, record("vg_rel")), root=root)
    shared = {"published": 0, "corrected": 0}
    for seed in range(60):
        for name in shared:
            made = build(one, SeededDraws(seed), published=name == "published")
            first, second = (region.sign.colour for region in made.regions)
            shared[name] += first == second
    assert shared["published"] > 10 and shared["corrected"] <= 3


def test_what_is_painted_is_what_the_words_say(root: Path) -> None:
    (one,) = read_region_records(file_of(root, record("v7w")), root=root)
    made = build(one, SeededDraws(3))
    plain = np.zeros((80, 120, 3), dtype=np.uint8)
    pixels = painted(plain, made, SeededDraws(4))
    for region, letter in zip(made.regions, "ABCD", strict=True):
        spoken = re.search(rf"{letter}\. The object within (?:the )?(\w+) rectangle", made.turns[0][0])
        assert spoken is not None and spoken[1] == region.sign.colour.name
        x0, y0 = (int(edge) for edge in region.silhouette.box[:2])
        seen = pixels[y0, x0 + 3].astype(float)
        wanted = np.array(region.sign.colour.rgb, dtype=float)
        assert np.abs(seen / max(seen.max(), 1) - wanted / wanted.max()).max() < 0.05


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_pictures_are_painted_as_they_are_stored(root: Path, orientation: int) -> None:
    stored = Image.fromarray(np.zeros((80, 120, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(root / "photo.png", exif=exif)
    records = read_region_records(file_of(root, record("pointQA_twice")), root=root)
    example = PaintedSource(records, root=root).example(0, np.random.default_rng(0))
    back = turned(example.picture.pixels, orientation, back=True)
    red = back[..., 0] > 60
    rows, columns = np.nonzero(red)
    assert (columns.min(), rows.min(), columns.max(), rows.max()) == tuple(BOX)
    buffer = io.BytesIO()
    stored.save(buffer, "PNG", exif=exif)
    assert np.array_equal(turned(turned(back, orientation), orientation, back=True), back)


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("refcocog", {"bboxes": []}, "no list of 1 boxes"),
        ("refcocog", {"bboxes": [[1, 2, 3]]}, "4 finite numbers"),
        ("refcocog", {"bboxes": [[9, 2, 3, 4]]}, "has no area"),
        ("refcocog", {"segmentations": [[[1, 2, 3]]]}, "flat list of x and y"),
        ("refcocog", {"segmentations": [[["a", 2]]]}, "2 finite numbers"),
        ("refcocog", {"answer": 3}, "field 'answer' is 3"),
        ("refcocog-gpt4v", {"conversations": [{"from": "gpt", "value": "x"}]}, "human and gpt in turn"),
        ("v7w", {"answer": [1, 2]}, "4 finite numbers"),
        ("flickr30k", {"bbox": 3}, "list of lists of boxes"),
        ("vcr", {"meta_dir": "gone.json"}, "gone.json"),
        ("vcr", {"answer_label": 9}, "the right one 9"),
        ("vcr", {"question": [[7]]}, "instances"),
        ("vcr", {"question": [7]}, "not as VCR's files are"),
    ],
)
def test_mistakes_are_told(root: Path, kind: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RecordError, match=message):
        read_region_records(file_of(root, record(kind, **changes)), root=root)


def test_files_without_region_instructions_are_told(root: Path) -> None:
    with pytest.raises(RecordError, match=r"\[0\]: its id 'llava-1' begins with none of refcocog"):
        read_region_records(file_of(root, {"id": "llava-1", "image": "x"}), root=root)
    with pytest.raises(RecordError, match="holds no records"):
        read_region_records(file_of(root), root=root)
    assert all(kind.split("-")[0] in KINDS for kind in RECORDS)


def dialogue(question: str, answer: str = "A dog.", **more: Any) -> dict[str, Any]:
    said = [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]
    return {"id": "000000033471", "conversations": said, **more}


def test_dialogues_without_regions_are_read_as_they_are(root: Path) -> None:
    shown = dialogue("What is it?\n<image>", image="photo.png")
    file = file_of(root, shown, dialogue("What is {x} a dog?"), record("pointQA_twice"))
    source = PaintedSource(read_region_records(file, root=root), root=root)
    first, second, third = (source.example(index, np.random.default_rng(0)) for index in range(3))
    assert np.array_equal(first.picture.pixels, np.asarray(Image.open(root / "photo.png")))
    assert [turn.question for turn in first.dialogues[0].turns] == ["What is it?"]
    assert second.pictures == () and second.dialogues[0].turns[0].question == "What is {{x}} a dog?"
    assert len(third.pictures) == 1
    assert [length > 0 for length in source.lengths()] == [True, False, True]
    assert len(sound_region_records(source.records, root=root, broken="pass_over")) == 3
    with pytest.raises(RecordError, match="holds <image>, but there is no field 'image'"):
        read_region_records(file_of(root, dialogue("<image>\nWhat?")), root=root)


def test_a_mark_outside_of_its_picture_is_told(root: Path) -> None:
    far = record("pointQA_twice", bboxes=[[500, 10, 600, 60]])
    source = PaintedSource(read_region_records(file_of(root, far), root=root), root=root)
    with pytest.raises(RecordError, match=r"mix.json\[0\].*outside of the picture photo.png.*120 x 80"):
        source.example(0, np.random.default_rng(0))
    over = record("pointQA_twice", bboxes=[[-5, 10, 60, 900]])
    source = PaintedSource(read_region_records(file_of(root, over), root=root), root=root)
    assert source.example(0, np.random.default_rng(0)).picture.frame.size == (120, 80)


def test_pictures_can_be_letterboxed(root: Path) -> None:
    records = read_region_records(file_of(root, record("v7w")), root=root)
    example = PaintedSource(records, root=root, side=64).example(0, np.random.default_rng(0))
    assert example.picture.frame.size == (64, 64) and example.picture.frame.parent is not None


def test_broken_pictures_are_passed_over_and_counted(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    (root / "cut.png").write_bytes((root / "photo.png").read_bytes()[:200])
    file = file_of(root, record("v7w"), record("pointQA_twice", image="cut.png"))
    records = read_region_records(file, root=root)
    assert len(sound_region_records(records, root=root)) == 2
    assert [one.kind for one in sound_region_records(records, root=root, broken="pass_over")] == ["v7w"]
    assert "passed over: 1" in caplog.text
    with pytest.raises(BadPicture, match=r"cut\.png"):
        PaintedSource(records, root=root).example(1, np.random.default_rng(0))


def test_a_region_that_can_not_be_painted_is_told(root: Path) -> None:
    broken = record("refcocog", segmentations=[[[1, 2, 3, 4]]])
    source = PaintedSource(read_region_records(file_of(root, broken), root=root), root=root)
    with pytest.raises(RecordError, match=r"mix.json\[0\]"):
        for seed in range(50):
            source.example(0, np.random.default_rng(seed))
    with pytest.raises(RecordError, match="leads out"):
        outside = record("pointQA_twice", image="../photo.png")
        PaintedSource(read_region_records(file_of(root, outside), root=root), root=root).example(
            0, np.random.default_rng(0)
        )
