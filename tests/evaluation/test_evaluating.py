import json
from dataclasses import replace
from pathlib import Path

import pytest

from deixis.data.scene import Scene
from deixis.data.sources.pack import read_pack
from deixis.errors import RecordError, UsageError
from deixis.evaluation.evaluating import evaluate
from deixis.evaluation.report import Report
from deixis.evaluation.runner import LARGEST_BATCH, Answerer, picture_of
from deixis.evaluation.tasks import TASKS, find_tasks
from tests.evaluation.answering import PLACES_AND_NAMES, Fake, Nowhere, Truthful
from tests.toy.pack import write_toy_pack


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Scene]:
    return read_pack(write_toy_pack(tmp_path_factory.mktemp("toy"), pictures=15, shards=True), "val")


def measured(system: Answerer, scenes: list[Scene], *names: str, limit: int | None = None) -> Report:
    return evaluate(
        system, scenes, find_tasks(names or PLACES_AND_NAMES), data="toy", split="val", limit=limit
    )


def test_truth_earns_everything(scenes: list[Scene]) -> None:
    report = measured(Truthful(scenes), scenes)
    assert {name: result.value for name, result in report.tasks.items()} == dict.fromkeys(
        PLACES_AND_NAMES, 1.0
    )
    grounding = report.tasks["grounding"]
    assert grounding.parse_failures == 0
    assert grounding.others["no_place"] == 0
    assert 0 < grounding.others["merged"] < 1  # one of two circles is not the box around both
    assert grounding.ci95[0] < 1.0 == grounding.ci95[1]


def test_nowhere_is_a_miss(scenes: list[Scene]) -> None:
    report = measured(Nowhere(), scenes)
    assert {name: result.value for name, result in report.tasks.items()} == dict.fromkeys(
        PLACES_AND_NAMES, 0.0
    )
    assert report.tasks["grounding"].others == {"merged": 0.0, "no_place": 1.0}
    assert all(result.parse_failures == 0 for result in report.tasks.values())


@pytest.mark.parametrize("name", ["grounding", "naming"])
def test_parse_failures_are_misses_and_counted_apart(scenes: list[Scene], name: str) -> None:
    result = measured(Truthful(scenes, garbled=frozenset({0, 2, 5})), scenes, name).tasks[name]
    assert result.parse_failures == 3
    assert result.value == pytest.approx(1 - 3 / result.n)
    assert result.ci95[0] < result.value < result.ci95[1]


def test_a_limit_draws_the_same_items_for_the_same_seed(scenes: list[Scene]) -> None:
    few, more = (measured(Truthful(scenes), scenes, "grounding", "naming", limit=n) for n in (4, 7))
    assert [result.n for result in few.tasks.values()] == [4, 4]
    assert {asked.item for asked in few.asked} < {asked.item for asked in more.asked}
    assert few.to_dict()["protocol"]["limit"] == 4
    first = [item.question for item in TASKS["grounding"].items(scenes, 0)[:4]]
    assert sorted(asked.item.question for asked in few.asked if asked.task == "grounding") != sorted(first)


def test_a_limit_above_the_number_of_items_takes_all(scenes: list[Scene]) -> None:
    assert measured(Nowhere(), scenes, "naming", limit=10**6).tasks["naming"].n == len(
        TASKS["naming"].items(scenes, 0)
    )


@pytest.mark.parametrize("limit", [0, -3])
def test_a_limit_is_positive(scenes: list[Scene], limit: int) -> None:
    with pytest.raises(UsageError, match=f"limit is {limit}; expected a whole number from 1"):
        measured(Nowhere(), scenes, limit=limit)


def test_all_questions_of_a_picture_are_asked_together_and_none_twice(scenes: list[Scene]) -> None:
    system = Truthful(scenes)
    report = measured(system, scenes)
    different = {(asked.item.picture, asked.item.question, asked.item.regions) for asked in report.asked}
    assert len(system.batches) == len(scenes) == report.protocol.pictures
    assert sum(system.batches) == len(different) < len(report.asked)


