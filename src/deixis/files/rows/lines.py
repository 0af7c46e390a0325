"""JSON lines, and tables of comma- or tab-separated columns with a header, read row by row."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from deixis.errors import RecordError
from deixis.files.json_files import Fields, ordinary_file
from deixis.files.rows.placed import LARGEST_ROW, PlacedRow, bytes_at, changed

LINES = re.compile(r"[^\n]*\n|[^\n]+")


class JsonLinesFile:
    """A file with one JSON object a line; blank lines are passed over."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def rows(self) -> Iterator[PlacedRow]:
        """Yield the object of every line."""
        for number, (start, line) in enumerate(numbered_lines(self.path), start=1):
            if line.strip():
                where = f"{self.path}:{number}"
                yield PlacedRow(number, start, start + len(line), parsed(line, where=where))

    def row(self, start: int, end: int, *, number: int) -> Fields:
        """Return the object at bytes [start, end)."""
        where = f"{self.path}:{number}"
        try:
            return parsed(bytes_at(self.path, start, end, where=where), where=where)
        except ValueError as fault:
            raise changed(where) from fault


def parsed(line: bytes, *, where: str) -> Fields:
    """Return a line's object; RecordError for what is none."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as fault:
        raise RecordError(f"{where}: is no valid JSON ({fault})") from fault
    if not isinstance(value, dict):
        raise RecordError(f"{where}: is a JSON {type(value).__name__}; expected an object")
    return Fields(value, where)


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield every line with the byte that it begins at; RecordError for one that is too long."""
    ordinary_file(path)
    try:
        with path.open("rb") as stream:
            yield from lines_of(stream, path)
    except OSError as fault:
        raise RecordError(f"{path} cannot be read: {fault.strerror or fault}") from fault


def lines_of(stream: IO[bytes], path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield a stream's lines with their first bytes."""
    start = 0
    while line := stream.readline(LARGEST_ROW + 1):
        if len(line) > LARGEST_ROW:
            raise RecordError(f"{path}: a line that begins at byte {start} is over {LARGEST_ROW} bytes")
        yield start, line
        start += len(line)


class TableFile:
    """A table of text whose first line names the columns; every row is an object of texts by their names.

    separator: between columns. Quoted texts may go on over several lines.
    """

    def __init__(self, path: Path, *, separator: str) -> None:
        self.path, self.separator = path, separator
        self.columns: tuple[str, ...] = ()

    def rows(self) -> Iterator[PlacedRow]:
        """Yield every row below the first line. RecordError: another number of columns, a name twice."""
        start = end = 0
        taken = 0

        def texts() -> Iterator[str]:
            nonlocal end, taken
            for first, line in numbered_lines(self.path):
                end, taken = first + len(line), taken + len(line)
                if taken > LARGEST_ROW:  # a quote that is never closed
                    raise RecordError(
                        f"{self.path}: a row that begins at byte {start} is over {LARGEST_ROW} bytes"
                    )
                yield text_of(line, where=f"{self.path}: at byte {first}")

        reader = csv.reader(texts(), delimiter=self.separator, strict=True)
        number = 0
        while True:
            where = f"{self.path}: row {number}"
            try:
                values = next(reader, None)
            except csv.Error as fault:
                raise RecordError(f"{where}: {fault}") from fault
            if values is None:
                return
            if not number:
                self.columns = self.named(values)
            elif values:
                yield PlacedRow(number, start, end, self.fields(values, where=where))
            start, taken, number = end, 0, number + 1

    def row(self, start: int, end: int, *, number: int) -> Fields:
        """Return the row at bytes [start, end)."""
        where = f"{self.path}: row {number}"
        if not self.columns:
            next(iter(self.rows()), None)
        text = text_of(bytes_at(self.path, start, end, where=where), where=where)
        try:
            (values,) = csv.reader(LINES.findall(text), delimiter=self.separator, strict=True)
        except (csv.Error, ValueError) as fault:
            raise changed(where) from fault
        return self.fields(values, where=where)

    def named(self, values: list[str]) -> tuple[str, ...]:
        """Return the names of the columns."""
        twice = sorted({name for name in values if values.count(name) > 1})
        if twice or not values:
            raise RecordError(
                f"{self.path}: columns {twice} are named twice, or none is; expected a name each"
            )
        return tuple(values)

    def fields(self, values: list[str], *, where: str) -> Fields:
        """Return a row by the names of the columns."""
        if len(values) != len(self.columns):
            raise RecordError(f"{where}: has {len(values)} columns; the first line names {len(self.columns)}")
        return Fields(dict(zip(self.columns, values, strict=True)), where)


def text_of(line: bytes, *, where: str) -> str:
    """Return bytes as text."""
    try:
        return line.decode("utf-8-sig" if line.startswith(b"\xef\xbb\xbf") else "utf-8")
    except UnicodeDecodeError as fault:
        raise RecordError(f"{where}: is no text of UTF-8 ({fault.reason})") from fault
