"""The file of a sheet: a header that names the dataset and its split, and entries with ids of their own."""

from __future__ import annotations

import json
from collections.abc import Sequence

from deixis.errors import RecordError
from deixis.files.json_files import Fields
from deixis.records.record_fields import shown

VERSION = 1


def rows_in(text: str, *, where: str) -> Sequence[Fields]:
    """Return the entries of a sheet; RecordError says what is wrong with its header or an id."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise RecordError(f"{where}: is not valid JSON ({fault})") from fault
    if not isinstance(content, dict):
        raise RecordError(f"{where}: is {shown(content)}; expected an object with a header and 'entries'")
    sheet = Fields(content, where)
    for field in ("about", "pack", "split"):
        sheet.text(field)
    version = sheet.whole("version")
    if version != VERSION:
        raise RecordError(f"{where}: version is {version}; this deixis reads version {VERSION}")
    rows = list(sheet.rows("entries"))
    ids = [row.text("id") for row in rows]
    for one in ids:
        if ids.count(one) > 1:
            raise RecordError(f"{where}: id {one!r} is used {ids.count(one)} times; each entry has its own")
    return rows
