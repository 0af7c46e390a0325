"""RefCOCO's published folders with their splits, and gRefCOCO's several targets and none."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from deixis.cli import main
from deixis.errors import RecordError
from deixis.evaluation.benchmark_table import find_benchmark
from deixis.evaluation.benchmarks.benchmark import BenchmarkItem, Reply, ReplyPlace, Scoring
from deixis.evaluation.benchmarks.grounding.grefcoco import paired
from deixis.evaluation.benchmarks.marking import mark, mark_all
from tests.evaluation.benchmarks.published.small_files import picture_bytes, put

FORMATS = Path(__file__).parents[5] / "shared" / "data" / "formats"
LEFT, RIGHT = (10.0, 5.0, 30.0, 25.0), (40.0, 5.0, 60.0, 25.0)


def instances(folder: Path) -> Path:
    put(folder / "train2014" / "7.jpg", picture_bytes(100))
    content = {
        "images": [{"id": 7, "file_name": "7.jpg", "width": 64, "height": 48}],
        "annotations": [
            {"id": 1, "image_id": 7, "bbox": [10, 5, 20, 20]},
            {"id": 2, "image_id": 7, "bbox": [40, 5, 20, 20]},
        ],
    }
    put(folder / "instances.json", json.dumps(content))
    return folder


def reference(number: int, thing: Any, *texts: str, split: str = "val", **more: Any) -> dict[str, Any]:
    sentences = [{"sent_id": n, "sent": text} for n, text in enumerate(texts)]
    return {"ref_id": number, "ann_id": thing, "image_id": 7, "split": split, "sentences": sentences, **more}


def refcoco(folder: Path) -> Path:
    refs = [reference(0, 1, "left  man", "man in red"), reference(1, 2, "right man", split="testA")]
    put(folder / "refs(unc).p", pickle.dumps(refs, protocol=0))
    return instances(folder)


def grefcoco(folder: Path) -> Path:
    refs = [
        reference(0, [1, 2], "both men"),
        reference(1, [2], "right man"),
        reference(2, [-1], "the elephant", no_target=True),
        reference(3, [], "the whale"),
        reference(4, [1], "left man", split="testA"),
    ]
    put(folder / "grefs(unc).json", json.dumps(refs))
    return instances(folder)


def reply(*boxes: tuple[float, ...], text: str = "here", failures: tuple[str, ...] = ()) -> Reply:
    return Reply(text, tuple(ReplyPlace(box) for box in boxes), failures)  # type: ignore[arg-type]


def test_every_sentence_of_a_split_is_an_expression(tmp_path: Path) -> None:
    one = find_benchmark("refcoco")
    items = one.read(refcoco(tmp_path))
    assert [(item.id, item.question, item.truth.boxes) for item in items] == [
        ("0/0", "left man", (LEFT,)),
        ("0/1", "man in red", (LEFT,)),
    ]
    assert one.read_split is not None
    (right,) = one.read_split(tmp_path, "testA")
    assert right.truth.boxes == (RIGHT,) and one.prompt(right) == "Locate right man in the image."
    with pytest.raises(RecordError, match="it has: testA, val"):
        one.read_split(tmp_path, "test")


def test_splits_by_one_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", "--benchmark", "refcoco", "--data", str(refcoco(tmp_path / "r")), "--quiet"]
    assert main([*words, "--split", "testA", "--json", str(tmp_path / "r.json")]) == 0
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["protocol"]["split"] == "testA" and report["protocol"]["items"] == 1
    assert main([*words, "--split", "testC"]) == 2
    assert "has no split 'testC'" in capsys.readouterr().err


@pytest.mark.skipif(not FORMATS.is_dir(), reason="the real samples are not here")
def test_the_real_layout(tmp_path: Path) -> None:
    folder = FORMATS / "refcoco_format"
    (tmp_path / "refs(unc).p").write_bytes((folder / "refs(unc).p").read_bytes())
    content = json.loads((folder / "instances.json").read_text())
    put(tmp_path / "instances.json", json.dumps(content))
    for image in content["images"]:
        put(tmp_path / "train2014" / image["file_name"], picture_bytes(1))
    one = find_benchmark("refcoco")
    splits = {row["split"] for row in pickle.loads((folder / "refs(unc).p").read_bytes())}
    assert one.read_split is not None
    items = [item for split in splits for item in one.read_split(tmp_path, split)]
    assert len(items) >= 6 and all(item.question and len(item.truth.boxes) == 1 for item in items)


@pytest.mark.parametrize(
    ("name", "given", "value", "f1"),
    [
        ("both men", reply(LEFT, RIGHT), 1, 1),
        ("both men", reply(LEFT), 0, 2 / 3),
        ("both men", reply(LEFT, LEFT), 0, 0.5),
        ("both men", reply(LEFT, RIGHT, (0.0, 0.0, 5.0, 5.0)), 0, 0.8),
        ("right man", reply((40.0, 5.0, 60.0, 15.0)), 1, 1),  # IoU of exactly 0.5 is enough
        ("right man", reply((40.0, 5.0, 60.0, 14.9)), 0, 0),
        ("the elephant", reply(text="nowhere"), 1, 1),
        ("the elephant", reply(LEFT), 0, 0),
        ("the whale", reply(text="[1, 2"), 1, 1),
        ("the whale", reply(text="[1, 2", failures=("[1, 2 is not closed",)), 0, 0),
    ],
)
def test_pairs_without_rest(tmp_path: Path, name: str, given: Reply, value: float, f1: float) -> None:
    one = find_benchmark("grefcoco")
    item = next(item for item in one.read(grefcoco(tmp_path)) if item.question == name)
    found = mark(one, item, given, Scoring())
    assert found.value == value and found.numbers["f1"] == pytest.approx(f1)


def test_the_published_metrics(tmp_path: Path) -> None:
    one = find_benchmark("grefcoco")
    items: list[BenchmarkItem[Any]] = one.read(grefcoco(tmp_path))
    said = [reply(LEFT, RIGHT), reply(), reply(text="none"), reply(LEFT)]
    replies = {item.id: own for item, own in zip(items, said, strict=True)}
    table = one.tabulate(items, mark_all(one, items, replies, Scoring()))
    values = {name: row.value for name, row in table.rows.items()}
    assert values == {
        "Pr@(F1=1, IoU>=0.5)": 50,
        "N-acc": 50,
        "T-acc": 50,
        "Pr, one target": 0,
        "Pr, several targets": 100,
        "mean F1": 50,
    }


def test_places_pair_off_as_well_as_they_can() -> None:
    wide = (0.0, 0.0, 15.0, 10.0)
    assert paired([wide, (0.0, 0.0, 10.0, 10.0)], [(0.0, 0.0, 10.0, 10.0), (5.0, 0.0, 15.0, 10.0)]) == 2
    assert paired([], [wide]) == paired([wide], []) == 0


@pytest.mark.parametrize(
    ("refs", "said"),
    [
        ([reference(0, [9], "a man")], "ann_id 9 is no annotation"),
        ([reference(0, ["x"], "a man")], "ann_id 'x' is no annotation"),
        ([{**reference(0, [1], "a"), "image_id": 3}], "image_id 3 is no image"),
        ("no list", "refs"),
    ],
)
def test_mistakes_name_the_entry(tmp_path: Path, refs: Any, said: str) -> None:
    grefcoco(tmp_path)
    put(tmp_path / "grefs(unc).json", json.dumps(refs))
    with pytest.raises(RecordError, match=said):
        find_benchmark("grefcoco").read(tmp_path)
