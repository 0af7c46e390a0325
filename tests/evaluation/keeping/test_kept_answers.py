"""Runs that are killed go on: nothing is asked twice, and the report is that of a run that was not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from deixis.cli import main
from deixis.data.sources.pack import read_pack
from deixis.errors import RecordError, UsageError
from deixis.evaluation.keeping.answer_log import AnswerLog
from deixis.evaluation.keeping.in_order import in_order
from tests.evaluation.answering import Truthful
from tests.evaluation.endpoint.fake_endpoint import served
from tests.toy.pack import write_toy_pack


def words(pack: Path, *more: str) -> list[str]:
    return [
        "evaluate",
        "--data",
        str(pack),
        "--split",
        "val",
        "--tasks",
        "grounding,naming",
        "--quiet",
        *more,
    ]


def test_a_local_system_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack = write_toy_pack(tmp_path / "toy", pictures=6)
    answers = tmp_path / "answers.jsonl"

    def load(weights: str) -> Truthful:
        system = Truthful(read_pack(pack, "val"))
        monkeypatch.setattr(system, "fingerprint", lambda: weights, raising=False)
        monkeypatch.setattr("deixis.systems.load", lambda *_, **__: system)
        return system

    whole = load("0123")
    assert main(words(pack, "--answers", str(answers), "--json", str(tmp_path / "1.json"))) == 0
    lines = answers.read_bytes().splitlines(keepends=True)
    assert len(lines) == sum(whole.batches)
    answers.write_bytes(b"".join(lines[:3]) + lines[3][:40])  # killed while it wrote the fourth
    rest = load("0123")
    assert main(words(pack, "--answers", str(answers), "--json", str(tmp_path / "2.json"))) == 0
    assert sum(rest.batches) == len(lines) - 3
    other = load("4567")  # other weights' answers are no answers
    assert main(words(pack, "--answers", str(answers), "--json", str(tmp_path / "3.json"))) == 0
    assert sum(other.batches) == len(lines)
    first, second, third = (json.loads((tmp_path / f"{n}.json").read_text()) for n in (1, 2, 3))
    assert [one.pop("run")["asked_now"] for one in (first, second, third)] == [
        len(lines),
        len(lines) - 3,
        len(lines),
    ]
    assert first == second and first["items"] == third["items"]


def test_kill_nine_and_start_again(tmp_path: Path) -> None:
    """A real process, killed while eight requests are under way."""
    pack = write_toy_pack(tmp_path / "toy", pictures=24)
    answers, report = tmp_path / "answers.jsonl", tmp_path / "report.json"

    def slow(request: dict[str, Any]) -> str:
        time.sleep(0.05)
        return "a dog [100, 100, 500, 500]"

    with served(slow) as server:
        more = ("--model", server.address, "--workers", "4", "--answers", str(answers), "--json", str(report))
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen([sys.executable, "-m", "deixis", *words(pack, *more)], env=environment)
        deadline = time.monotonic() + 60
        while not answers.exists() or answers.read_bytes().count(b"\n") < 10:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(0.3)  # what was under way at the server ends
        kept, asked = answers.read_bytes().count(b"\n"), len(server.requests)
        assert not report.exists() and asked <= kept + 4, "only what was under way is lost"
        assert main(words(pack, *more)) == 0
        content = json.loads(report.read_text())
        total = content["run"]["asked_now"] + kept
        assert len(server.requests) - asked == content["run"]["asked_now"]
        again = [json.dumps(request) for request in server.requests]
        assert len(set(again)) == total and len(again) - total <= 4
        whole = tmp_path / "whole.json"
        assert main(words(pack, "--model", server.address, "--json", str(whole))) == 0
    never_stopped = json.loads(whole.read_text())
    for one in (content, never_stopped):
        one.pop("run")
    assert content == never_stopped


def test_one_run_at_a_time_and_files_of_others(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.jsonl"
    log = AnswerLog(path)
    log.keep({"a": 1, "b": {"text": "é"}})
    with pytest.raises(UsageError, match="another run is writing into"):
        AnswerLog(path)
    del log
    again = AnswerLog(path)
    assert (
        again.find("b") == {"text": "é"} and again.find("c") is None and (again.found, len(again)) == (1, 2)
    )
    del again
    path.write_text('{"asked": "a", "kept": 1}\n{"asked": 3}\n')
    with pytest.raises(RecordError, match=r"a\.jsonl:2: is no kept answer"):
        AnswerLog(path)
    path.write_text("my thesis")
    with pytest.raises(RecordError, match="isn't a file of kept answers"):
        AnswerLog(path)
    assert path.read_text() == "my thesis"


def test_work_is_done_ahead_in_order_and_stops_at_the_first_error() -> None:
    begun = []

    def work(n: int) -> int:
        begun.append(n)
        time.sleep(0.002 * (n % 3))
        if n == 20:
            raise ValueError(n)
        return n

    found = []
    with pytest.raises(ValueError):
        for result in in_order(work, iter(range(1000)), workers=4):
            found.append(result)
    assert found == list(range(20)) and len(begun) < 60
    assert list(in_order(work, range(5), workers=1)) == list(range(5))
