"""Pictures in folders that somebody has allowed: no way leads out of them, neither ``..`` nor a link."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from deixis.errors import BadPicture
from deixis.server.pictures.allowed import AllowedSources

# Opening a pipe must not wait for somebody to write to it.
FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
MOST_STEPS = 64


def file_bytes(url: str, allowed: AllowedSources, *, where: str, most: int) -> bytes:
    """Return the bytes of the file that a file URL names, in one of the allowed folders.

    BadPicture: it is in none, isn't there, is no plain file, or has more than ``most`` bytes. All of these
    are told alike, so that nothing is learnt of other files.
    """
    refused = BadPicture(
        f"{where} is no file that may be read here; expected one in a folder that the server allows "
        f"(deixis serve --allow-folder), no link, and at most {most:,} bytes"
    )
    path = path_of(url)
    found = None if path is None else place_in(path, allowed)
    if found is None or os.open not in os.supports_dir_fd:
        raise refused
    try:
        data = read_below(*found, most=most)
    except (OSError, ValueError):  # ValueError: a name with a zero byte
        raise refused from None
    if data is None:
        raise refused
    return data


def path_of(url: str) -> PurePosixPath | None:
    """Return the path of a file URL on this machine; None where it is another one's, or none.

    >>> path_of("file:///data/a%20b.png"), path_of("file://example.org/a.png")
    (PurePosixPath('/data/a b.png'), None)
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.netloc not in ("", "localhost") or parts.query or parts.fragment:
        return None
    path = PurePosixPath(unquote(parts.path))
    return path if path.is_absolute() and ".." not in path.parts else None


def place_in(path: PurePosixPath, allowed: AllowedSources) -> tuple[Path, tuple[str, ...]] | None:
    """Return the allowed folder that a path begins with, and the steps from there."""
    for folder in allowed.folders:
        if path.is_relative_to(folder.as_posix()):
            steps = path.relative_to(folder.as_posix()).parts
            return (folder, steps) if 0 < len(steps) <= MOST_STEPS else None
    return None


def read_below(folder: Path, steps: tuple[str, ...], *, most: int) -> bytes | None:
    """Return the bytes of a plain file below a folder, reached without following any link; None if too long.

    Each step is taken from the folder that is open already, so that nothing can be exchanged in between.
    """
    here = os.open(folder, FLAGS)
    try:
        for number, step in enumerate(steps, 1):
            kind = os.O_DIRECTORY if number < len(steps) else 0
            below = os.open(step, FLAGS | os.O_NOFOLLOW | kind, dir_fd=here)
            os.close(here)
            here = below
        found = os.fstat(here)
        if not stat.S_ISREG(found.st_mode) or found.st_size > most:
            return None
        with os.fdopen(os.dup(here), "rb") as stream:
            data = stream.read(most + 1)
        return data if len(data) <= most else None
    finally:
        os.close(here)
