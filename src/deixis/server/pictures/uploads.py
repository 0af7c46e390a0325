"""Uploaded pictures, kept by their content, the least recently used ones dropped within bounds."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict

from deixis.errors import BadPicture
from deixis.pictures.opening import Picture

PREFIX = "picture:"  # what stands in front of an id where it is used as an address


class Uploads:
    """Opened pictures by the digest of their bytes; used by many threads.

    most: how many are kept. most_bytes: of memory for all of them.
    """

    def __init__(self, *, most: int, most_bytes: int) -> None:
        self.most, self.most_bytes = most, most_bytes
        self._kept: OrderedDict[str, Picture] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def put(self, encoded: bytes, picture: Picture) -> str:
        """Keep a picture and return its id; the same bytes have the same one.

        BadPicture: it takes more memory than all are given.
        """
        size = memory_of(picture)
        if size > self.most_bytes:
            raise BadPicture(
                f"the picture takes {size:,} bytes of memory, and there are {self.most_bytes:,} for all; "
                "make it smaller"
            )
        own = hashlib.sha256(encoded).hexdigest()
        with self._lock:
            if own not in self._kept:
                self._bytes += size
                self._kept[own] = picture
            self._kept.move_to_end(own)
            while len(self._kept) > self.most or self._bytes > self.most_bytes:
                _, dropped = self._kept.popitem(last=False)
                self._bytes -= memory_of(dropped)
        return own

    def get(self, own: str) -> Picture | None:
        """Return the picture of an id; None where it is not kept."""
        with self._lock:
            if own in self._kept:
                self._kept.move_to_end(own)
            return self._kept.get(own)

    @property
    def count(self) -> int:
        """Return how many pictures are kept."""
        return len(self._kept)

    @property
    def bytes(self) -> int:
        """Return how much memory they take."""
        return self._bytes


def memory_of(picture: Picture) -> int:
    """Return how much memory a picture takes: its pixels, and 4 bytes a pixel where Pillow has them too."""
    twice = 0 if picture.decoded is None else 4 * picture.width * picture.height
    return picture.pixels.nbytes + twice
