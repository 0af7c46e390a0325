"""The rows of a published table, whatever it is written in: JSON, JSON lines, CSV, TSV or Parquet."""

from __future__ import annotations

import ast
import csv
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deixis.errors import RecordError
from deixis.evaluation.benchmarks.predictions import identifier
from deixis.extras import missing_package
from deixis.files.json_files import Fields, bounded_bytes, ordinary_file, read_json_lines, shown_value

LARGEST_CELL = 64 << 20  # characters: a picture in base64
LARGEST_LINE = 64 << 20
MOST_COLUMNS = 4096
ROWS_AT_ONCE = 64
DELIMITERS = {".csv": ",", ".tsv": "\t"}
__all__ = [
    "cell",
    "find_file",
    "find_files",
    "identifier",
    "named",
    "root_of",
    "rows_of",
    "texts_in",
    "unique",
    "wrong",
]
ENDINGS = (".json", ".jsonl", ".csv", ".tsv", ".parquet")


def find_files(path: Path, names: Sequence[str], *, what: str) -> list[Path]:
    """Return the files of a benchmark: a file itself, or what is found of some patterns in a folder.

    names: patterns such as "test*.jsonl"; the first that finds anything is taken, its files sorted by name.
    RecordError: there is no such path, or nothing is found.
    """
    path = Path(path)
    if path.is_dir():
        for name in names:
            if found := sorted(one for one in path.glob(name) if one.is_file()):
                return found
        raise RecordError(f"{path} has none of {', '.join(names)}; expected {what}")
    ordinary_file(path)
    return [path]


def find_file(path: Path, names: Sequence[str], *, what: str) -> Path:
    """Return the one file of a benchmark, as ``find_files``; RecordError where several are found."""
    found = find_files(path, names, what=what)
    if len(found) > 1:
        several = ", ".join(one.name for one in found[:5])
        raise RecordError(f"{path} has {len(found)} such files: {several}; give the one that is meant")
    return found[0]


def root_of(path: Path) -> Path:
    """Return the folder that a benchmark's pictures are named from: a folder itself, or a file's own."""
    return Path(path) if Path(path).is_dir() else Path(path).parent


def rows_of(path: Path, *, key: str | None = None) -> Iterator[Fields]:
    """Yield the rows of a file, by its ending, each knowing its place.

    key: in JSON, the field that holds the list of rows, where the file is not that list itself. Cells of CSV
    and TSV are texts, "" where there is nothing.
    RecordError: a file of another kind, a damaged one, a row that is no object or has too many cells.
    """
    ending = path.suffix.lower()
    if ending == ".jsonl":
        return read_json_lines(path, largest_line=LARGEST_LINE)
    if ending in DELIMITERS:
        return separated_rows(path, delimiter=DELIMITERS[ending])
    if ending == ".parquet":
        return parquet_rows(path)
    if ending == ".json":
        return json_rows(path, key=key)
    raise RecordError(f"{path} ends in {ending!r}; expected one of {', '.join(ENDINGS)}")


def json_rows(path: Path, *, key: str | None) -> Iterator[Fields]:
    """Yield the objects of a JSON list, of the list in a field, or of JSON lines in a file named .json."""
    content = bounded_bytes(path, largest=2 << 30)
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as fault:
        if content.lstrip().startswith(b"{") and b"\n" in content.strip():
            yield from read_json_lines(path, largest_line=LARGEST_LINE)
            return
        raise RecordError(f"{path}: is not valid JSON ({fault})") from fault
    where = str(path)
    if key is not None and isinstance(value, dict):
        value, where = value.get(key), f"{path} {key}"
    if not isinstance(value, list):
        raise RecordError(f"{where}: is {shown_value(value)}; expected a list of objects")
    for index, row in enumerate(value):
        if not isinstance(row, dict):
            raise RecordError(f"{where}[{index}]: is {shown_value(row)}; expected an object")
        yield Fields(row, f"{where}[{index}]")


