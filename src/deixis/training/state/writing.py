"""Files of a run: what goes wrong while one is written is told as a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from deixis.errors import UsageError


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a fault of the file system in the block into a UsageError that names ``path``."""
    try:
        yield
    except (OSError, SafetensorError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
        raise UsageError(
            f"cannot write {path}: {reason[:200]}; make room or give another --out. With --resume the run "
            "goes on from its last checkpoint"
        ) from fault
