"""``python -m tests.soak``: prints the numbers, and ends with 1 if something was not as it has to be."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random
from statistics import median

from tests.soak.clients import Tally, client, sent
from tests.soak.questions import MODELS, question
from tests.soak.watching import TOLERANCE, WARM_UP, Memory, get, health, held, settled

SAMPLE_EVERY, SAID_EVERY = 1.0, 15.0  # seconds
SETTLED_IN = 20.0  # seconds after the last request within which every place has to be free
HEARD_IN = 20.0  # seconds after the engine's death within which whoever waits has to hear of it


def main() -> int:
    """Soak, check, kill; return 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with server() as (process, port):
        wrong = soaked(process.pid, port, given)
        wrong += [] if process.poll() is None else ["the server has ended"]
        wrong += killed(process, port)
    for one in wrong:
        print(f"wrong: {one}")
    print("as it has to be" if not wrong else f"{len(wrong)} things are wrong")
    return 1 if wrong else 0


@contextmanager
def server() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run the server in a process of its own until the block is left."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    process = subprocess.Popen([sys.executable, "-m", "tests.soak.served", str(port)], env=environment)
    try:
        until = time.monotonic() + 180
        while not answers(port):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit("the server did not start")
            time.sleep(0.2)
        yield process, port
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def answers(port: int) -> bool:
    """Whether the server answers."""
    try:
        return get(port, "/health")[0] == 200
    except OSError:
        return False


def soaked(pid: int, port: int, given: argparse.Namespace) -> list[str]:
    """Let clients ask for as long as was said; return what is wrong."""
    tally, memory = Tally(), Memory(pid)
    until = time.monotonic() + 60 * given.minutes
    threads = [
        threading.Thread(
            target=client, args=(port, tally), kwargs={"seed": given.seed + number, "until": until}
        )
        for number in range(given.clients)
    ]
    for thread in threads:
        thread.start()
    began, warm, said = time.monotonic(), 0, 0.0
    while any(thread.is_alive() for thread in threads):
        memory.look()
        at, size = memory.samples[-1]
        if at >= said:
            print(f"{at:5.0f} s  {size / 2**20:.0f} MB  {sum(tally.counts.values()):,} requests", flush=True)
            said += SAID_EVERY
        if not warm and time.monotonic() - began >= WARM_UP * 60 * given.minutes:
            warm = held(port)
        time.sleep(SAMPLE_EVERY)
    left = settled(port, seconds=SETTLED_IN)
    first, last, growth = memory.growth()
    print(f"{given.minutes:g} minutes, {given.clients} clients, {sum(tally.counts.values()):,} requests")
    for outcome, count in tally.counts.most_common():
        print(f"  {outcome}: {count:,}")
    for name, seconds in sorted(tally.seconds.items()):
        print(f"  {name}: median {median(seconds):.2f} s, longest {max(seconds):.2f} s")
    print(
        f"memory: {first / 2**20:.0f} MB after the warm-up, {last / 2**20:.0f} MB at the end ({growth:+.1%})"
    )
    print(f"of it held by intent: {warm / 2**20:.0f} MB, then {held(port) / 2**20:.0f} MB")
    print(f"questions that are open {SETTLED_IN:g} s after the last: {left}")
    wrong = tally.unexpected[:20]
    wrong += [f"{left} questions are still open"] * bool(left)
    wrong += [f"memory changed by {growth:+.1%}"] * (abs(growth) > TOLERANCE)
    wrong += [f"{name} no longer answers" for name in MODELS if not asks(port, name)]
    return wrong


def asks(port: int, model: str) -> bool:
    """Whether a model still answers."""
    body = question(Random(1), fresh=1) | {"model": model, "stream": False}
    return sent(port, body)[0] == 200


def killed(process: subprocess.Popen[bytes], port: int) -> list[str]:
    """Kill the engine while it writes; return what is wrong with what those hear who wait."""
    body = question(Random(2), fresh=2) | {"model": "embedded", "max_tokens": 500, "stream": True}
    bodies = [body | {"model": name} for name in MODELS] * 2
    with ThreadPoolExecutor(len(bodies)) as threads:
        waiting = [threads.submit(sent, port, one) for one in bodies]
        time.sleep(0.3)
        began = time.monotonic()
        process.send_signal(signal.SIGUSR1)
        replies = [one.result() for one in waiting]
        took = time.monotonic() - began
    whole = sum(status == 200 and said.endswith(b"[DONE]\n\n") for status, _, said in replies)
    told = sum(status == 503 or b'"error"' in said[-2000:] for status, _, said in replies)
    status, word = health(port)
    after = sent(port, body)[0]
    print(
        f"engine killed: of {len(replies)} open requests {whole} were complete, {told} got an error, all "
        f"within {took:.1f} s; /health {status} ({word}), a new request {after}"
    )
    wrong = []
    if told == 0:
        wrong.append("nobody was open when the engine was killed; ask for longer answers")
    if whole + told != len(replies):
        wrong.append(f"{len(replies) - whole - told} open requests heard nothing of the engine's death")
    if took > HEARD_IN:
        wrong.append(f"it took {took:.1f} s until all had heard of it")
    if (status, after) != (503, 503):
        wrong.append(f"/health says {status} and a new request gets {after} after the engine's death")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
