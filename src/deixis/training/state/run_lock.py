"""One run at a time in a folder: a lock that dies with the process that holds it."""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deixis.errors import UsageError

LOG = logging.getLogger("deixis")
FILE = ".lock"


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Hold a folder, which has to exist, for the time of a run; UsageError while another one holds it.

    The system lets go of the lock when the process ends, however it ends; the empty file may stay.
    """
    descriptor = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as fault:
        os.close(descriptor)
        raise UsageError(
            f"another run is writing into {folder}; wait until it has ended, or choose another --out"
        ) from fault
    except OSError as fault:
        LOG.warning("%s can't be locked (%s); start no second run there", folder, fault.strerror)
    try:
        yield
    finally:
        os.close(descriptor)
