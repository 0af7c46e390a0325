"""The JSON files beside weights: ``config.json`` and its kind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deixis.errors import BadWeights, MissingWeights, RecordError
from deixis.files.json_files import read_json
from deixis.files.writing import write_whole

LARGEST = 8 << 20  # bytes; an index of a hundred thousand tensors has as many


def read_settings(path: Path, *, largest: int = LARGEST) -> dict[str, Any]:
    """Return the JSON object of a file; MissingWeights where there is none, BadWeights for anything else."""
    if not path.is_file():
        raise MissingWeights(f"{path} is missing; expected the folder of a checkpoint, with its {path.name}")
    try:
        return read_json(path, largest=largest).values
    except RecordError as fault:
        raise BadWeights(f"{fault}; fetch the file again") from fault


def write_settings(path: Path, settings: Mapping[str, Any]) -> None:
    """Write a JSON object whole, sorted by name as ``transformers`` does; UsageError where that can't be."""
    write_whole(path, json.dumps(settings, indent=2, sort_keys=True) + "\n")
