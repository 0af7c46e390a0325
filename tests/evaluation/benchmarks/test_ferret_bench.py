from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import RecordError, UsageError
from deixis.evaluation.benchmarks.ferret_bench import (
    BenchRecord,
    JudgeRule,
    bench_question,
    read_ferret_bench,
    read_rules,
    shown_to_judge,
)
from deixis.regions import Frame

REAL = Path(__file__).parents[3] / "shared" / "data" / "ferret_bench"


def written(folder: Path, **changes: list[dict[str, Any]]) -> Path:
    task = folder / "ground_conv"
    task.mkdir()
    row = {"question_id": 2, "image": "7.jpg", "category": "ground_conv", "text": "Where?"}
    files = {
        "question": [row],
        "context": [{**row, "text": "Objects:"}],
        "answer": [{"question_id": 5, "text": "other"}, {"question_id": 2, "text": "There."}],
    }
    for name, rows in {**files, **changes}.items():
        (task / f"{name}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    return folder


def test_records_are_paired_by_id(tmp_path: Path) -> None:
    (record,) = read_ferret_bench(written(tmp_path), tasks=["ground_conv"])
    assert record == BenchRecord(2, "7.jpg", "ground_conv", "Where?", "Objects:", "There.")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"answer": []}, "question_id 2 has no line in every other file"),
        (
            {"context": [{"question_id": 2, "image": "8.jpg", "text": ""}]},
            "image is '8.jpg', that of question 2",
        ),
        ({"answer": [{"question_id": 2, "text": "a"}] * 2}, "question_id 2 stands in"),
        ({"answer": [{"question_id": 2}]}, "'text' is missing"),
    ],
)
def test_files_that_do_not_belong_together(tmp_path: Path, changes: Any, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        read_ferret_bench(written(tmp_path, **changes), tasks=["ground_conv"])


def test_rules(tmp_path: Path) -> None:
    path = tmp_path / "rule.json"
    path.write_text('{"ground_conv": {"role": "Assistant", "prompt": "Rate."}}')
    assert read_rules(path) == {"ground_conv": JudgeRule("Assistant", "Rate.")}
    path.write_text('{"ground_conv": "Rate."}')
    with pytest.raises(RecordError, match="expected role and prompt"):
        read_rules(path)


def test_boxes_of_a_question_become_regions() -> None:
    asked = bench_question(
        "Why is [0.25, 0.5, 1.0, 1] near [.1,.1,.2,.2], not [sic] [1, 2]?", width=40, height=20
    )
    assert asked.text == "Why is {box0} near {box1}, not [sic] [1, 2]?"
    regions = asked.regions(Frame.original(40, 20))
    assert regions["box0"].bounds().as_tuple() == (10, 10, 40, 20)
    assert asked.written(region_token=None).startswith(
        "Why is [250, 500, 1000, 1000] near [100, 100, 200, 200],"
    )
    assert asked.pointings[0].pixels(width=40, height=20).count == 30 * 10


@pytest.mark.parametrize(
    ("answer", "category", "published", "corrected"),
    [
        ("The object [1, 2, 3, 4] is a cup.", "refer_desc", "The object is a cup.", "The object is a cup."),
        ("cup[1, 2, 3, 4] x", "refer_reason", "cup[1, 2, 3, 4] x", "cup x"),
        ("it [sic] is", "refer_reason", "it is", "it [sic] is"),
        (
            "man [201, 2, 940, 758].",
            "ground_conv",
            "man [0.201, 0.002, 0.940, 0.758].",
            "man [0.201, 0.002, 0.940, 0.758].",
        ),
        ("plain", "ground_conv", "plain", "plain"),
    ],
)
def test_answers_for_the_judge(answer: str, category: str, published: str, corrected: str) -> None:
    assert shown_to_judge(answer, category, protocol="published").text == published
    assert shown_to_judge(answer, category).text == corrected


@pytest.mark.parametrize(
    ("answer", "fault"),
    [("man [1, 2, 3] x", IndexError), ("man [a] x", ValueError), ("man [900, 1, 2, 3] x", None)],
)
def test_a_malformed_box_stays_and_is_counted(answer: str, fault: type[Exception] | None) -> None:
    shown = shown_to_judge(answer, "ground_conv")
    assert (shown.text, shown.malformed) == (answer, 1)
    if fault is not None:
        with pytest.raises(fault):
            shown_to_judge(answer, "ground_conv", protocol="published")


def test_an_unknown_category_is_refused() -> None:
    with pytest.raises(UsageError, match="'refer'; expected one of refer_desc"):
        shown_to_judge("a", "refer")


@pytest.mark.skipif(not REAL.is_dir(), reason="the benchmark is not beside the checkout")
def test_the_real_questions() -> None:
    records, rules = read_ferret_bench(REAL), read_rules(REAL / "rule.json")
    assert len(records) == 120
    for record in records:
        assert record.category in rules
        asked = bench_question(record.question, width=640, height=480)
        boxes = len(asked.pointings)
        assert boxes == 0 if record.category == "ground_conv" else 1 <= boxes <= 2
        assert all(one.pixels(width=640, height=480).count > 0 for one in asked.pointings)
        assert "0." not in asked.text
