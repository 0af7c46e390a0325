"""Dataset files in JSON, read within bounds: every wrong field is reported with its place."""

from __future__ import annotations

import json
import math
import os
import reprlib
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

from deixis.errors import RecordError

LARGEST_FILE = 2 << 30
LARGEST_LINE = 4 << 20
LARGEST_WHOLE = (1 << 63) - 1
LONGEST_PART, LONGEST_NAME = 255, 4_000  # bytes of a file's name and of its path, as file systems allow
SHORT = reprlib.Repr()
SHORT.maxstring = SHORT.maxother = SHORT.maxlong = 80
SHORT.maxlist = SHORT.maxdict = 20


@dataclass(frozen=True)
class Fields:
    """One JSON object and where it stands; its methods return a field of the wanted type or raise
    RecordError.

    >>> Fields({"width": 320}, "a.json images[0]").whole("width", least=1)
    320
    """

    values: dict[str, Any]
    where: str

    def _wrong(self, name: str, expected: str) -> RecordError:
        if name not in self.values:
            return RecordError(f"{self.where}: field {name!r} is missing; expected {expected}")
        return RecordError(
            f"{self.where}: field {name!r} is {shown_value(self.values[name])}; expected {expected}"
        )

    def text(self, name: str) -> str:
        """A string."""
        value = self.values.get(name)
        if not isinstance(value, str):
            raise self._wrong(name, "a string")
        return value

    def optional_text(self, name: str) -> str | None:
        """A string, or None where the field is null or absent."""
        return None if self.values.get(name) is None else self.text(name)

    def whole(self, name: str, *, least: int | None = None) -> int:
        """A whole number, not below `least`."""
        value = self.values.get(name)
        if not _is_whole(value) or (least is not None and value < least):
            raise self._wrong(
                name, "a whole number" if least is None else f"a whole number, at least {least}"
            )
        return value

    def flag(self, name: str) -> bool:
        """A truth value; 0 and 1 count as such, an absent field as false."""
        value = self.values.get(name, False)
        if value not in (False, True) or not isinstance(value, int):
            raise self._wrong(name, "true or false")
        return bool(value)

    def numbers(self, name: str, *, count: int) -> list[float]:
        """A list of exactly `count` finite numbers."""
        value = self.values.get(name)
        if not isinstance(value, list) or len(value) != count or not all(map(_is_number, value)):
            raise self._wrong(name, f"{count} finite numbers")
        return [float(number) for number in value]

    def whole_numbers(self, name: str) -> tuple[int, ...]:
        """A list of whole numbers; an absent field is an empty one."""
        value = self.values.get(name, [])
        if not isinstance(value, list) or not all(map(_is_whole, value)):
            raise self._wrong(name, "a list of whole numbers")
        return tuple(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings; an absent field is an empty one."""
        value = self.values.get(name, [])
        if not isinstance(value, list) or any(not isinstance(text, str) for text in value):
            raise self._wrong(name, "a list of strings")
        return tuple(value)

    def inside(self, name: str) -> Fields:
        """An object, knowing its place."""
        value = self.values.get(name)
        if not isinstance(value, dict):
            raise self._wrong(name, "an object")
        return Fields(value, f"{self.where} {name}")

    def rows(self, name: str) -> Iterator[Fields]:
        """The objects of a list, each knowing its index."""
        value = self.values.get(name)
        if not isinstance(value, list):
            raise self._wrong(name, "a list of objects")
        for index, row in enumerate(value):
            where = f"{self.where} {name}[{index}]"
            if not isinstance(row, dict):
                raise RecordError(f"{where}: is {shown_value(row)}; expected an object")
            yield Fields(row, where)


@dataclass
class Numbers:
    """The numbers that a file has given to entries of a kind, each to one entry only.

    what: what the numbers are, for the message.
    """

    what: str
    places: dict[int, str] = field(default_factory=dict)

    def add(self, number: int, where: str) -> int:
        """The number, now taken by the entry at that place; RecordError with both places if it was before."""
        if number in self.places:
            raise RecordError(
                f"{where}: {self.what} {number} is used twice; the first time it is at {self.places[number]}"
            )
        self.places[number] = where
        return number


def numbered(rows: Iterable[Fields], what: str) -> dict[int, Fields]:
    """Entries by their field `id`; RecordError with both places where two have the same."""
    numbers = Numbers(what)
    return {numbers.add(row.whole("id"), row.where): row for row in rows}


def _is_number(value: object) -> bool:
    # What no float can hold is no number here either.
    return _is_whole(value) or (isinstance(value, float) and math.isfinite(value))


def _is_whole(value: object) -> TypeGuard[int]:
    return type(value) is int and abs(value) <= LARGEST_WHOLE


def shown_value(value: object) -> str:
    """A value of a file for a message, shortened, however large or deep it is."""
    try:
        return f"{SHORT.repr(value):.80}"
    except ValueError:  # a number of more digits than Python writes
        return f"a {type(value).__name__} of very many digits"


def read_json(path: Path, *, largest: int = LARGEST_FILE) -> Fields:
    """The one JSON object of a file. RecordError: no such file, more than `largest` bytes, not an object."""
    return _object(bounded_bytes(path, largest=largest), str(path))


def read_json_lines(path: Path, *, largest_line: int = LARGEST_LINE) -> Iterator[Fields]:
    """The JSON object of each line that is not blank. RecordError as for `read_json`, with its number."""
    ordinary_file(path)
    try:
        with path.open("rb") as lines:
            number = 0
            while line := lines.readline(largest_line + 1):
                number += 1
                if len(line) > largest_line:
                    raise RecordError(
                        f"{path}:{number}: line is over {largest_line} bytes; is it one object a line?"
                    )
                if line.strip():
                    yield _object(line, f"{path}:{number}")
    except OSError as fault:
        raise RecordError(f"{path} cannot be read: {fault.strerror or fault}") from fault


def ordinary_file(path: Path) -> int:
    """The size of a file; RecordError for a pipe, a device or a folder, whose content may have no end."""
    try:
        status = path.stat()
    except (OSError, ValueError) as fault:  # ValueError: a name with a zero in it
        reason = fault.strerror if isinstance(fault, OSError) else fault
        raise RecordError(f"{path!s:.200} cannot be read: {reason}") from fault
    if not stat.S_ISREG(status.st_mode):
        raise RecordError(f"{path} is not an ordinary file; expected one, no pipe, device or folder")
    return status.st_size


def bounded_bytes(path: Path, *, largest: int) -> bytes:
    """The whole content of an ordinary file of at most `largest` bytes; RecordError for any other."""
    size = ordinary_file(path)
    if size > largest:
        raise RecordError(f"{path} has {size} bytes; files over {largest} are refused")
    try:
        with path.open("rb") as stream:
            return stream.read(size)
    except OSError as fault:
        raise RecordError(f"{path} cannot be read: {fault.strerror or fault}") from fault


def _object(encoded: bytes, where: str) -> Fields:
    try:
        value = json.loads(encoded)
    except (ValueError, RecursionError) as fault:
        raise RecordError(f"{where}: is not valid JSON ({fault})") from fault
    if not isinstance(value, dict):
        raise RecordError(f"{where}: is a JSON {type(value).__name__}; expected an object")
    return Fields(value, where)


def below(folder: Path, name: str, *, where: str, linked_folders: bool = False) -> Path:
    """`folder / name` for a name that a data file gave; RecordError if it would lead out of the folder.

    Links are followed only to what is in the folder. linked_folders: folders in it may lie elsewhere.

    >>> below(Path("images"), "7.jpg", where="a.json images[0]").as_posix()
    'images/7.jpg'
    """
    parts = Path(name).parts
    if not parts or Path(name).is_absolute() or ".." in parts or "\0" in name:
        raise RecordError(
            f"{where}: file name {name!r:.200} leads out of {folder}; expected a plain relative name"
        )
    path = folder / name
    if not can_be_named(name):
        raise RecordError(f"{where}: file name {name!r:.80} is no name that a file can have")
    inside = [path] if linked_folders else [path, *list(path.parents)[: len(parts) - 1]]
    if any(map(os.path.islink, inside)) and not leads_into(path, folder):
        raise RecordError(f"{where}: file name {name!r} is a link that leads out of {folder}")
    return path


def can_be_named(name: str) -> bool:
    """Whether a file can have that name: not too long, and without half characters."""
    try:
        encoded = name.encode()
    except UnicodeEncodeError:
        return False
    return len(encoded) <= LONGEST_NAME and all(len(p) <= LONGEST_PART for p in encoded.split(b"/"))


def leads_into(path: Path, folder: Path) -> bool:
    """Whether a path ends up in a folder once links are followed."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # links in a circle
        return False
