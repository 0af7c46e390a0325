"""A JSON list of objects of any length, read row by row.

The published programs load such a list whole, in every process: tens of gigabytes for ten million dialogues.
Here a window of a few megabytes passes over it.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from deixis.errors import RecordError
from deixis.files.json_files import Fields, ordinary_file, shown_value
from deixis.files.rows.placed import LARGEST_ROW, PlacedRow, bytes_at, changed

WINDOW = 4 << 20  # bytes that are read at a time
SPACE = re.compile(r"[ \t\r\n]*")
MARK = b"\xef\xbb\xbf"  # begins some files of UTF-8


class JsonListFile:
    """A file that is one JSON list of objects."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def rows(self) -> Iterator[PlacedRow]:
        """Yield every object. RecordError: not a list, an entry that is no object, more behind the list."""
        ordinary_file(self.path)
        try:
            with self.path.open("rb") as stream:
                yield from entries(Window(stream, self.path), self.path)
        except OSError as fault:
            raise RecordError(f"{self.path} cannot be read: {fault.strerror or fault}") from fault

    def row(self, start: int, end: int, *, number: int) -> Fields:
        """Return the object at bytes [start, end)."""
        where = place(self.path, number)
        try:
            value = json.loads(bytes_at(self.path, start, end, where=where))
        except (ValueError, RecursionError) as fault:
            raise changed(where) from fault
        if not isinstance(value, dict):
            raise changed(where)
        return Fields(value, where)


def place(path: Path, number: int) -> str:
    """Return what an entry is called in messages."""
    return f"{path}[{number}]"


class Window:
    """The part of a file that is looked at: text, where in it we are, and at which byte that is."""

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self.stream, self.path = stream, path
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.parser = json.JSONDecoder()
        self.text, self.at, self.byte = "", 0, 0
        self.ended = False
        first = stream.read(len(MARK))
        if first == MARK:
            self.byte = len(MARK)
        else:
            self.text = self.decoded(first)

    def decoded(self, part: bytes) -> str:
        """Return bytes as text; what is half a character waits for the rest."""
        try:
            return self.decoder.decode(part, final=not part)
        except UnicodeDecodeError as fault:
            raise RecordError(f"{self.path}: is no text of UTF-8 ({fault.reason})") from fault

    def grow(self) -> bool:
        """Read on, dropping what has been passed; False at the end of the file."""
        if self.ended:
            return False
        part = self.stream.read(WINDOW)
        self.text = self.text[self.at :] + self.decoded(part)
        self.at, self.ended = 0, not part
        return bool(part)

    def pass_over(self, end: int) -> None:
        """Go on to the character ``end``."""
        self.byte += len(self.text[self.at : end].encode())
        self.at = end

    def next_character(self) -> str:
        """Return the next character that is no white space, which stays; empty at the end of the file."""
        while True:
            found = SPACE.match(self.text, self.at)
            assert found is not None
            self.pass_over(found.end())
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.grow():
                return ""

    def value(self, *, where: str) -> Any:
        """Return the object that begins here, and pass over it."""
        while True:
            try:
                value, end = self.parser.raw_decode(self.text, self.at)
            except RecursionError as fault:
                raise RecordError(f"{where}: is nested too deeply") from fault
            except ValueError as fault:
                if len(self.text) - self.at > LARGEST_ROW:
                    raise RecordError(
                        f"{where}: is no valid JSON, or over {LARGEST_ROW} bytes ({fault})"
                    ) from fault
                if not self.grow():
                    raise RecordError(f"{where}: is no valid JSON ({fault})") from fault
                continue
            self.pass_over(end)
            return value


def entries(window: Window, path: Path) -> Iterator[PlacedRow]:
    """Yield the objects of a list."""
    if (found := window.next_character()) != "[":
        raise RecordError(f"{path}: begins with {found!r}; expected a JSON list of objects")
    window.pass_over(window.at + 1)
    number = 0
    if window.next_character() != "]":
        while True:
            where = place(path, number)
            if (found := window.next_character()) != "{":
                raise RecordError(f"{where}: begins with {found!r}; expected an object")
            start = window.byte
            value = window.value(where=where)
            if not isinstance(value, dict):
                raise RecordError(f"{where}: is {shown_value(value)}; expected an object")
            yield PlacedRow(number, start, window.byte, Fields(value, where))
            number += 1
            if (found := window.next_character()) not in (",", "]"):
                raise RecordError(f"{where}: is followed by {found!r}; expected a comma, or the list's end")
            if found == "]":
                break
            window.pass_over(window.at + 1)
    window.pass_over(window.at + 1)
    if found := window.next_character():
        raise RecordError(f"{path}: goes on with {found!r} behind its list; expected nothing more")
