"""Folders that a command reads, looked for before anything else is done."""

from __future__ import annotations

from pathlib import Path

from deixis.errors import UsageError


def require_folder(folder: Path, *, flag: str) -> None:
    """Raise UsageError unless what a flag names is a folder that is there."""
    if not folder.exists():
        raise UsageError(f"{flag} {str(folder)!r}: there is no such folder")
    if not folder.is_dir():
        raise UsageError(f"{flag} {str(folder)!r} is not a folder")
