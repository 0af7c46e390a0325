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


WAYS = {
    "cold, from the shell": ("cold", 0.75),
    "imports": ("imports", 0.75),
    "warm, new picture": ("warm", 1.0),
    "warm, further question": ("further", 1.0),
}


def benchmark(against: Path) -> Benchmark:
    """Return the comparison with the checkout in a folder."""
    return Benchmark(
        name="earlier",
        what=f"a question about a photo by the embedded model, today and at {revision(against)}",
        given={"earlier": str(against.resolve()), "now": str(HERE)},
        sides=tuple(
            # What is imported has no answer to compare.
            Side(
                f"{way}, {when}",
                f"bench.earlier:{when}_{function}",
                threads=None,
                given={"answers": False} if way == "imports" else {},
            )
            for way, (function, _) in WAYS.items()
            for when in ("earlier", "now")
        ),
        goals=tuple(
            Goal(f"{way}: now over earlier", side=f"{way}, now", over=f"{way}, earlier", at_most=most)
            for way, (_, most) in WAYS.items()
        ),
        tolerance=1e-3,
    )


def revision(checkout: Path) -> str:
    """Return the commit of a checkout, or its folder's name."""
    asked = subprocess.run(
        ["git", "-C", str(checkout), "log", "-1", "--format=%h"], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() or checkout.name


def earlier_cold(given: dict[str, Any]) -> dict[str, Any]:
    """Time ``deixis ask`` of the earlier checkout."""
    return cold(given, given["earlier"])


def now_cold(given: dict[str, Any]) -> dict[str, Any]:
    """Time today's ``deixis ask``."""
    return cold(given, given["now"])


def earlier_imports(given: dict[str, Any]) -> dict[str, Any]:
    """Time what the earlier checkout imports."""
    return imports(given, given["earlier"])


def now_imports(given: dict[str, Any]) -> dict[str, Any]:
    """Time what is imported today."""
    return imports(given, given["now"])


def earlier_warm(given: dict[str, Any]) -> dict[str, Any]:
    """Time answers of the earlier checkout about pictures not seen before."""
    return asked(given, given["earlier"], "new")


def now_warm(given: dict[str, Any]) -> dict[str, Any]:
    """Time today's answers about pictures not seen before."""
    return asked(given, given["now"], "new")


def earlier_further(given: dict[str, Any]) -> dict[str, Any]:
    """Time further answers of the earlier checkout about a picture."""
    return asked(given, given["earlier"], "further")


def now_further(given: dict[str, Any]) -> dict[str, Any]:
    """Time today's further answers about a picture."""
    return asked(given, given["now"], "further")


def cold(given: dict[str, Any], checkout: str) -> dict[str, Any]:
    """Time ``deixis ask`` as a command, start and loading included."""
    with picture_file() as picture:
        seconds, answers = [], []
        for _ in range(given["repeats"]):
            started = time.perf_counter()
            printed = run(checkout, "-m", "deixis", "ask", picture, QUESTION, "--json").stdout
            seconds.append(time.perf_counter() - started)
            answers.append(comparable(json.loads(printed)))
    return {"seconds": seconds, "values": answers[0]}


def imports(given: dict[str, Any], checkout: str) -> dict[str, Any]:
    """Time importing what answers, as ``python -X importtime`` counts it."""
    seconds = []
    for _ in range(given["repeats"]):
        told = run(checkout, "-X", "importtime", "-c", "import deixis.systems.pointer.answering").stderr
        found = [int(match[1]) for line in told.splitlines() if (match := IMPORTED.search(line))]
        seconds.append(found[0] / 1e6)
    return {"seconds": seconds, "values": None}


def asked(given: dict[str, Any], checkout: str, way: str) -> dict[str, Any]:
    """Time answers of a loaded model; further ones are about a picture that was just asked about."""
    with picture_file() as picture:
        done = run(checkout, "-c", WARM, picture, QUESTION, ANOTHER, str(given["repeats"]), way)
    seconds, answer = json.loads(done.stdout)
    return {"seconds": seconds, "values": comparable(answer)}


def run(checkout: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python on the code of a checkout."""
    environment = os.environ | {"PYTHONPATH": f"{checkout}/src"}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=checkout)
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
