"""A row of a file with the bytes that it takes, and what every kind of file of rows can do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deixis.errors import RecordError
from deixis.files.json_files import Fields

LARGEST_ROW = 16 << 20  # bytes


@dataclass(frozen=True)
class PlacedRow:
    """A row, which lies at the bytes [start, end) of its file. number: by which messages call it."""

    number: int
    start: int
    end: int
    fields: Fields


class RowFile(Protocol):
    """A file of rows. Nothing of it is kept in memory; a row's bytes are read again by their place."""

    path: Path

    def rows(self) -> Iterator[PlacedRow]:
        """Yield every row in order; RecordError says what is wrong in which."""
        ...

    def row(self, start: int, end: int, *, number: int) -> Fields:
        """Return the row at bytes [start, end), known by its number."""
        ...


def bytes_at(path: Path, start: int, end: int, *, where: str) -> bytes:
    """Return bytes [start, end) of a file; RecordError where it has become shorter or can't be read."""
    try:
        with path.open("rb") as stream:
            stream.seek(start)
            found = stream.read(end - start)
    except OSError as fault:
        raise RecordError(f"{path} cannot be read: {fault.strerror or fault}") from fault
    if len(found) != end - start:
        raise changed(where)
    return found


def changed(where: str) -> RecordError:
    """Return the error for a file that isn't any more what it was when its rows were found."""
    return RecordError(f"{where}: is no longer there as it was; was the file changed while it is in use?")
