"""Every example in a help text runs when it is pasted, or is at least understood where running takes long."""

from __future__ import annotations

import argparse
import io
import json
import re
import shlex
import subprocess
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis.answers.grounded import Answer, Place, Span
from deixis.cli import main
from deixis.cli.program import COMMANDS, build_parser
from deixis.regions.shapes import Box
from tests.client.fake_server import running

RUN = ("ask", "chat", "data", "paint")
EXAMPLE = re.compile(r"(?:^|[|:] ?)\s*((?:torchrun .* -m )?deixis [a-z].*)$")


def helps() -> list[str]:
    """Every help text with examples in it."""
    parser = build_parser()
    (commands,) = (one for one in parser._actions if isinstance(one, argparse._SubParsersAction))
    return [str(one.epilog) for one in (parser, *commands.choices.values())]


def lines_of(text: str) -> list[str]:
    """The lines of a help text that are shell commands of ours, continued lines as one."""
    joined = re.sub(r"\\\n\s*", " ", text)
    return [line.strip() for line in joined.splitlines() if EXAMPLE.search(line)]


EXAMPLES = [line for text in helps() for line in lines_of(text)]


def words_of(line: str) -> tuple[list[str], str, str | None]:
    """The arguments of ``deixis`` in a line, what is piped into it, and the file that its output goes to."""
    before, command = "", line.removeprefix("example: ")
    if " | " in command:
        producer, command = command.split(" | ", 1)
        before = subprocess.run(["bash", "-c", producer], capture_output=True, text=True, check=True).stdout
    command, _, target = command.partition(" > ")
    words = shlex.split(command)
    return words[words.index("deixis") + 1 :], before, target.strip() or None


def test_examples_are_found() -> None:
    commands = {words_of(line)[0][0] for line in EXAMPLES}
    assert commands == set(COMMANDS), "a command's help has no example"


@pytest.mark.parametrize("line", EXAMPLES)
def test_an_example_is_understood(line: str) -> None:
    words, _, _ = words_of(line)
    assert isinstance(build_parser().parse_args(words), argparse.Namespace)


class Anything:
    """A system that answers every question about any picture."""

    name, device, dtype = "any", "cpu", "torch.float32"

    def fingerprint(self) -> str:
        return "f00d"

    def seen(self, picture: Any, question: str, *, regions: Any = ()) -> list[Any]:
        return [picture]

    def require_places(self) -> None:
        """There is nothing to open."""

    def locate(self, picture: Any, task: str, **given: Any) -> Any:
        return self.ask(picture, task)

    def ground(self, answer: Any, **given: Any) -> Any:
        return answer

    def ask(
        self, picture: Any, question: Any, *, regions: Any = (), before: Any = (), **settings: Any
    ) -> Any:
        if not isinstance(question, str):
            return [self.ask(picture, one, regions=own) for one, own in zip(question, regions, strict=True)]
        place = Place(Box(1, 2, 30, 40, frame=picture.frame), 0.5)
        own = tuple((name, region.clipped(picture.frame)) for name, region in dict(regions).items())
        return Answer(
            "A dog.", (Span(2, 5, "dog", (place,)),), picture, "any", 0.1, question=question, regions=own
        )


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    for name in ("photo.jpg", "photos/one.jpg", "photos/two.jpg"):
        Image.new("RGB", (640, 480), (200, 30, 30)).save(name)
    sample = {"picture": "photo.jpg", "frame": "pixels", "regions": {"a": {"box": [1, 2, 30, 40]}}}
    turns = [{"user": "What is {a}?", "assistant": "It is [a dog](a)."}]
    Path("samples.jsonl").write_text(json.dumps(sample | {"turns": turns}))
    said = [
        {"from": "human", "value": "<image>\nWhat is it?"},
        {"from": "gpt", "value": "A brown dog that runs over a green meadow after a ball."},
    ]
    Path("llava_v1_5_mix665k.json").write_text(
        json.dumps([{"id": "1", "image": "photo.jpg", "conversations": said}])
    )
    return tmp_path


@pytest.mark.parametrize("line", [line for line in EXAMPLES if words_of(line)[0][0] in RUN])
def test_an_example_runs(
    line: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words, piped, target = words_of(line)
    monkeypatch.setattr("deixis.systems.load", lambda *_, **__: Anything())
    monkeypatch.setattr("sys.stdin", io.StringIO(piped))
    with running() if "--server" in words else nullcontext() as server:
        if server is not None:
            words[words.index("--server") + 1] = server.address
        assert main(words) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    if target and target.endswith(".jsonl"):
        assert len([json.loads(row) for row in said.splitlines()]) == 2
    if "--out" in words:
        assert Path(words[words.index("--out") + 1]).exists()
