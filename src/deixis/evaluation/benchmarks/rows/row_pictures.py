"""The picture of a row: a file that it names, base64 in a cell, or bytes in a Parquet file."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deixis.errors import RecordError
from deixis.evaluation.benchmarks.benchmark import Shown
from deixis.files.json_files import Fields, below

LARGEST_PICTURE = 64 << 20  # bytes
LONGEST_REFERENCE = (
    64  # characters: a cell up to this long names another row, as the published tables have it
)


def picture_file(root: Path, name: str, *, where: str, folders: tuple[str, ...] = ("",)) -> Shown:
    """Return a picture file below a folder, from the first of some folders in it that has the file.

    RecordError: the name leads out of the folder, or there is no such file.
    """
    tried = [below(root / folder if folder else root, name, where=where) for folder in folders]
    found = next((path for path in tried if path.is_file()), None)
    if found is None:
        shown = " or ".join(map(str, tried))
        raise RecordError(f"{where}: there is no picture {shown}; is the folder of pictures beside the file?")
    return Shown(name, found)


def picture_in_row(fields: Fields, name: str, *, root: Path, folders: tuple[str, ...] = ("",)) -> Shown:
    """Return the picture of a field: bytes of Parquet, a file's name, or else base64.

    RecordError: the field is missing or holds none of these.
    """
    value = fields.values.get(name)
    if isinstance(value, dict):
        return picture_in_object(value, f"{fields.where} {name}")
    text = fields.text(name)
    if len(text) <= 512 and not looks_encoded(text):
        return picture_file(root, text.removeprefix("./"), where=fields.where, folders=folders)
    return Shown(fields.where, decoded(text, f"{fields.where} {name}"))


def picture_in_object(value: Mapping[str, Any], where: str) -> Shown:
    """Return the picture of an object with "bytes" and, perhaps, "path"."""
    content = value.get("bytes")
    if not isinstance(content, bytes) or not 0 < len(content) <= LARGEST_PICTURE:
        raise RecordError(f"{where}: has no picture's bytes, or more than {LARGEST_PICTURE:,}")
    path = value.get("path")
    return Shown(path if isinstance(path, str) and path else where, content)


def looks_encoded(text: str) -> bool:
    """Tell whether a short text is base64 rather than a file's name: it has no ending.

    >>> looks_encoded("a/b.png"), looks_encoded("iVBORw0KGgo=")
    (False, True)
    """
    return "." not in text


def decoded(text: str, where: str) -> bytes:
    """Return the bytes of base64; RecordError if it is none, is empty or too long."""
    if len(text) > LARGEST_PICTURE * 4 // 3 + 4:
        raise RecordError(f"{where}: base64 of {len(text):,} characters; pictures are refused above "
                          f"{LARGEST_PICTURE:,} bytes")  # fmt: skip
    try:
        content = base64.b64decode(text.strip().encode("ascii"), validate=True)
    except (binascii.Error, ValueError) as fault:
        raise RecordError(f"{where}: is no base64 ({fault}); expected an encoded picture") from fault
    if not content:
        raise RecordError(f"{where}: is empty; expected a picture in base64")
    return content


class TablePictures:
    """The pictures of a TSV table, whose later rows may name an earlier or later row's by its index."""

    def __init__(self, rows: list[Fields], *, index: str = "index", image: str = "image") -> None:
        self.rows = {str(row.values.get(index)): row for row in rows}
        self.image = image
        self.found: dict[str, Shown] = {}

    def of(self, row: Fields) -> Shown:
        """Return the picture of a row; RecordError if it has none, or names a row that has none."""
        if isinstance(row.values.get(self.image), dict):
            return picture_in_object(row.values[self.image], f"{row.where} {self.image}")
        text = row.text(self.image).strip()
        if len(text) > LONGEST_REFERENCE or text not in self.rows:
            return self.encoded(row, text)
        other = self.rows[text]
        content = other.text(self.image).strip()
        if content in self.rows:
            raise RecordError(f"{row.where}: its picture is that of row {text}, which has none of its own")
        return self.encoded(other, content)

    def encoded(self, row: Fields, text: str) -> Shown:
        """Return the picture in a row's cell, decoded once."""
        if row.where not in self.found:
            self.found[row.where] = Shown(row.where, decoded(text, f"{row.where} {self.image}"))
        return self.found[row.where]
