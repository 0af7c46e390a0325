"""Converting takes little memory, however many shards there are."""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checkpoints.measured_memory import RESET, SHARDS

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.skipif(
    not (RESET.exists() and hasattr(ctypes.CDLL(None), "mallopt")),
    reason="this system doesn't let a process reset its highest mark of memory",
)
def test_twelve_shards_take_less_memory_than_two(tmp_path: Path) -> None:
    call = [sys.executable, "-m", "tests.checkpoints.measured_memory", str(tmp_path)]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout.splitlines()[-1])
    largest = max(measured["shards"])
    assert len(measured["shards"]) == SHARDS and largest > 8 << 20
    assert measured["streamed"] < 2 * largest, f"{measured['streamed'] / largest:.2f} shards"
    # The same measure of a reader that holds all: it has to see every shard.
    assert measured["held"] > 10 * largest
