"""The machine under the numbers: what it is, and whether it is busy with something else."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

import psutil

BUSY_SHARE = 0.15  # of all cores, by others


def description() -> dict[str, object]:
    """Return what a reader of the numbers needs to know; no names of machines or people."""
    return {
        "processor": platform.machine(),
        "system": platform.system(),
        "cores": os.cpu_count() or 1,
        "memory_bytes": psutil.virtual_memory().total,
        "python": platform.python_version(),
        **{package: installed(package) for package in ("torch", "transformers", "pillow")},
    }


def installed(package: str) -> str | None:
    """Return the version of an installed package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def busy_warning(*, watch: float = 0.5) -> str | None:
    """Return a warning if the cores are busy with something else while we wait for ``watch`` seconds."""
    share = psutil.cpu_percent(interval=watch) / 100
    if share <= BUSY_SHARE:
        return None
    load = psutil.getloadavg()[0]
    return (
        f"the machine is busy: {share:.0%} of its cores are in use by others (load {load:.1f} on "
        f"{os.cpu_count()} cores), so times are too long and spreads too wide"
    )
