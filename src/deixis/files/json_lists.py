"""Dataset files that are one JSON list of objects, such as Visual Genome's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from deixis.errors import RecordError
from deixis.files.json_files import LARGEST_FILE, Fields, bounded_bytes


def read_json_list(path: Path, *, largest: int = LARGEST_FILE) -> Iterator[Fields]:
    """The objects of a file that is a list of them, each knowing its place.

    RecordError: no such file, more than `largest` bytes, not a list, an entry that is no object.
    """
    try:
        values = json.loads(bounded_bytes(path, largest=largest))
    except (ValueError, RecursionError) as fault:
        raise RecordError(f"{path}: is not valid JSON ({fault})") from fault
    if not isinstance(values, list):
        raise RecordError(f"{path}: is a JSON {type(values).__name__}; expected a list of objects")
    for index, value in enumerate(values):
        if not isinstance(value, dict):
            raise RecordError(f"{path}[{index}]: is {value!r:.80}; expected an object")
        yield Fields(value, f"{path}[{index}]")
