"""The file beside a delta that holds what float16 addition can't reach.

Other programs don't read it; what they get then differs from the target in those places, by less than one
digit of the base. With it, base and delta give the target bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from pathlib import Path

import torch

from deixis.checkpoints.convert.delta import Correction
from deixis.checkpoints.files.lazy import Tensors, held
from deixis.checkpoints.files.safetensors_file import read_safetensors
from deixis.checkpoints.files.writing import write_file
from deixis.errors import BadWeights

FILE = "delta_corrections.safetensors"
PLACES, VALUES = "places/", "values/"


def write_corrections(folder: Path, corrections: Mapping[str, Correction]) -> None:
    """Write the file; nothing where there is nothing to correct."""
    parts = {PLACES + key: held(one.places, where="here") for key, one in corrections.items()}
    parts |= {VALUES + key: held(one.values, where="here") for key, one in corrections.items()}
    if parts:
        write_file(folder / FILE, parts)


def read_corrections(folder: Path, delta: Tensors) -> dict[str, Correction]:
    """Return the corrections beside a delta, none where there is no file.

    BadWeights: one of a key that the delta lacks, or of a place that the tensor hasn't.
    """
    path = folder / FILE
    if not path.is_file():
        return {}
    parts = read_safetensors(path)
    corrections = {}
    for name, part in parts.items():
        key = name.removeprefix(PLACES)
        if not name.startswith(PLACES):
            continue
        if key not in delta or VALUES + key not in parts:
            raise BadWeights(f"{path} corrects {key}, which the delta in {folder} lacks; fetch both together")
        places, values = part.read(), parts[VALUES + key].read()
        right = places.dtype is torch.int64 and values.dtype is torch.float16 and places.ndim == 1
        if not right or places.shape != values.shape or out_of_range(places, prod(delta[key].shape)):
            raise BadWeights(
                f"{path} corrects places of {key} that a tensor of {list(delta[key].shape)} lacks"
            )
        corrections[key] = Correction(places, values)
    return corrections


def out_of_range(places: torch.Tensor, count: int) -> bool:
    """Return whether a place is not one of ``count``."""
    return bool(((places < 0) | (places >= count)).any())
