"""Asking about a photo: from the shell, with a loaded model, and once more about the same picture."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.benchmark import Benchmark, Goal, Side
from bench.memory import PeakMemory, children_peak

BENCHMARK = Benchmark(
    name="ask",
    what="one question about a photo of 512 x 512 pixels, by the embedded model",
    given={"model": "pointer", "question": "Where is the woman?", "another": "Where is the flag?"},
    sides=(
        Side("cold, from the shell", "bench.ask:cold", threads=None),
        Side("warm, new picture", "bench.ask:warm", threads=None),
        Side("first token, new picture", "bench.ask:first_token", threads=None),
        Side("first token, further question", "bench.ask:further_first_token", threads=None),
    ),
    goals=(
        Goal(
            "time to first token of a further question, over that of the first",
            side="first token, further question",
            over="first token, new picture",
            at_most=0.5,
        ),
        Goal("peak memory of ask", side="cold, from the shell", measure="peak_bytes", at_most=1.2e9),
    ),
    tolerance=1e-3,
)


def cold(given: dict[str, Any]) -> dict[str, Any]:
    """Time ``deixis ask`` as a command, start and loading included."""
    from PIL import Image

    command = Path(sys.executable).parent / "deixis"
    seconds, answers = [], []
    with tempfile.TemporaryDirectory(prefix="bench-ask-") as folder:
        picture = Path(folder) / "photo.png"
        Image.fromarray(photo()).save(picture)
        for _ in range(given["repeats"]):
            started = time.perf_counter()
            arguments = [command, "ask", picture, given["question"], "--model", given["model"], "--json"]
            done = subprocess.run(arguments, capture_output=True, text=True, check=False)
            seconds.append(time.perf_counter() - started)
            if done.returncode:
                sys.exit(done.stderr)
            answers.append(comparable(json.loads(done.stdout)))
    if any(answer != answers[0] for answer in answers):
        sys.exit("the same question got different answers")
    return {"seconds": seconds, "values": answers[0], "peak_bytes": children_peak()}


def warm(given: dict[str, Any]) -> dict[str, Any]:
    """Time whole answers about pictures not seen before, the model loaded."""
    return asked(given, max_new_tokens=64, seen_before=False)


def first_token(given: dict[str, Any]) -> dict[str, Any]:
    """Time the first token about pictures not seen before."""
    return asked(given, max_new_tokens=1, seen_before=False)


def further_first_token(given: dict[str, Any]) -> dict[str, Any]:
    """Time the first token about pictures that another question was just asked about."""
    return asked(given, max_new_tokens=1, seen_before=True)


def asked(given: dict[str, Any], *, max_new_tokens: int, seen_before: bool) -> dict[str, Any]:
    """Time ``ask`` with a loaded model; what is compared is the whole answer about the photo itself."""
    import deixis

    model = deixis.load(given["model"])
    memory = PeakMemory()
    answer = model.ask(photo(), given["question"])
    seconds = []
    for number in range(given["repeats"]):
        picture = photo()
        # One pixel of the corner makes it another picture, so that nothing is remembered of it.
        picture[0, 0] = 1 + number
        if seen_before:
            model.ask(picture, given["another"], max_new_tokens=1)
        started = time.perf_counter()
        model.ask(picture, given["question"], max_new_tokens=max_new_tokens)
        seconds.append(time.perf_counter() - started)
    return {"seconds": seconds, "values": comparable(answer.to_dict()), **memory.read()}


def photo() -> NDArray[np.uint8]:
    """Return the pixels of a real photo that comes with scikit-image."""
    from skimage import data

    return np.array(data.astronaut(), dtype=np.uint8)


def comparable(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer without the time that it took."""
    return {name: value for name, value in answer.items() if name != "seconds"}
