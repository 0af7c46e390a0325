"""Peak memory of a process: in all, and above what it held once its weights were loaded."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")
FORGET_PEAK = Path("/proc/self/clear_refs")


class PeakMemory:
    """Counts from the moment it is made, which should be right after loading.

    The peak above loaded weights needs a system that can forget an earlier peak, as Linux can; else None.
    """

    def __init__(self) -> None:
        self.earlier = lifetime_peak()
        self.loaded = resident() if forget_peak() else None

    def read(self) -> dict[str, int | None]:
        """Return "peak_bytes" of the whole life and "peak_above_loaded_bytes" since the start of counting."""
        peak = lifetime_peak()
        above = None if self.loaded is None else max(peak - self.loaded, 0)
        return {"peak_bytes": max(peak, self.earlier), "peak_above_loaded_bytes": above}


def lifetime_peak() -> int:
    """Return the largest resident size since the start, or since the peak was forgotten, in bytes."""
    if STATUS.is_file():
        return status_bytes("VmHWM")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def children_peak() -> int:
    """Return the largest resident size of any finished child process, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit


def resident() -> int:
    """Return the present resident size in bytes."""
    return status_bytes("VmRSS")


def status_bytes(name: str) -> int:
    """Return one size of the process's status page."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


def forget_peak() -> bool:
    """Make the present size the peak; False where the system can't."""
    try:
        FORGET_PEAK.write_text("5")
    except OSError:
        return False
    return STATUS.is_file()
