"""Files of a run: what goes wrong while one is written is told as a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from deixis.errors import UsageError


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a fault of the file system in the block into a UsageError that names ``path``.

    Also one that ``files.writing`` has put into words: a run has better advice.
    """
    try:
        yield
    except UsageError as said:
        if not isinstance(said.__cause__, OSError):
            raise
        raise unwritten(path, said.__cause__) from said.__cause__
    except (OSError, SafetensorError) as fault:
        raise unwritten(path, fault) from fault


def unwritten(path: Path, fault: OSError | SafetensorError) -> UsageError:
    """Return what is said of a file of a run that cannot be written."""
    reason = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
    return UsageError(
        f"cannot write {path}: {reason[:200]}; make room or give another --out. With --resume the run "
        "goes on from its last checkpoint"
    )
