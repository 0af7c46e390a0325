"""The clients on the page about serving run as they are pasted, against a server with the embedded model."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.client.real_server import serving
from tests.documentation.place import make_place

PAGE = (Path(__file__).parents[2] / "docs" / "serving.md").read_text(encoding="utf-8")
BLOCK = re.compile(
    r"^### (?P<title>[^\n]+)\n(?:(?!^#).)*?^```(?P<kind>\w+)\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL
)
CLIENTS = {match["title"]: (match["kind"], match["code"]) for match in BLOCK.finditer(PAGE)}
BOX = r"-?\d+\.\d+(?:, ?|,)-?\d+\.\d+(?:, ?|,)-?\d+\.\d+(?:, ?|,)-?\d+\.\d+"
ADDRESS = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving({"pointer": "pointer"}) as running:
        yield running.address


@pytest.fixture
def place(tmp_path: Path) -> Path:
    pytest.importorskip("skimage")
    make_place(tmp_path)
    return tmp_path


def run(title: str, place: Path, address: str) -> str:
    """Run the code below a heading, with the address of the test's server, and return what it prints."""
    kind, code = CLIENTS[title]
    code = code.replace(ADDRESS, address)
    file = place / {"bash": "client.sh", "python": "client.py", "javascript": "client.mjs"}[kind]
    file.write_text(code)
    program = {"bash": "bash", "python": sys.executable, "javascript": "node"}[kind]
    if shutil.which(program) is None:
        pytest.skip(f"{program} isn't installed")
    done = subprocess.run([program, file.name], cwd=place, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_has_five_clients() -> None:
    assert list(CLIENTS)[:5] == [
        "curl", "The openai package", "JavaScript", "A tool for a language model", "supervision",
    ]  # fmt: skip
    assert all(ADDRESS in code for _, code in list(CLIENTS.values())[:5])


def test_curl(place: Path, address: str) -> None:
    reply = json.loads(run("curl", place, address))
    answer: dict[str, Any] = reply["choices"][0]["message"]["answer"]
    assert answer["text"] and answer["question"] == "What is {r1}?"
    assert answer["regions"] == {"r1": {"box": [100.0, 50.0, 300.0, 250.0]}}


def test_openai(place: Path, address: str) -> None:
    pytest.importorskip("openai")
    assert re.search(r"\w", run("The openai package", place, address))


def test_javascript(place: Path, address: str) -> None:
    said = run("JavaScript", place, address)
    assert "face" in said and re.search(rf"\[.*face: {BOX}\]", said)


def test_the_tool(place: Path, address: str) -> None:
    said = json.loads(run("A tool for a language model", place, address))
    assert "face" in said["said"] and len(said["places"][0]["box"]) == 4


def test_supervision(place: Path, address: str) -> None:
    pytest.importorskip("supervision")
    assert re.search(r"face.* 1 \(512, 512, 3\)", run("supervision", place, address))
