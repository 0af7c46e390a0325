"""Keys that a server asks for: several, from a file that may change while it runs."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from deixis.errors import UsageError

LOG = logging.getLogger("deixis")
SHORTEST, LONGEST = 8, 500  # characters of a key
LARGEST_FILE = 1 << 20  # bytes
MOST_KEYS = 1000
LOOK_EVERY = 1.0  # seconds

Signature = tuple[int, int, int]


class Keys:
    """The keys that may ask. Only digests are kept, and all are compared in constant time.

    keys: what clients send as ``Authorization: Bearer KEY``. UsageError: none, or one that no header carries.

    >>> keys = Keys(["first-key", "second-key"])
    >>> keys.owner("second-key"), keys.owner("third-key")
    ('key 2', None)
    """

    def __init__(self, keys: Sequence[str], *, file: Path | None = None) -> None:
        self._digests = digests(keys, "the keys")
        self._file = file
        self._seen = None if file is None else signature(file)
        self._looked = time.monotonic()
        self._lock = threading.Lock()

    @classmethod
    def from_file(cls, file: Path) -> Keys:
        """Return the keys of a file: one a line, beside empty lines and those that begin with #.

        The file is read again when it has changed. UsageError: it can't be read, or holds no keys.
        """
        return cls(keys_in(file), file=file)

    def owner(self, key: str) -> str | None:
        """Return by what name a key is spoken of, "key 2" for the second; None if it is none of ours."""
        self.look()
        given, found = digest(key), None
        for number, own in enumerate(self._digests, 1):
            if hmac.compare_digest(given, own):  # all are compared, so that time tells nothing
                found = f"key {number}"
        return found

    def look(self) -> None:
        """Read the file again if it has changed; at most once a second."""
        if self._file is None or time.monotonic() - self._looked < LOOK_EVERY:
            return
        with self._lock:
            self._looked = time.monotonic()
            if signature(self._file) != self._seen:
                self.reload()

    def reload(self) -> None:
        """Read the file again; keys that can't be read leave those that are known, with a warning."""
        if self._file is None:
            return
        self._seen = signature(self._file)
        try:
            self._digests = digests(keys_in(self._file), str(self._file))
        except UsageError as fault:
            LOG.warning("the keys stay as they are: %s", fault)
        else:
            LOG.info("there are %d keys now", len(self._digests))


def digest(key: str) -> bytes:
    """Return a key as digests of equal length, which can be compared in constant time."""
    return hashlib.sha256(key.encode("utf-8", errors="surrogatepass")).digest()


def digests(keys: Sequence[str], where: str) -> tuple[bytes, ...]:
    """Return the digests of keys; UsageError for what can't be one. The keys are never shown."""
    if not 0 < len(keys) <= MOST_KEYS:
        raise UsageError(f"{where} holds {len(keys)} keys; expected 1 to {MOST_KEYS}, each on its own line")
    for number, key in enumerate(keys, 1):
        if not (key.isascii() and key.isprintable() and " " not in key and SHORTEST <= len(key) <= LONGEST):
            raise UsageError(
                f"key {number} of {where} can't be used; expected {SHORTEST} to {LONGEST} printable letters "
                "without spaces, as `openssl rand -hex 24` gives them"
            )
    return tuple(map(digest, keys))


def keys_in(file: Path) -> list[str]:
    """Return the keys of a file; UsageError if it can't be read."""
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
    except OSError as fault:
        raise UsageError(f"the file of keys {file} can't be read: {fault.strerror or fault}") from fault
    if len(content) > LARGEST_FILE:
        raise UsageError(
            f"the file of keys {file} is larger than {LARGEST_FILE:,} bytes; is it the right one?"
        )
    lines = [line.strip() for line in content.decode("utf-8", errors="replace").splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def signature(file: Path) -> Signature | None:
    """Return what shows that a file has changed; None where there is none."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
