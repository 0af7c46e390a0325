"""One safetensors file, read one tensor at a time."""

from __future__ import annotations

from math import prod
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from deixis.checkpoints.files.lazy import LazyTensor
from deixis.errors import BadWeights

DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}


def read_safetensors(path: Path) -> dict[str, LazyTensor]:
    """Return the tensors of a file; BadWeights where its header and its length don't agree."""
    try:
        with safe_open(path, framework="pt") as file:
            slices = {key: file.get_slice(key) for key in file.keys()}  # noqa: SIM118 - it is no mapping
            described = {key: (tuple(part.get_shape()), part.get_dtype()) for key, part in slices.items()}
    except Exception as fault:  # safetensors raises a kind of its own
        raise BadWeights(
            f"{path} ({path.stat().st_size} bytes) is no whole safetensors file: {fault}; it was probably "
            "cut short or changed on the way: fetch it again and compare its size or checksum"
        ) from fault
    tensors = {}
    for key, (shape, name) in described.items():
        if name not in DTYPES:
            raise BadWeights(
                f"{path}: {key} holds numbers of type {name}; expected one of {', '.join(DTYPES)}; "
                "is the checkpoint quantised? fetch the one that is not"
            )
        tensors[key] = lazy(path, key, shape, DTYPES[name])
    return tensors


def lazy(path: Path, key: str, shape: tuple[int, ...], dtype: torch.dtype) -> LazyTensor:
    """Return one tensor of a file. The file is mapped only while the tensor is copied out of it."""

    def read() -> Tensor:
        try:
            with safe_open(path, framework="pt") as file:
                tensor: Tensor = file.get_tensor(key)
                return tensor.clone()
        except Exception as fault:
            raise BadWeights(
                f"{path}: {key} {list(shape)} ({prod(shape) * dtype.itemsize} bytes) cannot be read: {fault}"
            ) from fault

    return LazyTensor(shape, dtype, str(path), read)
