"""A folder of weights as one collection of tensors by name, whatever files they are spread over.

Read are safetensors and ``pytorch_model*.bin``, one file or several, with or without an index.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch

from deixis.checkpoints.convert.renaming import is_dropped
from deixis.checkpoints.files.lazy import LazyTensor, shown
from deixis.checkpoints.files.pickled_file import read_pickled
from deixis.checkpoints.files.safetensors_file import read_safetensors
from deixis.checkpoints.files.settings import read_settings
from deixis.errors import BadWeights, MissingWeights
from deixis.files.json_files import can_be_named

Reader = Callable[[Path], dict[str, LazyTensor]]
INDICES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
PATTERNS = ("model*.safetensors", "pytorch_model*.bin", "*.safetensors")
NUMBERED = re.compile(r"^(.*)-(\d{5})-of-(\d{5})(\.\w+)$")
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def open_shards(folder: Path) -> dict[str, LazyTensor]:
    """Return all tensors of a folder by name, without buffers that need no storing.

    Every file is opened, so that a missing, cut, refused or contradictory one is told at once; no numbers are
    read. MissingWeights: no folder, no weights in it, or not all of them. BadWeights: anything else.
    """
    if not folder.is_dir():
        raise MissingWeights(
            f"{folder} is no folder; expected a checkpoint's, with its weights and config.json"
        )
    index = next((folder / name for name in INDICES if (folder / name).is_file()), None)
    mapped = read_index(index) if index is not None else {}
    paths = [folder / name for name in dict.fromkeys(mapped.values())] or found(folder)
    tensors = joined(paths)
    for key, name in mapped.items():
        if key not in tensors:
            raise BadWeights(
                f"{index} says that {key} is in {name}, but it is not there; index and files are not of the "
                "same checkpoint: fetch them together"
            )
    tensors = {key: tensor for key, tensor in tensors.items() if not is_dropped(key)}
    for key, tensor in tensors.items():
        if tensor.dtype not in FLOATS:
            raise BadWeights(
                f"{tensor.where}: {key} {shown(tensor.shape)} holds {tensor.dtype}; expected floating-point "
                "weights; is the checkpoint quantised? fetch the one that is not"
            )
    return tensors


def read_index(path: Path) -> dict[str, str]:
    """Return key to file name of an index; BadWeights where a name leads out of the folder."""
    mapped: Any = read_settings(path).get("weight_map")
    if not isinstance(mapped, dict) or not mapped:
        raise BadWeights(f"{path}: field 'weight_map' is {mapped!r:.60}; expected file names by key")
    for key, name in mapped.items():
        plain = isinstance(name, str) and name and Path(name).name == name and not re.search(r"[\\\0:]", name)
        if not plain or name in (".", "..") or not can_be_named(name):
            raise BadWeights(
                f"{path}: the file of {key} is {name!r:.120}; expected the plain name of a file in "
                f"{path.parent}; an index that points elsewhere is not followed"
            )
    return mapped


def found(folder: Path) -> list[Path]:
    """Return the weight files of a folder without an index."""
    for pattern in PATTERNS:
        if paths := sorted(path for path in folder.glob(pattern) if path.is_file()):
            check_numbers(paths)
            return paths
    raise MissingWeights(
        f"{folder} holds no weights; expected {' or '.join(PATTERNS)}; is it the folder of the whole "
        "checkpoint?"
    )


def check_numbers(paths: list[Path]) -> None:
    """Raise MissingWeights where files called k-of-n are not all there."""
    names = {path.name for path in paths}
    for path in paths:
        if (numbered := NUMBERED.match(path.name)) is None:
            continue
        start, _, count, end = numbered.groups()
        # Only as many names are tried as there are files and one more: the count is what a file name says.
        for number in range(1, min(int(count), len(paths) + 1) + 1):
            wanted = f"{start}-{number:05d}-of-{count}{end}"
            if wanted not in names:
                raise MissingWeights(f"{path.parent / wanted} is missing; {path.name} says there are {count}")


def joined(paths: Iterable[Path]) -> dict[str, LazyTensor]:
    """Return the tensors of several files; BadWeights for a key that two of them hold."""
    tensors: dict[str, LazyTensor] = {}
    for path in paths:
        if not path.is_file():
            raise MissingWeights(f"{path} is missing; the index names it: fetch all files of the checkpoint")
        for key, tensor in reader(path)(path).items():
            if key in tensors:
                raise BadWeights(
                    f"{key} is in {tensors[key].where} {shown(tensors[key].shape)} and in {path} "
                    f"{shown(tensor.shape)}; expected it once; the folder mixes two checkpoints"
                )
            tensors[key] = tensor
    return tensors


def reader(path: Path) -> Reader:
    """Return what reads a file; BadWeights for an unknown ending."""
    if path.suffix == ".safetensors":
        return read_safetensors
    if path.suffix in (".bin", ".pt", ".pth"):
        return read_pickled
    raise BadWeights(f"{path} is no weights file; expected a name that ends in .safetensors or .bin")
