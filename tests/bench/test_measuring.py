"""The bench harness on sides made up for the purpose."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import psutil
import pytest

from bench import measuring
from bench.__main__ import main
from bench.benchmark import Benchmark, Goal, Side, Summary, difference, reached, summarise
from bench.machine import busy_warning
from bench.measuring import SideFailed, measure, run_side
from bench.report import as_json, as_text

QUICK = Side("quick", "tests.bench.fake_sides:quick")
SLOW = Side("slow", "tests.bench.fake_sides:slow")
WRONG = Side("wrong", "tests.bench.fake_sides:wrong")


def fake(*sides: Side, tolerance: float = 1e-6, goals: tuple[Goal, ...] = ()) -> Benchmark:
    return Benchmark(
        "fake", "sums of numbers", sides, given={"numbers": [1, 2, 3]}, tolerance=tolerance, goals=goals
    )


@pytest.fixture(autouse=True)
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine counts as idle, whatever else runs on it."""
    monkeypatch.setattr(measuring, "busy_warning", lambda: None)


def test_sides_that_agree_get_their_times() -> None:
    goal = Goal("quick over slow", side="quick", over="slow", at_most=0.9)
    measured = measure(fake(QUICK, SLOW, goals=(goal,)), repeats=3)
    assert measured.fault is None
    quick, slow = measured.summaries["quick"], measured.summaries["slow"]
    assert quick.low <= quick.seconds <= quick.high
    assert quick.seconds < 0.03 <= slow.seconds
    assert quick.repeats == slow.repeats == 4  # two rounds of two
    assert quick.items_per_second == pytest.approx(3 / quick.seconds)
    text = as_text(measured)
    assert "OMP threads 1" in text
    assert "goal: quick over slow" in text
    assert "reached" in text
    (told,) = as_json(measured)["goals"]
    assert told["reached"] == pytest.approx(quick.seconds / slow.seconds)


@pytest.mark.parametrize(("side", "tolerance"), [(WRONG, 1e-6), (SLOW, 0.0)])
def test_no_time_is_told_when_sides_compute_different_things(side: Side, tolerance: float) -> None:
    measured = measure(fake(QUICK, side, tolerance=tolerance), repeats=1)
    assert not measured.summaries
    assert measured.fault is not None
    assert "computed different things: values: sum" in measured.fault
    assert "repeats" not in as_text(measured)
    assert as_json(measured)["sides"] == {}


def test_only_sides_of_the_same_input_are_compared() -> None:
    few, many = {"numbers": [1, 2]}, {"numbers": [1, 2, 3, 4]}
    sides = [
        Side(f"{name} {len(given['numbers'])}", f"tests.bench.fake_sides:{name}", given=given)
        for given in (few, many)
        for name in ("quick", "slow")
    ]
    measured = measure(fake(*sides), repeats=1)
    assert measured.fault is None
    lines = as_text(measured).splitlines()[1:]
    assert ["x the first" in line for line in lines] == [False, True, False, True]
    wrong = Side("wrong", "tests.bench.fake_sides:wrong", given=many)
    fault = measure(fake(*sides, wrong), repeats=1).fault
    assert fault is not None
    assert "'quick 4' and 'wrong' computed different things" in fault


def test_one_run_gives_the_times_of_its_parts() -> None:
    parts = ("sum", "pause")
    sides = [Side(name, "tests.bench.fake_sides:in_parts", parts=parts) for name in ("one", "other")]
    goal = Goal("pause over sum", "other, pause", 10.0, over="other, sum")
    measured = measure(fake(*sides, goals=(goal,)), repeats=2)
    assert list(measured.summaries) == ["one, sum", "one, pause", "other, sum", "other, pause"]
    assert measured.summaries["one, pause"].seconds == 0.5
    assert measured.summaries["one, pause"].items_per_second == 4.0
    assert reached(goal, measured.summaries) == 2.0
    lines = as_text(measured).splitlines()[1:]
    assert ["x the first" in line for line in lines] == [False, False, True, True, False]


def test_every_run_has_a_process_of_its_own_with_its_threads() -> None:
    given = {"repeats": 1}
    side = Side("here", "tests.bench.fake_sides:surroundings", threads=3)
    first, second = run_side(side, given), run_side(side, given)
    assert first["process"] != second["process"]
    assert first["threads"] == second["threads"] == "3"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can forget an earlier peak")
