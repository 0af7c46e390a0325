"""Which kind of file of rows a file is: seen by its ending, and for JSON by its first character."""

from __future__ import annotations

from pathlib import Path

from deixis.errors import RecordError
from deixis.files.json_files import ordinary_file
from deixis.files.rows.json_list import JsonListFile
from deixis.files.rows.lines import JsonLinesFile, TableFile
from deixis.files.rows.placed import RowFile

TABLES = {".csv": ",", ".tsv": "\t"}
LOOKED_AT = 4096  # bytes at the beginning, in which there has to be something


def open_rows(path: Path) -> RowFile:
    """Return a file of rows: a JSON list, JSON lines, ``.csv`` or ``.tsv``. RecordError for any other."""
    ordinary_file(path)
    ending = path.suffix.lower()
    if ending in TABLES:
        return TableFile(path, separator=TABLES[ending])
    if ending == ".parquet":
        raise RecordError(
            f"{path} is a Parquet file, which isn't read here; write it as .csv or .jsonl with a program for "
            "such files"
        )
    try:
        with path.open("rb") as stream:
            first = stream.read(LOOKED_AT).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    except OSError as fault:
        raise RecordError(f"{path} cannot be read: {fault.strerror or fault}") from fault
    if first == b"[":
        return JsonListFile(path)
    if first == b"{":
        return JsonLinesFile(path)
    raise RecordError(
        f"{path}: begins with {first.decode(errors='replace')!r}; expected a JSON list, one object a line, "
        "or a table called .csv or .tsv"
    )
