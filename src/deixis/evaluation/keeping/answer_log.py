"""A file of JSON lines, each of which holds what came of one question, known by a digest of what was asked.

Lines are added whole, at once, by any number of threads; what a killed process left unfinished is cut off.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from deixis.errors import RecordError, UsageError
from deixis.evaluation.benchmarks.vip_bench_asking import drop_unfinished_line
from deixis.files.json_files import ordinary_file
from deixis.files.writing import require_writable

LOG = logging.getLogger("deixis")
BEGINNING = b'{"asked": "'
LARGEST_LINE = 64 << 20


def digest_of(asked: Any) -> str:
    """Return what stands for all that is asked, the same whatever the order of its fields.

    >>> digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


class AnswerLog:
    """What is kept in a file, or in memory alone without one.

    found, added: how often something was kept already, and how often it was not.
    UsageError: the file can't be written. RecordError: it is another kind of file, or a line is damaged.
    """

    def __init__(self, path: Path | None = None, *, flag: str = "the file of answers") -> None:
        self.path = path
        self.found = self.added = 0
        self._lock = threading.Lock()
        self._lines: dict[str, str] = {}
        self._stream: IO[str] | None = None
        if path is not None:
            require_writable(path, flag=flag, makes_folders=True)
            if path.exists():
                check_beginning(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = path.open("a", encoding="ascii")
            hold(self._stream, path)
            self._read(path)

    def __len__(self) -> int:
        return len(self._lines)

    def find(self, digest: str) -> Any:
        """Return what is kept under a digest, None for nothing."""
        with self._lock:
            line = self._lines.get(digest)
            self.found += line is not None
        return None if line is None else json.loads(line)["kept"]

    def entries(self) -> dict[str, Any]:
        """Return all that is kept, by digests."""
        with self._lock:
            return {digest: json.loads(line)["kept"] for digest, line in self._lines.items()}

    def keep(self, entries: Mapping[str, Any]) -> None:
        """Add what came of some questions, as one piece of the file."""
        lines = {
            digest: json.dumps({"asked": digest, "kept": kept}, allow_nan=False)
            for digest, kept in entries.items()
        }
        with self._lock:
            self._lines |= lines
            self.added += len(lines)
            if self._stream is not None:
                self._stream.write("".join(f"{line}\n" for line in lines.values()))
                self._stream.flush()

    def _read(self, path: Path) -> None:
        drop_unfinished_line(path)
        with path.open("rb") as stream:
            for number, encoded in enumerate(iter(lambda: stream.readline(LARGEST_LINE), b""), start=1):
                try:
                    line = json.loads(encoded)
                    self._lines[line["asked"]] = encoded.decode("ascii")
                    line["kept"]
                except (ValueError, RecursionError, KeyError, TypeError, UnicodeError):
                    raise RecordError(
                        f"{path}:{number}: is no kept answer; delete the line, or give another file"
                    ) from None


def check_beginning(path: Path) -> None:
    """Raise RecordError for a file that begins like no such file, before anything of it is cut off."""
    ordinary_file(path)
    with path.open("rb") as stream:
        beginning = stream.read(len(BEGINNING))
    if beginning != BEGINNING[: len(beginning)]:
        raise RecordError(f"{path} is there and isn't a file of kept answers; give another name")


def hold(stream: IO[str], path: Path) -> None:
    """Hold a file until it is closed or the process has gone; UsageError while another run holds it."""
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        stream.close()
        raise UsageError(
            f"another run is writing into {path}; wait until it has ended, or give another file"
        ) from None
    except OSError as fault:
        LOG.warning("%s can't be locked (%s); start no second run with it", path, fault.strerror)