def test_peak_is_counted_above_loaded_weights() -> None:
    told = run_side(Side("hungry", "tests.bench.fake_sides:hungry"), {"repeats": 1})
    assert 70e6 < told["peak_above_loaded_bytes"] < 110e6
    assert told["peak_bytes"] > told["peak_above_loaded_bytes"] + 35e6


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("silent", "nothing could be compared"),
        ("short", "expected 2 times"),
        ("broken", "the weights are not here"),
        ("missing", "has no attribute 'missing'"),
    ],
)
def test_side_that_breaks_the_rules_fails_with_the_reason(function: str, said: str) -> None:
    with pytest.raises(SideFailed, match=said):
        run_side(Side("odd", f"tests.bench.fake_sides:{function}"), {"repeats": 2})


def test_side_that_times_other_parts_fails() -> None:
    side = Side("odd", "tests.bench.fake_sides:in_parts", parts=("sum", "sleep"))
    with pytest.raises(SideFailed, match="expected 1 times of sum, sleep"):
        run_side(side, {"numbers": [1], "repeats": 1})


def test_busy_machine_is_told_with_the_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "busy_warning", lambda: "the machine is busy: 90%")
    measured = measure(fake(QUICK), repeats=1)
    assert "warning: the machine is busy: 90%" in as_text(measured)
    assert as_json(measured)["warning"] == "the machine is busy: 90%"


def test_busy_cores_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "cpu_percent", lambda interval: 80.0)
    warning = busy_warning(watch=0.0)
    assert warning is not None
    assert "80% of its cores" in warning
    monkeypatch.setattr(psutil, "cpu_percent", lambda interval: 3.0)
    assert busy_warning(watch=0.0) is None


def test_command_prints_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = {"fake": fake(QUICK, SLOW), "other": fake(QUICK, WRONG)}
    file = tmp_path / "numbers.json"
    assert main(["fake", "--repeats", "1", "--json", str(file)], benchmarks=table) == 0
    assert "fake: sums of numbers" in capsys.readouterr().out
    told = json.loads(file.read_text())
    assert told["machine"]["cores"] >= 1
    assert set(told["benchmarks"]) == {"fake"}
    assert told["benchmarks"]["fake"]["sides"]["slow"]["seconds"] >= 0.03
    assert main(["--repeats", "1"], benchmarks=table) == 1  # one of all gives no times


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "no benchmark is called 'nothing'; there are: fake"),
        (["fake", "--repeats", "0"], "--repeats is 0; expected at least 1"),
    ],
)
def test_command_refuses_what_is_not_there(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments, benchmarks={"fake": fake(QUICK)})
    assert stop.value.code == 2
    assert said in capsys.readouterr().err


def test_summary_has_quartiles_and_the_largest_peak() -> None:
    runs = [{"seconds": [1.0, 2.0, 3.0], "peak_bytes": 5}, {"seconds": [4.0, 5.0], "peak_bytes": 7}]
    summary = summarise(runs, threads=2)
    assert (summary.low, summary.seconds, summary.high) == (2.0, 3.0, 4.0)
    assert summary.peak_bytes == 7
    assert summary.peak_above_loaded_bytes is None


@pytest.mark.parametrize(
    ("first", "second", "where"),
    [
        ({"a": [1, 2.0]}, {"a": [1, 2.0]}, None),
        ({"a": 1}, {"a": 1, "b": 2}, "{'a': 1} and"),
        ([1, 2], [1, 3], "1: 2 and 3"),
        ("x", "y", "'x' and 'y'"),
        (float("nan"), 1.0, "nan and 1.0"),
    ],
)
def test_difference_names_the_place(first: object, second: object, where: str | None) -> None:
    found = difference(first, second, tolerance=1e-6)
    assert found is None if where is None else found is not None and found.startswith(where)


def test_goal_that_was_not_measured_is_none() -> None:
    summary = Summary(1.0, 1.0, 1.0, repeats=1, threads=1)
    goal = Goal("memory", side="only", at_most=1.0, measure="peak_bytes")
    assert reached(goal, {"only": summary}) is None


def test_the_real_table_names_functions_that_are_there() -> None:
    from importlib import import_module

    from bench.table import BENCHMARKS

    assert {"ask", "training", "soft_mask"} <= set(BENCHMARKS)
    for benchmark in BENCHMARKS.values():
        names = {name for side in benchmark.sides for name in side.timed}
        assert len(names) == sum(len(side.timed) for side in benchmark.sides)
        for side in benchmark.sides:
            module, _, function = side.function.partition(":")
            assert callable(getattr(import_module(module), function))
        assert all({goal.side, goal.over} - {None} <= names for goal in benchmark.goals)