def separated_rows(path: Path, *, delimiter: str) -> Iterator[Fields]:
    """Yield the rows of a CSV or TSV file by the names in its first line; places are line numbers."""
    ordinary_file(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, delimiter=delimiter, strict=True)
            names = next_cells(reader)
            if not names or len(set(names)) < len(names) or len(names) > MOST_COLUMNS:
                raise RecordError(f"{path}:1: expected the columns' names in the first line, each once")
            while (cells := next_cells(reader)) is not None:
                where = f"{path}:{reader.line_num}"
                if len(cells) != len(names):
                    raise RecordError(f"{where}: {len(cells)} cells; expected {len(names)}, as columns")
                yield Fields(dict(zip(names, cells, strict=True)), where)
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise RecordError(f"{path} cannot be read as a table: {fault}") from fault


def next_cells(reader: Any) -> list[str] | None:
    """Return the cells of a reader's next line that isn't empty; None at the end."""
    with cells_up_to(LARGEST_CELL):
        return next((cells for cells in reader if cells), None)


@contextmanager
def cells_up_to(most: int) -> Iterator[None]:
    """Let cells be so long; the module ``csv`` has one bound for everybody, which is put back."""
    before = csv.field_size_limit(most)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def parquet_rows(path: Path) -> Iterator[Fields]:
    """Yield the rows of a Parquet file; pictures are objects with "bytes" and "path"."""
    ordinary_file(path)
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError as fault:
        raise missing_package(fault) or fault from fault
    numbers = itertools.count()
    try:
        with parquet.ParquetFile(path) as table:
            for batch in table.iter_batches(batch_size=ROWS_AT_ONCE):
                for row in batch.to_pylist():
                    yield Fields(row, f"{path} row {next(numbers)}")
    except (OSError, pyarrow.ArrowException) as fault:
        raise RecordError(f"{path} cannot be read as Parquet: {fault}") from fault


def cell(fields: Fields, name: str) -> str:
    """Return a text that may be missing: "" for an absent or empty cell, and for what pandas writes there.

    >>> cell(Fields({"C": "nan"}, "a.tsv:2"), "C"), cell(Fields({"C": " 7 "}, "a.tsv:2"), "C")
    ('', '7')
    """
    value = fields.values.get(name)
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    text = fields.text(name).strip()
    return "" if text.lower() == "nan" else text


def named(fields: Fields, *names: str) -> str:
    """Return a text from the first of some fields that is there; RecordError for an empty one."""
    found = next((name for name in names if name in fields.values), names[0])
    text = cell(fields, found)
    if not text:
        raise wrong(fields, found, "a text that is not empty")
    return text


def texts_in(fields: Fields, name: str) -> tuple[str, ...]:
    """Return a list of texts, also where it is written as a text, as in "['6', '7']".

    RecordError: it is neither, or the list is empty.
    """
    value = fields.values.get(name)
    if isinstance(value, str) and value.strip().startswith("["):
        try:
            value = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            value = None
    if isinstance(value, list | tuple) and value and all(isinstance(one, str | int | float) for one in value):
        return tuple(str(one) for one in value)
    raise wrong(fields, name, "a list of texts, not empty")


def wrong(fields: Fields, name: str, expected: str) -> RecordError:
    """Return the fault of a field that is missing or holds something else than was expected."""
    if name not in fields.values:
        return RecordError(f"{fields.where}: field {name!r} is missing; expected {expected}")
    return RecordError(
        f"{fields.where}: field {name!r} is {shown_value(fields.values[name])}; expected {expected}"
    )


def unique(ids: Iterable[str], places: Iterable[str]) -> None:
    """Raise RecordError with both places where two rows have the same id."""
    seen: dict[str, str] = {}
    for name, where in zip(ids, places, strict=True):
        if name in seen:
            raise RecordError(f"{where}: id {name!r} stands twice; the first time at {seen[name]}")
        seen[name] = where
