"""`deixis evaluate --benchmark` and `--list-benchmarks`, as from a shell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deixis.cli import main
from deixis.evaluation.benchmark_table import BENCHMARKS
from tests.evaluation.benchmarks.published.small_files import WRITERS
from tests.evaluation.benchmarks.published.test_asking import Counting


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> Counting:
    own = Counting()
    for name, value in (("device", "cpu"), ("dtype", "torch.float32")):
        monkeypatch.setattr(own, name, value, raising=False)
    monkeypatch.setattr("deixis.systems.load", lambda *_, **__: own)
    return own


def folder_of(name: str, folder: Path) -> Path:
    WRITERS[name](folder / name)
    return folder / name


def evaluate(name: str, data: Path, *words: str) -> int:
    return main(["evaluate", "--benchmark", name, "--data", str(data), *words])


def test_the_table_of_benchmarks_needs_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", "--list-benchmarks"])
    printed = capsys.readouterr().out
    assert ended.value.code == 0
    assert all(f"\n{name}: " in f"\n{printed}" for name in BENCHMARKS)
    assert "mm_vet: MM-Vet (needs a judge)" in printed


def test_a_run_prints_and_writes_and_goes_on(
    tmp_path: Path, system: Counting, capsys: pytest.CaptureFixture[str]
) -> None:
    data, answers = folder_of("pope", tmp_path), tmp_path / "answers.jsonl"
    words = (
        "--answers",
        str(answers),
        "--json",
        str(tmp_path / "r.json"),
        "--items",
        str(tmp_path / "i.jsonl"),
        "--lmms-eval",
        str(tmp_path / "lmms.json"),
    )
    assert evaluate("pope", data, *words) == 0
    printed = capsys.readouterr()
    assert "| f1 | 66.7 | " in printed.out and " | 100 | 4 | 0 | 0 | 0 |" in printed.out
    assert "### Protocol" in printed.out
    assert "4 questions in" in printed.out
    content = json.loads((tmp_path / "r.json").read_text())
    lmms = json.loads((tmp_path / "lmms.json").read_text())
    assert lmms["results"]["pope"]["value,none"] == pytest.approx(200 / 3)
    assert content["protocol"]["weights"] == "f00d" and content["protocol"]["rules"] == "corrected"
    assert len((tmp_path / "i.jsonl").read_text().splitlines()) == 4 == len(system.asked)
    assert evaluate("pope", data, *words, "--rules", "published") == 0
    assert len(system.asked) == 4, "kept answers were asked for again"


def test_without_a_file_for_answers_none_is_left(tmp_path: Path, system: Counting) -> None:
    data = folder_of("gqa", tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert evaluate("gqa", data) == 0 and sorted(tmp_path.rglob("*")) == before


def test_pictures_that_are_too_large_are_told(
    tmp_path: Path, system: Counting, capsys: pytest.CaptureFixture[str]
) -> None:
    data = folder_of("gqa", tmp_path)
    assert evaluate("gqa", data, "--max-pixels", "50") == 3
    assert "n1.jpg" in capsys.readouterr().err and not system.asked


def test_a_limit_keeps_together_what_is_scored_together(tmp_path: Path, system: Counting) -> None:
    data = folder_of("mmvp", tmp_path)
    assert evaluate("mmvp", data, "--limit", "1") == 0
    assert len(system.asked) == 2


def test_a_benchmark_that_needs_a_judge_says_so(
    tmp_path: Path, system: Counting, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate("mm_vet", folder_of("mm_vet", tmp_path)) == 0
    printed = capsys.readouterr()
    assert (
        "MM-Vet needs a judge" in printed.err and "| all | undefined | | 100 | 0 | 0 | 0 | 2 |" in printed.out
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--tasks", "naming"], "--tasks is for tasks on a dataset"),
        (["--split", "val"], "--split is for benchmarks whose folders have several"),
        (["--broken", "pass_over"], "--broken is for tasks on a dataset"),
        (["--ablation", "grey"], "--ablation is for tasks on a dataset"),
        (["--rules", "published"], "benchmark 'gqa' has no rules 'published'"),
        (["--judge", "http://127.0.0.1:9/v1"], "GQA (testdev balanced) needs no judge"),
        (["--limit", "0"], "--limit is 0"),
        (["--json", "{data}/images/n1.jpg"], "is a file of the benchmark"),
        (["--json", "a.json", "--answers", "a.json"], "--json, --answers name one file"),
        (["--answers", "{data}/answers.jsonl"], "lies among the benchmark's files"),
        (["--answers", "{data}/.."], "is a folder"),
    ],
)
def test_wrong_use_is_told_before_anything_is_asked(
    tmp_path: Path, system: Counting, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    data = folder_of("gqa", tmp_path)
    code = evaluate("gqa", data, *(word.replace("{data}", str(data)) for word in words))
    assert code == 2 and said in capsys.readouterr().err and not system.asked


def test_names_and_files_that_are_not_there(
    tmp_path: Path, system: Counting, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate("gqaa", tmp_path) == 2
    assert "Did you mean 'gqa'" in capsys.readouterr().err
    assert evaluate("gqa", tmp_path) == 2
    assert "expected testdev_balanced_questions.json" in capsys.readouterr().err
    assert main(["evaluate", "--data", str(tmp_path)]) == 2
    assert "--split is missing" in capsys.readouterr().err
