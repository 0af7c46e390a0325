"""Today's code beside an earlier checkout's, in one run: ``python -m bench earlier --against DIR``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.ask import photo
from bench.benchmark import Benchmark, Goal, Side

QUESTION, ANOTHER = "Where is the woman?", "Where is the flag?"
HERE = Path(__file__).parents[1]
WARM = """
import json, sys, time
import numpy as np
import deixis
from PIL import Image
model, picture = deixis.load(), np.array(Image.open(sys.argv[1]))
model.ask(picture, sys.argv[2])
answers, seconds = [], []
for number in range(int(sys.argv[4])):
    picture[0, 0] = 1 + number
    if sys.argv[5] == "further":
        model.ask(picture, sys.argv[3], max_new_tokens=1)
    started = time.perf_counter()
    answers.append(model.ask(picture, sys.argv[2]).to_dict())
    seconds.append(time.perf_counter() - started)
print(json.dumps([seconds, answers[0]]))
"""
IMPORTED = re.compile(r"import time:\s+\d+ \|\s+(\d+) \| deixis\.systems\.pointer\.answering$")


def benchmark(against: Path) -> Benchmark:
    """Return the comparison with the checkout in a folder."""
    earlier = {"checkout": str(against.resolve())}
    now = {"checkout": str(HERE)}
    ways = ("cold, from the shell", "imports", "warm, new picture", "warm, further question")
    functions = ("cold", "imports", "warm", "further")
    return Benchmark(
        name="earlier",
        what=f"a question about a photo by the embedded model, today and at {revision(against)}",
        sides=tuple(
            Side(f"{way}, {when}", f"bench.earlier:{function}", threads=None, given=given)
            for way, function in zip(ways, functions, strict=True)
            for when, given in (("earlier", earlier), ("now", now))
        ),
        goals=tuple(
            Goal(f"{way}: now over earlier", side=f"{way}, now", over=f"{way}, earlier", at_most=most)
            for way, most in zip(ways, (0.75, 0.75, 1.0, 1.0), strict=True)
        ),
        tolerance=1e-3,
    )


def revision(checkout: Path) -> str:
    """Return the commit of a checkout, or its folder's name."""
    asked = subprocess.run(
        ["git", "-C", str(checkout), "log", "-1", "--format=%h"], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() or checkout.name


def cold(given: dict[str, Any]) -> dict[str, Any]:
    """Time ``deixis ask`` as a command, start and loading included."""
    with picture_file() as picture:
        seconds, answers = [], []
        for _ in range(given["repeats"]):
            started = time.perf_counter()
            printed = run(given, "-m", "deixis", "ask", picture, QUESTION, "--json").stdout
            seconds.append(time.perf_counter() - started)
            answers.append(comparable(json.loads(printed)))
    return {"seconds": seconds, "values": answers[0]}


def imports(given: dict[str, Any]) -> dict[str, Any]:
    """Time importing what answers, as ``python -X importtime`` counts it."""
    seconds = []
    for _ in range(given["repeats"]):
        told = run(given, "-X", "importtime", "-c", "import deixis.systems.pointer.answering").stderr
        found = [int(match[1]) for line in told.splitlines() if (match := IMPORTED.search(line))]
        seconds.append(found[0] / 1e6)
    return {"seconds": seconds, "values": None}


def warm(given: dict[str, Any]) -> dict[str, Any]:
    """Time answers of a loaded model about pictures not seen before."""
    return asked(given, "new")


def further(given: dict[str, Any]) -> dict[str, Any]:
    """Time answers about pictures that another question was just asked about."""
    return asked(given, "further")


def asked(given: dict[str, Any], way: str) -> dict[str, Any]:
    """Time answers of a loaded model."""
    with picture_file() as picture:
        done = run(given, "-c", WARM, picture, QUESTION, ANOTHER, str(given["repeats"]), way)
    seconds, answer = json.loads(done.stdout)
    return {"seconds": seconds, "values": comparable(answer)}


def run(given: dict[str, Any], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python on the code of a checkout."""
    environment = os.environ | {"PYTHONPATH": f"{given['checkout']}/src"}
    command = [sys.executable, *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, cwd=given["checkout"]
    )
    if done.returncode:
        sys.exit(done.stderr)
    return done


@contextmanager
def picture_file() -> Iterator[str]:
    """Yield the path of a file with the photo, which is there for as long."""
    from PIL import Image

    with tempfile.TemporaryDirectory(prefix="bench-earlier-") as folder:
        path = Path(folder) / "photo.png"
        Image.fromarray(photo()).save(path)
        yield str(path)


def comparable(answer: dict[str, Any]) -> dict[str, Any]:
    """Return what an answer says of the picture."""
    return {name: answer[name] for name in ("text", "nowhere", "spans")}
