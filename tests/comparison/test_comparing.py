"""Reports side by side: other cards are refused, differences are paired, the page shows where they differ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.cli import main
from deixis.comparison.page import shown
from deixis.comparison.paired import Difference, differences
from deixis.comparison.saved_report import read_report
from deixis.data.sources.pack import read_pack
from deixis.evaluation.evaluating import evaluate
from deixis.evaluation.tasks import find_tasks
from tests.evaluation.answering import Nowhere, Truthful
from tests.toy.pack import write_toy_pack

TASKS = ["grounding", "naming"]


@pytest.fixture
def reports(tmp_path: Path) -> tuple[Path, Path]:
    """Of a system that knows everything but cannot always be parsed, and of one that knows nothing."""
    pack = write_toy_pack(tmp_path / "toy", pictures=12)
    scenes = read_pack(pack, "val")
    for name, system in (("a", Truthful(scenes, garbled=frozenset((1, 2)))), ("b", Nowhere())):
        report = evaluate(system, scenes, find_tasks(TASKS), data="toy", split="val", data_path=pack)
        (tmp_path / f"{name}.json").write_text(report.to_json(), encoding="utf-8")
    return tmp_path / "a.json", tmp_path / "b.json"


def test_differences_are_those_of_the_reports_and_paired(reports: tuple[Path, Path]) -> None:
    first, second = (read_report(path) for path in reports)
    found = {one.name: one for one in differences(first, second)}
    assert list(found) == ["grounding", "grounding: merged", "grounding: no_place", "naming"]
    for name, task in (("grounding", "grounding"), ("naming", "naming")):
        value = first.content["tasks"][task]["value"]
        assert (
            found[name].first == value
            and found[name].second == 0
            and found[name].n == first.content["tasks"][task]["n"]
        )
        assert found[name].low <= -value <= found[name].high < 0
        assert found[name].verdict == "A is higher"
    same = differences(first, first)
    assert all(one.low == one.high == one.difference == 0 for one in same)
    assert {one.verdict for one in same} == {"no difference shown"}


def test_pairing_makes_intervals_smaller(reports: tuple[Path, Path]) -> None:
    """Systems that are right on the same pictures differ for sure, though each of them is uncertain."""
    first = read_report(reports[0])
    rng = np.random.default_rng(0)
    content = json.loads(reports[0].read_text())
    content["tasks"] = {"naming": content["tasks"]["naming"]}
    rows = [item for item in content["items"] if item["task"] == "naming"]
    for path, lack in ((reports[0], 0.0), (reports[1], 0.25)):
        own = np.random.default_rng(1)
        content["items"] = [
            {
                **rows[0],
                "question": f"{n}",
                "picture": f"{n}",
                "numbers": {"right": float(own.random() > 0.5 + lack)},
            }
            for n in range(200)
        ]
        path.write_text(json.dumps(content))
    (paired,) = differences(*(read_report(path) for path in reports))
    shuffled = json.loads(reports[1].read_text())
    order = rng.permutation(200)
    numbers = [item["numbers"] for item in shuffled["items"]]
    for item, index in zip(shuffled["items"], order, strict=True):
        item["numbers"] = numbers[index]
    reports[1].write_text(json.dumps(shuffled))
    (unpaired,) = differences(*(read_report(path) for path in reports))
    assert paired.difference == unpaired.difference
    assert paired.high - paired.low < 0.8 * (unpaired.high - unpaired.low)
    assert first.benchmark is None


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("seed", 1),
        ("limit", 5),
        ("ablation", "grey"),
        ("split", "test"),
        ("prompt", {"grounding": "find it"}),
    ],
)
def test_other_cards_are_refused_by_name(
    reports: tuple[Path, Path], capsys: pytest.CaptureFixture[str], line: str, value: Any
) -> None:
    content = json.loads(reports[1].read_text())
    content["protocol"][line] = value
    reports[1].write_text(json.dumps(content))
    words = ["compare", *map(str, reports)]
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "not of the same protocol" in said and f"\n  {line}:\n" in said and "system:" not in said
    assert main([*words, "--despite", line]) == 0
    assert f"may differ: {line}" in capsys.readouterr().out
    assert main([*words, "--despite", "sede"]) == 2
    assert "no card has a line 'sede'" in capsys.readouterr().err


def test_the_page(reports: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "page"
    words = [
        "compare",
        *map(str, reports),
        "--out",
        str(out),
        "--most",
        "8",
        "--json",
        str(tmp_path / "d.json"),
    ]
    assert main(words) == 0
    assert "| naming | " in capsys.readouterr().out
    page = (out / "index.html").read_text(encoding="utf-8")
    assert page.count("<article") == 8 and page.count("<img") == 8 and len(list(out.glob("item-*.jpg"))) == 8
    assert "truthful" in page and "fake" in page and "No pictures" not in page and "<script" not in page
    assert json.loads((tmp_path / "d.json").read_text())["differences"][0]["name"] == "grounding"
    assert main(words) == 0, "a page that is there is made anew"
    (tmp_path / "toy").rename(tmp_path / "elsewhere")
    capsys.readouterr()
    assert main(words) == 0
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "No pictures" in page and "<img" not in page and not list(out.glob("item-*.jpg"))
    assert main([*words, "--data", str(tmp_path / "elsewhere")]) == 0
    assert len(list(out.glob("item-*.jpg"))) == 8
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("words")
    assert main(["compare", *map(str, reports), "--out", str(tmp_path / "mine")]) == 2


def test_files_that_are_no_reports(reports: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    other = reports[0].with_name("c.json")
    for content, said in (
        ("{}", "is no report"),
        ('{"protocol": {"system": "a"}, "tasks": {}}', "has no items"),
        ('{"protocol": {"system": "a"}, "tasks": {}, "items": [{"task": 3}]}', "field 'task'"),
    ):
        other.write_text(content)
        assert main(["compare", str(reports[0]), str(other)]) == 2
        assert said in capsys.readouterr().err
    shorter = json.loads(reports[1].read_text())
    shorter["items"] = shorter["items"][1:]
    other.write_text(json.dumps(shorter))
    assert main(["compare", str(reports[0]), str(other)]) == 2
    assert "not of the same questions" in capsys.readouterr().err


def test_rounding_is_no_difference() -> None:
    one = Difference("mean_score", 0.742, 0.742 - 1e-9, -2e-9, -1e-10, 10)
    assert one.verdict == "no difference shown" and shown(one.difference, one, sign=True) == "+0.0"
    assert Difference("mean_score", 0.7, 0.6, -0.2, -0.01, 10).verdict == "A is higher"
    assert Difference("score", 70.0, 71.0, 0.5, 1.5, 10, most=100.0).verdict == "B is higher"
