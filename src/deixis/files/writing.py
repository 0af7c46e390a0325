"""Files that are written whole or not at all, and looked at before the work whose result they are to hold.

Every fault of the file system becomes a UsageError with a sentence: a full disk, a folder in the way, a name
that is too long, a place that may not be written.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deixis.errors import UsageError

ROOM = 1 << 16  # bytes that are written to see whether a disk takes any more
LONGEST_SHOWN = 100  # letters of a path in a message
STREAMS = {"/dev/stdout": 1, "/dev/stderr": 2}
STREAM_FOLDERS = ("/dev/fd", "/proc/self/fd")  # each name in them is the number of a stream


def require_writable(path: Path, *, flag: str, makes_folders: bool = False, room: int = ROOM) -> None:
    """Raise UsageError unless a file could be written now, for all that can be known before.

    flag: what named it, for messages. makes_folders: missing folders will be made, so that they may be
    missing. room: so many bytes are written beside it and deleted again. What is there stays as it is.
    """
    try:
        if path.is_dir() or not path.name:
            raise UsageError(f"{flag} {shown(path)} is a folder; give the name of a file")
        if not makes_folders and not path.parent.exists():
            raise UsageError(
                f"{flag} {shown(path)} cannot be written: there is no folder {shown(path.parent)!r}; "
                "make it first"
            )
        if is_there(path) and not os.access(path, os.W_OK):
            raise UsageError(f"{flag} {shown(path)} may not be written to; give another name")
        if not is_special(path):
            _try_folder(target_of(path).parent, room=room)
        elif path.is_char_device() and not is_terminal(path):
            with path.open("ab", buffering=0) as device:
                device.write(b"\n")
    except (OSError, ValueError) as fault:
        raise unwritable(path, fault, flag=flag) from fault


def require_writable_folder(folder: Path, *, flag: str, room: int = ROOM) -> None:
    """Raise UsageError unless files could be written into a folder now, which is made if it is missing.

    It is tried out by making the folder and a file of so many bytes in it; both go again.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{flag} {shown(folder)} is a file; give a folder, or a name that is new")
        _try_folder(folder, room=room)
    except (OSError, ValueError) as fault:
        raise unwritable(folder, fault, flag=flag) from fault


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file, making missing folders; a file that was there is replaced once the new one is complete.

    Text is written as UTF-8. UsageError: it cannot be written; then what was there is still there.
    """
    encoded = content.encode("utf-8", errors="surrogatepass") if isinstance(content, str) else content
    stream = stream_of(path)
    if stream is None:
        with replacing(path) as partial, partial.open("ab") as file:
            file.write(encoded)
        return
    try:  # opened anew, a stream that is a file would be written over from where it stands
        with os.fdopen(os.dup(stream), "wb") as file:
            file.write(encoded)
    except OSError as fault:
        raise unwritable(path, fault) from fault


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the name of a new file to write, which takes the place of ``path`` when the block ends well.

    The name has the same ending. Devices and pipes are written to as they are. Missing folders are made.
    UsageError: any OSError in the block, or of the renaming; the unfinished file is deleted.
    """
    try:
        if is_special(path):
            yield path
            return
        target = target_of(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = own_partial(target, suffix=target.suffix)
        try:
            yield partial
            flush(partial)
            if target.exists():
                shutil.copymode(target, partial)
            os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as fault:
        raise unwritable(path, fault) from fault


def is_there(path: Path) -> bool:
    """Tell whether something has that name; OSError or ValueError if nothing can have it."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def own_partial(path: Path, *, suffix: str) -> Path:
    """Return a new name beside a file; OSError or ValueError if the file itself can't have its name."""
    is_there(path)
    return path.with_name(f".{secrets.token_hex(6)}.partial{suffix if len(suffix) < 32 else ''}")


def unwritable(path: Path, fault: OSError | ValueError, *, flag: str = "") -> UsageError:
    """Return what is said of a file that cannot be written."""
    reason = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
    named = f"{flag} {shown(path)} cannot be written" if flag else f"cannot write {shown(path)}"
    return UsageError(f"{named}: {reason[:1].lower()}{reason[1:]}; give another name or make room")


def shown(path: Path) -> str:
    """Return a path for a message, without its middle if it is long.

    >>> len(shown(Path("a" * 300)))
    100
    """
    text = str(path)
    half = LONGEST_SHOWN // 2
    return text if len(text) <= LONGEST_SHOWN else f"{text[: half - 3]}...{text[-half:]}"


def target_of(path: Path) -> Path:
    """Return the file that is written: what a link leads to."""
    return path.resolve() if path.is_symlink() else path


def is_special(path: Path) -> bool:
    """Tell whether a path is a device, a pipe or a stream such as /dev/stdout, even if that is a file."""
    return path.exists() and (stream_of(path) is not None or not stat.S_ISREG(path.stat().st_mode))


def stream_of(path: Path) -> int | None:
    """Return the number of the open stream that a path stands for; None if it's an ordinary name.

    >>> stream_of(Path("/dev/stdout")), stream_of(Path("/dev/fd/3")), stream_of(Path("a.json"))
    (1, 3, None)
    """
    number = path.name if str(path.parent) in STREAM_FOLDERS else ""
    return int(number) if number.isdecimal() else STREAMS.get(str(path))


def is_terminal(path: Path) -> bool:
    """Tell whether a device is a terminal, or where our output goes anyway."""
    with path.open("ab", buffering=0) as device:
        return device.isatty()


def flush(path: Path) -> None:
    """Wait until a file is on the disk; OSError where there was no room for it after all."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _try_folder(folder: Path, *, room: int) -> None:
    """Make a folder and a file of ``room`` bytes in it, and take away what was made."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    made: list[Path] = []
    try:
        for one in reversed(missing):
            one.mkdir()
            made.append(one)
        partial = own_partial(folder / "file", suffix="")
        try:
            with partial.open("xb") as file:
                file.write(bytes(room))
                file.flush()
                os.fsync(file.fileno())
        finally:
            partial.unlink(missing_ok=True)
    finally:
        for one in reversed(made):
            one.rmdir()
