"""The picture that an item shows: a file, encoded bytes, or made of a file when it is asked about."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from deixis.files.json_files import LARGEST_FILE, bounded_bytes
from deixis.pictures.opening import LARGEST_PIXELS, Picture, open_picture


class MadePicture(Protocol):
    """A picture that is made of a file, such as one with marks painted on it; equal to those made alike."""

    @property
    def path(self) -> Path:
        """The file that it is made of."""

    def recipe(self) -> str:
        """Return what is done to the file: equal for equal results, whatever the file's folder."""

    def opened(self, *, max_pixels: int) -> Picture:
        """Make it. max_pixels: of the file."""


@dataclass(frozen=True)
class Shown:
    """A picture that an item shows: its name, and a path, encoded bytes, or how it is made."""

    name: str
    source: Path | bytes | MadePicture = field(repr=False)

    @property
    def file(self) -> Path | None:
        """The file that it comes from; None for bytes."""
        source = self.source
        return None if isinstance(source, bytes) else source if isinstance(source, Path) else source.path

    def opened(self, *, max_pixels: int = LARGEST_PIXELS) -> Picture:
        """Return the picture, upright; BadPicture where it can't be opened, RecordError where not made."""
        if isinstance(self.source, Path | bytes):
            return open_picture(self.source, max_pixels=max_pixels, name=self.name)
        return self.source.opened(max_pixels=max_pixels)

    def digest(self) -> str:
        """Return the digest of the picture's bytes, and of what is done to them."""
        if isinstance(self.source, bytes):
            return hashlib.sha256(self.source).hexdigest()
        path = self.source if isinstance(self.source, Path) else self.source.path
        digest = hashlib.sha256(bounded_bytes(path, largest=LARGEST_FILE))
        if not isinstance(self.source, Path):
            digest.update(self.source.recipe().encode("utf-8", "surrogatepass"))
        return digest.hexdigest()
