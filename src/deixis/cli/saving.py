"""Results that a command worked for long: where they can't be written after all, they are printed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deixis.errors import UsageError
from deixis.files.writing import write_whole


def save_or_print(contents: Mapping[Path, str]) -> None:
    """Write some files, whole. UsageError: some can't be; what they were to hold is on standard output."""
    faults = []
    for path, content in contents.items():
        try:
            write_whole(path, content)
        except UsageError as fault:
            faults.append(str(fault))
            print(content, flush=True)
    if faults:
        raise UsageError(f"{'; '.join(faults)} (what it was to hold was printed instead)")