def test_many_questions_come_in_several_batches(scenes: list[Scene]) -> None:
    grounding = TASKS["grounding"]
    base = grounding.items(scenes[:1], 0)[0]
    many = replace(
        grounding, items=lambda _, seed: [replace(base, question=f"where is {i}?") for i in range(150)]
    )
    system = Nowhere()
    evaluate(system, scenes, [many], data="toy", split="val")
    assert system.batches == [LARGEST_BATCH, LARGEST_BATCH, 22]


def test_a_task_without_items_is_an_error(scenes: list[Scene]) -> None:
    bare = [replace(scene, expressions=()) for scene in scenes]
    with pytest.raises(UsageError, match="'expressions' finds nothing to ask in split 'val'"):
        measured(Nowhere(), bare, "expressions")


def test_a_picture_of_another_size_is_an_error(scenes: list[Scene]) -> None:
    with pytest.raises(RecordError, match="boxes do not fit"):
        picture_of(replace(scenes[0], width=scenes[0].width + 1))


def test_the_report_has_its_documented_form(scenes: list[Scene]) -> None:
    report = json.loads(measured(Truthful(scenes), scenes, "grounding", "naming_point").to_json())
    assert list(report) == ["protocol", "run", "tasks", "items"]
    assert {"data", "split", "prompt", "frame", "rounding", "seed", "system", "limit"} <= set(
        report["protocol"]
    )
    assert report["protocol"]["prompt"]["naming_point"] == "what is {it}?"
    assert list(report["tasks"]) == ["grounding", "naming_point"]
    for task in report["tasks"].values():
        assert list(task)[:5] == ["value", "n", "ci95", "parse_failures", "baselines"]
        assert 0 <= task["ci95"][0] <= task["value"] <= task["ci95"][1] <= 1
        assert task["baselines"]
    assert set(report["tasks"]["grounding"]["baselines"]) == {"fixed_box", "fixed_box_merged"}


def test_two_runs_write_the_same_report(scenes: list[Scene]) -> None:
    first, second = (
        json.loads(measured(Truthful(scenes, garbled=frozenset({1})), scenes).to_json()) for _ in range(2)
    )
    assert first.pop("run").keys() == second.pop("run").keys()  # seconds, which differ
    assert first == second


def test_the_table_and_the_card_are_printed(scenes: list[Scene]) -> None:
    lines = measured(Truthful(scenes), scenes, "grounding").to_markdown().splitlines()
    assert lines[0].startswith("| task")
    assert "100.0 %" in lines[2]
    assert len({len(line) for line in lines[:3]}) == 1
    further = lines.index("") + 1
    assert [cell.strip() for cell in lines[further].split("|")[1:3]] == ["task", "further number"]
    name, value = (cell.strip() for cell in lines[further + 2].split("|")[2:4])
    assert name == "merged" and value.endswith(" %")
    assert "### Protocol" in lines
    assert "- **split**: val" in lines


def test_items_are_saved_with_their_answers(scenes: list[Scene], tmp_path: Path) -> None:
    report = measured(Truthful(scenes), scenes)
    report.save_items(tmp_path / "items.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "items.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == len(report.asked)
    named = {row["task"]: row for row in rows}
    assert set(named["naming_point"]["regions"]["it"]) == {"point"}
    assert set(named["naming_scribble"]["regions"]["it"]) == {"scribble"}
    assert len(named["expressions"]["truth"]) == 4
    assert all(len(box) == 4 for box in named["grounding"]["truth"])
    assert all(isinstance(noun, str) for noun in named["naming"]["truth"])
    assert named["naming"]["numbers"] == {"right": 1.0}


def test_a_broken_system_is_not_scored(scenes: list[Scene]) -> None:
    class Forgetful(Fake):
        def ask(self, *_: object, **__: object) -> list[object]:  # type: ignore[override]
            return []

    with pytest.raises(ValueError, match="zip"):
        measured(Forgetful(), scenes, "naming")
