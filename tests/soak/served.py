"""The server that is soaked, in a process of its own: ``python -m tests.soak.served PORT``.

SIGUSR1 raises an error in the engine's thread, as a fault of its own would.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

import torch
import uvicorn

from deixis.server.application import create_app
from deixis.serving.engine import Engine, EngineLimits, Models
from deixis.systems import load
from deixis.systems.contract import System
from tests.contract.subjects import SUBJECTS

CACHE_BYTES = 12 << 20  # of each model: so little that it is full, and given back, within the warm-up


def systems(folder: Path) -> dict[str, System]:
    """The embedded model, and a tiny random system of each other kind."""
    own = {name: make().make(folder / name) for name, make in SUBJECTS.items() if name != "pointer"}
    return {"embedded": load(device="cpu"), **own}


def kill_engine(engine: Engine) -> None:
    """Raise an error in the thread that looks after requests."""
    number = engine._thread.ident
    assert number is not None
    kind = ctypes.py_object(RuntimeError)
    assert ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(number), kind) == 1
    with engine._desk.condition:  # it is raised when the thread wakes
        engine._desk.changed()


def main() -> None:
    """Serve until the process is ended."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        limits = EngineLimits(rows=16, queue=64, cache_bytes=CACHE_BYTES)
        with Engine(Models(systems(Path(folder))), limits=limits) as engine:
            threading.Thread(target=wait_to_kill, args=(engine,), daemon=True).start()
            uvicorn.run(
                create_app(engine),
                host="127.0.0.1",
                port=int(sys.argv[1]),
                log_level="error",
                access_log=False,
            )


def wait_to_kill(engine: Engine) -> None:
    """Kill the engine once the process is told to."""
    while not KILL.is_set():
        time.sleep(0.05)
    kill_engine(engine)


KILL = threading.Event()

if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, lambda *_: KILL.set())
    main()
