"""Expressions and LVIS-Ground: files, what is asked, what replies earn; mistakes name file and entry."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.errors import RecordError
from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem, Reply, ReplyPlace, Scoring
from deixis.evaluation.benchmarks.grounding.lvis_ground import LVIS_GROUND, MOST_PICTURES, by_protocol
from deixis.evaluation.benchmarks.grounding.referring_expressions import (
    REC,
    Referred,
    fractions,
    overlap,
    published_overlap,
)
from deixis.evaluation.benchmarks.marking import mark_all

BOXES = st.tuples(st.integers(0, 80), st.integers(0, 80), st.integers(5, 60), st.integers(5, 60))


def reply(*boxes: Sequence[float]) -> Reply:
    return Reply("here", tuple(ReplyPlace(tuple(box)) for box in boxes))  # type: ignore[arg-type]


def table(
    benchmark: Benchmark[Any], items: list[BenchmarkItem[Any]], *replies: Reply, **how: Any
) -> dict[str, Any]:
    own = {item.id: one for item, one in zip(items, replies, strict=True)}
    marks = mark_all(benchmark, items, own, Scoring(**how))
    return {name: row.value for name, row in benchmark.tabulate(items, marks).rows.items()}


def written(folder: Path, name: str, content: dict[str, Any]) -> Path:
    for image in content["images"]:
        path = folder / "val2017" / image["file_name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        (folder / image["file_name"]).touch()
    (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return folder


def expressions() -> dict[str, Any]:
    images = [
        {"id": n, "file_name": f"{n}.jpg", "width": 100, "height": 80, "caption": f" thing {n} "}
        for n in (1, 2)
    ]
    boxes = [(1, [10, 10, 40, 40]), (2, [20, 20, 40, 40]), (2, [60, 60, 20, 15])]
    return {
        "images": images,
        "annotations": [{"id": i, "image_id": n, "bbox": b} for i, (n, b) in enumerate(boxes)],
    }


def test_the_first_place_counts_against_any_box(tmp_path: Path) -> None:
    items = REC.read(written(tmp_path, "refcoco_val.json", expressions()))
    assert [REC.prompt(item) for item in items] == [
        "Locate thing 1 in the image.",
        "Locate thing 2 in the image.",
    ]
    right = reply((60, 60, 80, 75), (0, 0, 1, 1))
    half = reply((10, 20, 50, 40))  # IoU exactly 0.5 is not enough
    assert table(REC, items, half, right) == {"accuracy": 50, "mean_iou": 75, "missing": 0}
    assert table(REC, items, Reply("no idea"), right)["missing"] == 50
    published = table(REC, items, half, right, rules="published")
    assert published["accuracy"] == 50 and published["mean_iou"] == pytest.approx(75, abs=1e-3)


def test_by_published_rules_the_place_counts_that_was_named_first(tmp_path: Path) -> None:
    item, _ = REC.read(written(tmp_path, "refcoco_val.json", expressions()))
    meant = item.truth.boxes[0]
    surest = ReplyPlace(meant, 0.9, named=1)
    first = ReplyPlace((0.0, 0.0, 1.0, 1.0), 0.2, named=0)
    both = Reply("two", (surest, first))
    assert REC.score(item, both, Scoring()).value == 1
    assert REC.score(item, both, Scoring(rules="published")).value == 0
    unsaid = Reply("two", (ReplyPlace(meant, 0.9), ReplyPlace((0.0, 0.0, 1.0, 1.0), 0.2)))
    assert REC.score(item, unsaid, Scoring(rules="published")).value == 1


def test_as_many_places_are_those_named_first(tmp_path: Path) -> None:
    item = LVIS_GROUND.read(written(tmp_path, "lvis_v1_val.json", lvis()))[0]
    things = [tuple(map(float, (x, y, x + wide, y + high))) for x, y, wide, high in item.truth.boxes]
    right = [ReplyPlace(box, 0.1, named=number) for number, box in enumerate(things)]  # type: ignore[arg-type]
    wrong = ReplyPlace((0.0, 0.0, 1.0, 1.0), 0.9, named=len(things))
    assert LVIS_GROUND.score(item, Reply("", (wrong, *right)), Scoring()).value == 1
    late = [ReplyPlace(one.box, one.score, named=number + 1) for number, one in enumerate(right)]
    early = ReplyPlace(wrong.box, 0.9, named=0)
    assert LVIS_GROUND.score(item, Reply("", (early, *late)), Scoring()).value < 1


@settings(deadline=None, max_examples=50)
@given(BOXES, st.lists(BOXES, min_size=1, max_size=3))
def test_both_rules_agree_but_for_rounding(one: tuple[int, ...], others: list[tuple[int, ...]]) -> None:
    x, y, wide, high = one
    truth = Referred(tuple((a, b, a + c, b + d) for a, b, c, d in others), 150, 150)
    box = (x, y, x + wide, y + high)
    single = published_overlap(fractions(box, width=150, height=150), truth)
    assert single == pytest.approx(overlap(box, truth), abs=1e-5)


def test_what_is_tiny_on_the_square_is_no_truth_by_published_rules() -> None:
    truth = Referred(((0, 0, 2, 2),), 1000, 1000)
    assert overlap((0, 0, 2, 2), truth) == 1
    assert published_overlap(fractions((0, 0, 2, 2), width=1000, height=1000), truth) == 0


@pytest.mark.parametrize(
    ("rows", "change", "message"),
    [
        ("images", {"id": 2}, r"images\[1\]: image '2' .* second time"),
        ("images", {"id": 9}, r"images\[0\]: image '9' has no annotation"),
        ("images", {"file_name": "../1.jpg"}, "leads out of"),
        ("annotations", {"bbox": [1, 1, 0, 5]}, r"annotations\[0\]: bbox is 0 wide"),
    ],
)
def test_wrong_expressions_are_named(tmp_path: Path, rows: str, change: dict[str, Any], message: str) -> None:
    folder = written(tmp_path, "refcoco_val.json", expressions())
    content = expressions()
    content[rows][0] |= change
    (folder / "refcoco_val.json").write_text(json.dumps(content))
    with pytest.raises(RecordError, match=message):
        REC.read(folder)


def lvis(pictures: int = 2) -> dict[str, Any]:
    host = "http://images.cocodataset.org/val2017"
    images = [
        {"id": n, "file_name": f"{n}.jpg", "coco_url": f"{host}/{n}.jpg", "width": 200, "height": 200}
        for n in range(1, pictures + 1)
    ]
    images[0]["not_exhaustive_category_ids"] = [2]
    categories = [
        {"id": 1, "name": "Coffee_cup", "frequency": "f"},
        {"id": 2, "name": "plate", "frequency": "r"},
    ]
    annotations = [
        {"id": 10 * n + k, "image_id": n, "category_id": k, "bbox": [10, 10, 40 * k, 40], "area": 900 * k}
        for n in range(1, pictures + 1)
        for k in (1, 2)
    ]
    return {"images": images, "categories": categories, "annotations": annotations}


def test_lvis_ground_asks_by_category_and_counts_by_both_protocols(tmp_path: Path) -> None:
    items = LVIS_GROUND.read(written(tmp_path, "lvis_v1_val.json", lvis(1)))
    cup, plate = items
    assert (cup.id, plate.id) == ("1-1", "1-2") and LVIS_GROUND.prompt(
        cup
    ) == "Locate all coffee cup in this image."
    assert cup.truth.exhaustive and not plate.truth.exhaustive
    wrong, right = (100, 100, 140, 140), (10, 10, 50, 50)
    numbers = table(LVIS_GROUND, items, reply(wrong, right), reply((10, 10, 90, 50)))
    # With as many as there are things, the second box comes too late; the program counts it.
    assert numbers["as_many AR"] == 50 and numbers["reference AR@300"] == 100
    assert numbers["as_many ARs"] == 0 and numbers["as_many ARm"] == 100 and numbers["as_many ARl"] is None
    assert numbers["reference APf"] == pytest.approx(50) and numbers["reference APr"] == pytest.approx(100)
    assert numbers["reference APc"] is None
    nothing = table(LVIS_GROUND, items, Reply("none"), reply((10, 10, 90, 50)))
    assert nothing["as_many AR"] == 50 == nothing["reference AR@300"]


def test_at_most_five_pictures_a_category_are_drawn(tmp_path: Path) -> None:
    folder = written(tmp_path, "lvis_v1_val.json", lvis(9))
    items = LVIS_GROUND.read(folder)
    assert len(items) == 2 * MOST_PICTURES and [i.id for i in items] == [
        i.id for i in LVIS_GROUND.read(folder)
    ]
    assert {item.truth.category for item in items} == {1, 2}


def test_the_order_of_questions_means_nothing(tmp_path: Path) -> None:
    items = LVIS_GROUND.read(written(tmp_path, "lvis_v1_val.json", lvis(4)))
    rng = np.random.default_rng(0)
    pairs = [(item.truth, rng.uniform(5, 60, (3, 4)).tolist()) for item in items]
    assert by_protocol(pairs) == by_protocol(pairs[::-1])


@pytest.mark.parametrize(
    ("rows", "change", "message"),
    [
        ("annotations", {"category_id": 7}, r"annotations\[0\]: number 7 is not in 'categories'"),
        ("annotations", {"bbox": [0, 0, -1, 2]}, r"annotations\[0\]: bbox is -1 wide"),
        ("annotations", {"area": "x"}, r"annotations\[0\]: field 'area'"),
        ("categories", {"frequency": "z"}, r"categories\[0\]: field 'frequency'"),
        ("images", {"coco_url": "a/none.jpg", "file_name": "none.jpg"}, "none of its pictures exists"),
    ],
)
def test_wrong_entries_of_lvis_are_named(
    tmp_path: Path, rows: str, change: dict[str, Any], message: str
) -> None:
    folder = written(tmp_path, "lvis_v1_val.json", lvis())
    content = lvis()
    content[rows][0] |= change
    (folder / "lvis_v1_val.json").write_text(json.dumps(content))
    with pytest.raises(RecordError, match=message):
        LVIS_GROUND.read(folder)
