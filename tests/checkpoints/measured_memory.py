"""Prints how far memory in use rises while twelve shards are converted; a process of its own."""

from __future__ import annotations

import ctypes
import gc
import json
import sys
from collections.abc import Callable
from pathlib import Path

from deixis.checkpoints.files.shards import open_shards
from deixis.systems.ferret.weights import convert_delta
from tests.checkpoints.tiny_checkpoints import ferret_folders, long_ferret

SHARDS = 12
RESET = Path("/proc/self/clear_refs")
STATUS = Path("/proc/self/status")
MAPPED_FROM = -3  # glibc's M_MMAP_THRESHOLD


def main(folder: Path) -> None:
    """Convert a long checkpoint and print the highest rise of memory, and that of holding all at once."""
    # Larger blocks go back to the system when they are freed, so that no old one is used unseen.
    ctypes.CDLL(None).mallopt(MAPPED_FROM, 1 << 16)
    tiny = ferret_folders(folder / "tiny")
    convert_delta(base=tiny.base, delta=tiny.delta, out=folder / "warm", tower=tiny.tower)  # imports, caches
    long, out = long_ferret(folder / "long", shards=SHARDS), folder / "out"
    shards = [path.stat().st_size for path in long.delta.glob("*.bin")]
    streamed = peak(lambda: convert_delta(base=long.base, delta=long.delta, out=out, tower=long.tower))
    held = peak(lambda: {key: one.read() for key, one in open_shards(out).items()})
    print(json.dumps({"shards": shards, "streamed": streamed, "held": held}))


def peak(run: Callable[[], object]) -> int:
    """Return by how many bytes memory in use rises at most while something runs."""
    gc.collect()
    RESET.write_text("5", encoding="utf-8")  # the highest mark falls back to what is in use now
    before = highest()
    kept = run()
    after = highest()
    del kept
    return after - before


def highest() -> int:
    """Return the highest mark of resident memory, in bytes."""
    lines = STATUS.read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
