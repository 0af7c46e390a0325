"""`deixis teach` from the shell: samples, rejects, a card; killed at any moment, it goes on."""

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
from deixis.data.grit.records import read_grit
from deixis.data.groma.records import PassedOver, read_instruct
from deixis.data.painted.records import read_region_records
from deixis.data.teacher.kinds import NAMES, find_kind
from tests.data.teacher.school import School, coco, good, said, school
from tests.endpoints.test_endpoint import Said

KEY = "sk-very-secret"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("TEACHER_KEY", KEY)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def words(folder: Path, running: School, *further: str, kind: str = "region") -> list[str]:
    return [
        *("teach", kind, "--data", str(folder / "data"), "--split", "train"),
        *("--out", str(folder / "made.json"), "--endpoint", running.address, "--model", "m"),
        *("--key-variable", "TEACHER_KEY", *further),
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    coco(tmp_path / "data", 4)
    return tmp_path


@pytest.mark.parametrize("kind", NAMES)
def test_samples_that_training_reads(folder: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    coco(folder / "data", 4, plates=kind == "grounded")
    with school(good) as running:
        code = main(
            words(folder, running, "--limit", "3", "--prices", "2.5,10", "--budget", "1USD", kind=kind)
        )
    assert code == 0 and len(running.requests) == 3
    out, err = capsys.readouterr()
    assert "made.json" in out and "3 replies, 3 of them new; 3,300 tokens, 0.01 USD in all" in out
    assert "asking the teacher" in err and "3,300 tokens, 0.01 USD" in err
    if find_kind(kind).file == "regions":
        records = read_region_records(folder / "made.json", root=folder / "data")
        assert len(records) == 3 and (folder / "data" / records[0].image).is_file()
        assert kind == "pair" or all(record.things[0].polygons for record in records)
    elif find_kind(kind).file == "groma":
        instructed = read_instruct(folder / "made.json", PassedOver())
        assert [len(record.notes) for record in instructed] == [3, 3, 3]
    else:
        assert len(read_grit(folder / "made.json")) == {"conversation": 3, "negatives": 12}[kind]
    card = json.loads((folder / "made.card.json").read_text())
    assert card["kind"] == kind and "CC BY 4.0" in card["licence"]["sources"][0]["terms"]
    assert card["licence"]["teacher"] == {
        "model": "m", "endpoint": running.address, "terms": "not stated: read the terms at the source"
    }  # fmt: skip
    for path in folder.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes()
    assert running.keys == [f"Bearer {KEY}"] * 3


@pytest.mark.parametrize(("way", "again"), [(signal.SIGKILL, 1), (signal.SIGINT, 0)])
def test_stopped_in_the_middle_it_goes_on(folder: Path, way: signal.Signals, again: int) -> None:
    def answer(request: dict[str, Any]) -> Said:
        reply = good(request)
        reply.delay = 0.0 if len(running.requests) <= 2 else 0.6
        return reply

    with school(answer) as running:
        command = [sys.executable, "-m", "deixis", *words(folder, running, "--workers", "1", "--quiet")]
        # A test that runs in the background of a shell has Ctrl-C switched off, and so would what it starts.
        run = subprocess.Popen(
            command,
            env={**os.environ, "no_proxy": "127.0.0.1", "TEACHER_KEY": KEY},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        until = time.monotonic() + 60
        while len(running.requests) < 3 and time.monotonic() < until:
            time.sleep(0.01)
        run.send_signal(way)
        assert run.wait(timeout=30) == {signal.SIGKILL: -signal.SIGKILL, signal.SIGINT: 130}[way]
        replies = list((folder / "made.replies").glob("[0-9a-f]*.json"))
        assert len(replies) == 3 - again  # what was under way is waited for where it can be
        assert not (folder / "made.json").exists()
        running.answer = good
        assert main(words(folder, running)) == 0
        asked = [json.dumps(request) for request in running.requests]
    assert len(asked) == 4 + again and len(set(asked)) == 4  # only the one that was cut down is asked again
    assert len(read_region_records(folder / "made.json", root=folder / "data")) == 4


def test_a_second_run_into_the_same_file_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def answer(request: dict[str, Any]) -> Said:
        codes.append(main(words(folder, running, "--quiet")))
        return good(request)

    codes: list[int] = []
    with school(answer) as running:
        assert main(words(folder, running, "--limit", "1", "--workers", "1")) == 0
    assert codes == [2] and "another run is writing into" in capsys.readouterr().err


def test_the_budget_ends_it_in_order(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with school(good) as running:
        assert main(words(folder, running, "--budget", "4000tokens", "--workers", "1")) == 0
        assert 0 < len(running.requests) < 4
    out, err = capsys.readouterr()
    assert "not asked: the budget of 4,000 tokens" in err and "made.json" in out
    assert len(json.loads((folder / "made.json").read_text())) == len(running.requests)


def test_rejects_are_kept_with_reasons(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with school(lambda request: said("I'm sorry, I can't help.")) as running:
        assert main(words(folder, running)) == 0
    assert "4 rejects with reasons" in capsys.readouterr().out
    lines = (folder / "made.rejects.jsonl").read_text().splitlines()
    assert len(lines) == 4 and all("refusal" in json.loads(line)["reasons"][0] for line in lines)
    assert json.loads((folder / "made.json").read_text()) == []
    assert json.loads((folder / "made.card.json").read_text())["reasons"] == {"refusal": 4}


def test_a_wrong_key_ends_it_with_a_sentence(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with school(lambda request: Said(401, f"no such key: {KEY}".encode())) as running:
        assert main(words(folder, running)) == 2
    out, err = capsys.readouterr()
    assert "the key was not accepted" in err and "Traceback" not in err and KEY not in out + err
    assert len(running.requests) <= 4 and json.loads((folder / "made.json").read_text()) == []


@pytest.mark.parametrize(
    ("further", "message"),
    [
        (["--workers", "0"], "--workers is 0"),
        (["--limit", "0"], "--limit is 0"),
        (["--each", "0"], "--each is 0"),
        (["--seed", "-1"], "--seed is -1"),
        (["--temperature", "nan"], "--temperature is nan"),
        (["--rate", "fast"], "such as 2/s or 60/min"),
        (["--budget", "5"], "such as 5USD or 200000tokens"),
        (["--budget", "5USD"], "give the model's --prices IN,OUT"),
        (["--prices", "5"], "the prices are '5'"),
        (["--timeout", "0"], "timeout is 0"),
        (["--attempts", "0"], "attempts is 0"),
        (["--endpoint", "ftp://x"], "the endpoint's address is"),
        (["--endpoint", "http://user:pw@x/v1"], "holds a user or password"),
        (["--model", " "], "--model is empty"),
        (["--split", "nope"], "nope"),
        (["--data", "/nope"], "there is no such folder"),
        (["--images", "/nope"], "there is no such folder"),
        (["--out", "/nope/made.json"], "cannot be written"),
        (["--out", "made"], "has no ending"),
        (["--key-variable", "NO_SUCH_KEY"], "set the environment variable NO_SUCH_KEY"),
    ],
)
def test_wrong_use(
    folder: Path, further: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with school(good) as running:
        assert main(words(folder, running, *further)) == 2
    assert message in capsys.readouterr().err and running.requests == []


def test_where_a_key_goes_is_asked_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with school(good) as running:
        plain = words(folder, running)[:-2]
        assert main(plain) == 2 and "--key-variable, or say --no-key" in capsys.readouterr().err
        assert main([*plain, "--no-key", "--limit", "1"]) == 0
    assert running.keys == [None]
    assert main([*plain, "--endpoint", "https://api.openai.com/v1"]) == 2
    assert "set the environment variable OPENAI_API_KEY" in capsys.readouterr().err


def test_files_of_the_dataset_are_never_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("train_instances.json", "images/0.png"):
        with school(good) as running:
            assert main(words(folder, running, "--out", str(folder / "data" / name))) == 2
        assert "is a file of the dataset" in capsys.readouterr().err and running.requests == []


def test_samples_in_the_folder_of_the_dataset_are_no_files_of_it(folder: Path) -> None:
    with school(good) as running:
        for limit in ("1", "2"):
            out = ("--out", str(folder / "data" / "made.json"), "--limit", limit)
            assert main(words(folder, running, *out)) == 0
    assert len(json.loads((folder / "data" / "made.json").read_text())) == 2


def test_a_dataset_with_nothing_to_ask(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "data" / "train_instances.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "annotations": []}))
    with school(good) as running:
        assert main(words(folder, running)) == 2
    assert "has nothing for the kind 'region'" in capsys.readouterr().err
