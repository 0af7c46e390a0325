"""Rows of large CSV files, one after the other: however large a file is, one line of it is in memory."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from deixis.errors import RecordError
from deixis.files.json_files import ordinary_file

LONGEST_LINE = 1 << 16  # bytes


def csv_rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield where each row stands (file and line) and its cells; blank lines are passed over.

    RecordError: no ordinary file, a line that is too long or no UTF-8, quotation marks that don't close.
    """
    ordinary_file(path)
    number = 0

    def lines() -> Iterator[str]:
        nonlocal number
        with path.open("rb") as stream:
            while line := stream.readline(LONGEST_LINE + 1):
                number += 1
                if len(line) > LONGEST_LINE:
                    raise RecordError(
                        f"{path}:{number}: line is over {LONGEST_LINE:,} bytes; is it a CSV file?"
                    )
                try:
                    yield line.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError as fault:
                    raise RecordError(f"{path}:{number}: is no UTF-8 ({fault.reason})") from fault

    try:
        for cells in csv.reader(lines(), strict=True):
            if cells:
                yield f"{path}:{number}", cells
    except csv.Error as fault:
        raise RecordError(f"{path}:{number}: is no CSV ({fault})") from fault
    except OSError as fault:
        raise RecordError(f"{path} cannot be read: {fault.strerror or fault}") from fault


def named_rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield where each row stands and its cells by the names in the first row.

    columns: those that are needed; a file may have more. RecordError: one is missing, or a row has more or
    fewer cells than the first.
    """
    rows = csv_rows(path)
    where, header = next(rows, (str(path), []))
    if missing := [name for name in columns if name not in header]:
        raise RecordError(
            f"{where}: the first row lacks {', '.join(missing)}; it has {', '.join(header)[:200]}"
        )
    for where, cells in rows:
        if len(cells) != len(header):
            raise RecordError(f"{where}: row has {len(cells)} cells, the first row {len(header)}")
        yield where, dict(zip(header, cells, strict=True))
