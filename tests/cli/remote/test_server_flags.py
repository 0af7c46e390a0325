"""`deixis ask` and `deixis chat` as clients of a server: outputs, exit codes, and what they do without."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image

from deixis.answers import answer_schema
from deixis.cli import main
from tests.client.fake_server import FakeServer, running

QUESTION = "Where is the dog?"
KEY = "sk-very-secret-words"


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    monkeypatch.setattr("time.sleep", lambda _: None)
    with running() as server:
        yield server


@pytest.fixture
def photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return "photo.png"


def test_text_and_a_drawing(fake: FakeServer, photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["ask", photo, "What is {it}?", "--box", "5,6,40,50", "--server", fake.address]
    assert main([*words, "--out", "out.png", "--max-new-tokens", "9"]) == 0
    said = capsys.readouterr().out
    assert said == "It is 1.\n  It: box 1.0, 2.0, 20.0, 30.0, score 0.75\ndrawn: out.png\n"
    assert Image.open("out.png").width >= 80
    assert fake.requests[0]["max_tokens"] == 9


def test_json_of_several_questions(fake: FakeServer, photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["ask", photo, QUESTION, "-q", "And the cat?", "--json", "--server", fake.address]
    assert main([*words, "--model", "other"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for line in lines:
        jsonschema.validate(line, answer_schema())
        assert line["picture"]["name"] == "photo.png"
        assert line["weights"] == "f00d"
    assert [line["question"] for line in lines] == [QUESTION, "And the cat?"]
    assert {request["model"] for request in fake.requests} == {"other"}


@pytest.mark.parametrize(
    ("kind", "out", "written"),
    [
        ("coco", "found.json", "found.json"),
        ("coco-results", "found.json", "found.json"),
        ("label-studio", "tasks.json", "tasks.json"),
        ("yolo", "labels", "labels/labels/photo.txt"),
        ("jsonl", "lines.jsonl", "lines.jsonl"),
    ],
)
def test_files_of_other_tools(fake: FakeServer, photo: str, kind: str, out: str, written: str) -> None:
    words = ["ask", photo, QUESTION, "--server", fake.address, "--format", kind, "--out", out]
    assert main(words) == 0
    assert Path(written).stat().st_size > 10


def test_a_folder(fake: FakeServer, photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("more").mkdir()
    for name in ("a.png", "b.png"):
        Path("more", name).write_bytes(Path(photo).read_bytes())
    assert main(["ask", "more", QUESTION, "--server", fake.address, "--out", "drawn"]) == 0
    assert Path("drawn/a.png").is_file() and Path("drawn/b.png").is_file()
    assert len(fake.requests) == 2


def test_the_key_comes_from_a_file(fake: FakeServer, photo: str) -> None:
    Path("key").write_text(f"# of the server\n{KEY}\n")
    assert main(["ask", photo, QUESTION, "--server", fake.address, "--api-key-file", "key"]) == 0
    assert fake.headers[0]["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds 0 keys"),
        (b"one\ntwo\n", "holds 2 keys"),
        (b"a b", "no header can carry"),
        (b"\xff\xfe", "no header can carry"),
        (None, "cannot be read: No such file"),
    ],
)
def test_files_that_hold_no_key(
    photo: str, content: bytes | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        Path("key").write_bytes(content)
    assert main(["ask", photo, QUESTION, "--server", "http://127.0.0.1:9", "--api-key-file", "key"]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "more",
    [
        ["--device", "cpu"],
        ["--dtype", "float32"],
        ["--paint", "ellipse"],
        ["--paint-style", "clean"],
        ["--save-input", "seen.png"],
        ["--task", "caption"],
        ["--ground"],
    ],
)
def test_flags_of_this_machine(photo: str, more: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", photo, QUESTION, "--server", "http://127.0.0.1:9", *more]) == 2
    assert f"{more[0]} has no meaning with --server; leave it out" in capsys.readouterr().err


def test_a_key_without_a_server(photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", photo, QUESTION, "--api-key-file", "key"]) == 2
    assert "give --server URL" in capsys.readouterr().err


def test_no_server_is_a_sentence(photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", photo, QUESTION, "--server", "http://127.0.0.1:9"]) == 5
    said = capsys.readouterr().err
    assert said.startswith("deixis: there is no server at http://127.0.0.1:9: ")
    assert said.count("\n") == 1


def test_a_dialogue(
    fake: FakeServer, photo: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = b"what is {a}?\nand now?\n/json\n/save chat.jsonl\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(typed)))
    assert main(["chat", photo, "--point", "a=5,6", "--server", fake.address]) == 0
    said = capsys.readouterr().out
    assert "photo.png, 80 x 60 pixels; pointer answers" in said
    assert "It is 1." in said and "It is 2." in said
    second = fake.requests[1]
    assert [message["role"] for message in second["messages"]] == ["user", "assistant", "user"]
    assert second["messages"][1]["answer"]["text"] == "It is 1."
    assert len(Path("chat.jsonl").read_text().splitlines()) == 2
    assert Path("photo.chat.png").is_file()


SCRIPT = """
import sys
from deixis.cli import main
assert main(sys.argv[1:]) == 0
print([name for name in ("torch", "transformers", "torchvision", "scipy") if name in sys.modules])
"""


@pytest.mark.parametrize("command", ["ask", "chat"])
def test_clients_import_no_torch(fake: FakeServer, photo: str, command: str) -> None:
    words = [QUESTION, "--json"] if command == "ask" else ["--point", "it=3,4"]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, command, photo, *words, "--server", fake.address],
        capture_output=True,
        input="What is {it}?\n/json\n/save a.jsonl\n",
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
    assert len(fake.requests) == 1
