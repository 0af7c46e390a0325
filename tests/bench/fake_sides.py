"""Sides for the harness's own tests: some agree, one computes something else, some break the rules."""

from __future__ import annotations

import os
import sys
import time
from typing import Any


def quick(given: dict[str, Any]) -> dict[str, Any]:
    """Sums the numbers."""
    print("what a side prints is no part of its result")
    return {"seconds": timed(given, pause=0.001), "values": {"sum": float(sum(given["numbers"]))}, "items": 3}


def in_parts(given: dict[str, Any]) -> dict[str, Any]:
    """Times two parts of one run, as it says."""
    seconds = {"sum": [0.25] * given["repeats"], "pause": [0.5] * given["repeats"]}
    return {"seconds": seconds, "items": {"sum": 1, "pause": 2}, "digest": "same"}


def slow(given: dict[str, Any]) -> dict[str, Any]:
    """Sums the numbers, slowly and with a rounding error."""
    return {"seconds": timed(given, pause=0.03), "values": {"sum": sum(given["numbers"]) * (1 + 1e-9)}}


def wrong(given: dict[str, Any]) -> dict[str, Any]:
    """Sums one number too few."""
    return {"seconds": timed(given, pause=0.0), "values": {"sum": float(sum(given["numbers"][1:]))}}


def surroundings(given: dict[str, Any]) -> dict[str, Any]:
    """Tells which process it is and how many threads it may use."""
    threads = os.environ["OMP_NUM_THREADS"]
    return {"seconds": timed(given, pause=0.0), "digest": "same", "process": os.getpid(), "threads": threads}


def hungry(given: dict[str, Any]) -> dict[str, Any]:
    """Holds 40 MB after loading and 80 MB more while working."""
    from bench.memory import PeakMemory

    weights = bytearray(os.urandom(1)) * 40_000_000
    memory = PeakMemory()
    work = bytearray(os.urandom(1)) * 80_000_000
    del work
    return {"seconds": timed(given, pause=0.0), "digest": str(len(weights)), **memory.read()}


def silent(given: dict[str, Any]) -> dict[str, Any]:
    """Gives times and nothing that could be compared."""
    return {"seconds": timed(given, pause=0.0)}


def short(given: dict[str, Any]) -> dict[str, Any]:
    """Gives one time, however many were asked for."""
    return {"seconds": [0.1], "digest": "same"}


def broken(given: dict[str, Any]) -> dict[str, Any]:
    """Ends with a reason."""
    sys.exit("the weights are not here")


def timed(given: dict[str, Any], *, pause: float) -> list[float]:
    """Returns as many times as were asked for."""
    seconds = []
    for _ in range(given["repeats"]):
        started = time.perf_counter()
        time.sleep(pause)
        seconds.append(time.perf_counter() - started)
    return seconds
