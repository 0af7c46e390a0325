"""Loader workers: how many are started, and that they end when the process ends that needs them."""

from __future__ import annotations

import logging
import os
import threading
from multiprocessing import connection, parent_process

import torch

LOG = logging.getLogger("deixis")


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def worker_count(asked: int, *, passes: int, processes: int = 1) -> int:
    """Return how many loader workers are started for one process of a run.

    Never more than there are processors, for each takes one and some hundred megabytes, nor more than there
    are passes to load. They only load: how many there are changes no weights.

    >>> worker_count(3, passes=1), worker_count(0, passes=9)
    (1, 0)
    """
    most = max(cores() // processes, 1)
    if asked > most:
        LOG.warning("workers is %d, but %d loader workers are started: one a processor", asked, most)
    return min(asked, most, max(passes, 0))


def begin_worker(_: int) -> None:
    """Prepare a loader worker: it takes one core, and ends when the process that started it does."""
    torch.set_num_threads(1)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=end_with, args=(parent.sentinel,), daemon=True).start()


def end_with(sentinel: int) -> None:
    """Wait until the process behind ``sentinel`` has ended, then end this one at once.

    Without it, a worker whose parent was killed may wait for ever for somebody to take its batches.
    """
    connection.wait([sentinel])
    os._exit(1)
