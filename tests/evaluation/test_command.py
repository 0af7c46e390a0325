import argparse
import json
from pathlib import Path

import pytest

from deixis.cli import main
from deixis.cli.commands import evaluate as command
from deixis.data.sources.pack import read_pack
from deixis.errors import RecordError, UsageError
from deixis.evaluation.lmms_eval_results import as_results
from deixis.evaluation.tasks import TASKS
from tests.evaluation.answering import Nowhere, Truthful
from tests.toy.pack import write_toy_pack


@pytest.fixture
def pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_toy_pack(tmp_path / "toy", pictures=6)
    system = Truthful(read_pack(folder, "val"))
    monkeypatch.setattr(system, "fingerprint", lambda: "0123", raising=False)
    monkeypatch.setattr("deixis.systems.load", lambda *_, **__: system)
    return folder


def call(*words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(words))


def written(*words: str) -> int:
    """As from a shell, with its messages on standard error."""
    return main(["evaluate", *words])


def test_report_and_items_are_written(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report, items, lmms = (pack.parent / name for name in ("report.json", "items.jsonl", "lmms.json"))
    arguments = ["--data", str(pack), "--split", "val", "--tasks", "grounding, naming_point", "--limit", "3"]
    files = ["--json", str(report), "--items", str(items), "--lmms-eval", str(lmms)]
    assert written(*arguments, *files) == 0
    content = json.loads(report.read_text(encoding="utf-8"))
    assert json.loads(lmms.read_text(encoding="utf-8")) == as_results(content)
    assert content["protocol"]["data"] == "toy"
    assert content["protocol"]["weights"] == "0123"
    assert {name: task["n"] for name, task in content["tasks"].items()} == {"grounding": 3, "naming_point": 3}
    assert len(items.read_text(encoding="utf-8").splitlines()) == 6
    printed = capsys.readouterr()
    assert "| grounding (phrase grounding)" in printed.out
    assert "### Protocol" in printed.out
    assert "evaluating" in printed.err
    assert printed.err.count("deixis: truthful on cpu in float32\n") == 1


def test_all_tasks_and_learnt_baselines(
    pack: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    report, system = pack.parent / "report.json", Nowhere()
    monkeypatch.setattr(system, "fingerprint", lambda: "0123", raising=False)
    monkeypatch.setattr("deixis.systems.load", lambda *_, **__: system)
    arguments = ["--pack", str(pack), "--split", "val", "--tasks", "all", "--baseline-split", "train"]
    assert written(*arguments, "--json", str(report)) == 0
    content = json.loads(report.read_text(encoding="utf-8"))
    scenes = read_pack(pack, "val")
    assert list(content["tasks"]) == [name for name, task in TASKS.items() if task.items(scenes, 0)]
    assert {"presence", "calibration", "nowhere", "expressions_bare"} < set(content["tasks"])
    assert "box_by_noun" in content["tasks"]["grounding"]["baselines"]
    assert content["tasks"]["nowhere"]["value"] == 0.5
    assert "free finds nothing to ask in this split and is left out" in caplog.text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--tasks", "ground"], "known tasks|Known tasks"),
        (["--seed", "-1"], "--seed is -1"),
        (["--baseline-split", "val"], "the split that is measured"),
        (["--json", "no/such/folder/report.json"], "make it first"),
    ],
)
def test_mistakes_show_before_anything_is_asked(pack: Path, words: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        call("--pack", str(pack), "--split", "val", *words)


def test_an_unknown_split_is_answered_with_the_known_ones(pack: Path) -> None:
    with pytest.raises(RecordError, match="train, val"):
        call("--pack", str(pack), "--split", "test")


def test_the_names_of_before_go_on_working(pack: Path) -> None:
    old, new = pack.parent / "old.json", pack.parent / "new.json"
    words = ["--split", "val", "--tasks", "naming", "--limit", "2"]
    assert call("--pack", str(pack), "--control", "none", *words, "--json", str(old)) == 0
    assert call("--data", str(pack), "--ablation", "none", *words, "--json", str(new)) == 0
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in (old, new)]
    assert all(report.pop("run")["seconds"] > 0 for report in reports)
    assert json.dumps(reports[0]) == json.dumps(reports[1])
    content = reports[1]["protocol"]
    assert content["control"] == content["ablation"] == "none"
    assert content["title"] == {"naming": "region classification"}


def test_the_names_of_before_are_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["evaluate"], ["gallery"], ["study", "resolution"], ["study", "alignment"]):
        with pytest.raises(SystemExit):
            main([*words, "--help"])
        told = capsys.readouterr().out
        assert "--pack" not in told and "--control" not in told and "--outside" in told


def test_default_tasks_are_those_that_find_something(
    pack: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    (pack / "val_expressions.jsonl").write_text("", encoding="utf-8")
    words = ["--data", str(pack), "--split", "val", "--limit", "2"]
    assert written(*words) == 0
    printed = capsys.readouterr()
    assert "| grounding" in printed.out and "| expressions" not in printed.out
    assert "expressions finds nothing to ask in this split and is left out; it needs expr" in caplog.text
    assert written(*words, "--tasks", "expressions") == 2
    assert "finds nothing to ask in split 'val' of 2 pictures: it needs expr" in capsys.readouterr().err


def test_quiet_means_quiet(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert written("--data", str(pack), "--split", "val", "--limit", "1", "--tasks", "naming", "--quiet") == 0
    printed = capsys.readouterr()
    assert "| naming" in printed.out and printed.err == ""
