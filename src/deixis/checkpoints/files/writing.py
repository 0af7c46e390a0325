"""Safetensors written one tensor at a time, in shards of at most 5 GB with an index.

The format's header needs only names, types and shapes, so nothing but the tensor being written is in memory.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from deixis.checkpoints.files.lazy import LazyTensor, Tensors, shown
from deixis.checkpoints.files.safetensors_file import DTYPES
from deixis.checkpoints.files.settings import write_settings
from deixis.errors import BadWeights, UsageError

LARGEST_SHARD = 5_000_000_000
NAMES = {dtype: name for name, dtype in DTYPES.items()}
# Numbers are handed to the file in pieces of this many bytes.
PIECE = 16 << 20


@dataclass(frozen=True)
class Shard:
    """One file to write: its name, and its tensors in the order of the file."""

    name: str
    tensors: Tensors


def write_tensors(folder: Path, tensors: Tensors, *, largest: int = LARGEST_SHARD) -> list[Path]:
    """Write ``model.safetensors``, or several files and ``model.safetensors.index.json``; return their paths.

    largest: bytes of numbers in one file; a tensor that is larger has a file of its own. BadWeights: a tensor
    that is not what it said, or holds infinity or NaN. UsageError: the disk is full.
    """
    check_room(folder, total_bytes(tensors))
    shards = planned(tensors, largest)
    paths = [write_file(folder / shard.name, shard.tensors) for shard in shards]
    if len(shards) > 1:
        total = total_bytes(tensors)
        placed = {key: shard.name for shard in shards for key in shard.tensors}
        index = folder / "model.safetensors.index.json"
        write_settings(index, {"metadata": {"total_size": total}, "weight_map": placed})
        paths.append(index)
    return paths


def planned(tensors: Tensors, largest: int) -> list[Shard]:
    """Return which tensor goes into which file; their order is kept."""
    groups: list[dict[str, LazyTensor]] = [{}]
    filled = 0
    for key, tensor in tensors.items():
        if groups[-1] and filled + tensor.bytes > largest:
            groups.append({})
            filled = 0
        groups[-1][key] = tensor
        filled += tensor.bytes
    if len(groups) == 1:
        return [Shard("model.safetensors", groups[0])]
    count = len(groups)
    return [
        Shard(f"model-{number:05d}-of-{count:05d}.safetensors", group)
        for number, group in enumerate(groups, start=1)
    ]


def write_file(path: Path, tensors: Tensors) -> Path:
    """Write one safetensors file; see ``write_tensors``."""
    # Wider numbers first: every tensor then begins at a multiple of its own width.
    order = sorted(tensors, key=lambda key: -tensors[key].dtype.itemsize)
    try:
        with path.open("wb") as file:
            file.write(header({key: tensors[key] for key in order}))
            for key in order:
                write_numbers(file, read_checked(key, tensors[key]))
    except OSError as fault:
        raise UsageError(f"cannot write {path}: {fault.strerror or fault}") from fault
    return path


def header(tensors: Tensors) -> bytes:
    """Return the bytes before the numbers: the length of the JSON, and the JSON, filled up to 8 bytes.

    >>> header({})[8:]
    b'{"__metadata__":{"format":"pt"}}'
    """
    described: dict[str, object] = {"__metadata__": {"format": "pt"}}
    start = 0
    for key, tensor in tensors.items():
        end = start + tensor.bytes
        described[key] = {
            "dtype": NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
        start = end
    text = json.dumps(described, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def read_checked(key: str, lazy: LazyTensor) -> Tensor:
    """Return a tensor's numbers; BadWeights where they are not what was announced, or not finite."""
    tensor = lazy.read()
    if tuple(tensor.shape) != lazy.shape or tensor.dtype is not lazy.dtype:
        raise BadWeights(
            f"{lazy.where}: {key} is {shown(tuple(tensor.shape))} {tensor.dtype}, but was announced as "
            f"{shown(lazy.shape)} {lazy.dtype}: the file has changed"
        )
    if tensor.is_floating_point() and not is_finite(tensor):
        raise BadWeights(
            f"{lazy.where}: {key} {shown(lazy.shape)} holds infinity or NaN; the file was changed on the "
            "way, or a delta was added to another base than its own"
        )
    return tensor


def is_finite(tensor: Tensor) -> bool:
    """Return whether no number is infinite or NaN, looking at a piece at a time."""
    return all(bool(piece.isfinite().all()) for piece in tensor.flatten().split(1 << 20))


def write_numbers(file: BinaryIO, tensor: Tensor) -> None:
    """Write a tensor's numbers, in little-endian order, piece by piece."""
    for piece in tensor.contiguous().flatten().view(torch.uint8).split(PIECE):
        file.write(memoryview(piece.numpy()))


def share_like(example: Path) -> None:
    """Let whoever may read a file read the weights beside it; safetensors keeps them to their owner."""
    for file in example.parent.glob("*.safetensors"):
        shutil.copymode(example, file)


def check_room(folder: Path, wanted: int) -> None:
    """Raise UsageError where the disk has less room than the weights need."""
    free = shutil.disk_usage(folder).free
    if wanted > free:
        raise UsageError(
            f"{folder} needs {wanted / 1e9:.1f} GB, but its disk has {free / 1e9:.1f} GB left; give a "
            "folder on another disk"
        )


def total_bytes(tensors: Tensors) -> int:
    """Return how many bytes the numbers of all tensors take."""
    return sum(tensor.bytes for tensor in tensors.values())
