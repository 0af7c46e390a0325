"""What is seen from outside: the server's memory, its metrics, its health."""

from __future__ import annotations

import http.client
import json
import re
import time
from dataclasses import dataclass, field
from statistics import mean

import psutil

WARM_UP = 1 / 3  # of the time, within which memory may grow
TOLERANCE = 0.05


@dataclass
class Memory:
    """Samples of a process's memory: (seconds since the start, bytes)."""

    pid: int
    began: float = field(default_factory=time.monotonic)
    samples: list[tuple[float, int]] = field(default_factory=list)

    def look(self) -> None:
        """Take a sample."""
        self.samples.append((time.monotonic() - self.began, psutil.Process(self.pid).memory_info().rss))

    def growth(self) -> tuple[float, float, float]:
        """Return the mean after the warm-up, the mean of the end, and by what share that is more."""
        total = self.samples[-1][0]
        warm = [size for at, size in self.samples if at >= WARM_UP * total]
        part = max(len(warm) // 4, 1)
        first, last = mean(warm[:part]), mean(warm[-part:])
        return first, last, last / first - 1


def held(port: int) -> int:
    """Return the bytes that the server says it holds: weights, pictures, prompts, answers."""
    _, body = get(port, "/metrics")
    found = re.findall(r"^deixis_held_bytes\{.*\} (\S+)$", body.decode(), re.M)
    return sum(int(float(one)) for one in found)


def get(port: int, path: str) -> tuple[int, bytes]:
    """Return the status and the body of a path."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def health(port: int) -> tuple[int, str]:
    """Return the status of /health and what it says."""
    status, body = get(port, "/health")
    return status, json.loads(body)["status"]


def open_questions(port: int) -> int:
    """Return how many questions the engine has open."""
    _, body = get(port, "/metrics")
    return sum(
        int(float(one)) for one in re.findall(r"^deixis_open_questions\{.*\} (\S+)$", body.decode(), re.M)
    )


def settled(port: int, *, seconds: float) -> int:
    """Wait until no question is open; return how many still are after so many seconds."""
    until = time.monotonic() + seconds
    while (left := open_questions(port)) and time.monotonic() < until:
        time.sleep(0.1)
    return left
