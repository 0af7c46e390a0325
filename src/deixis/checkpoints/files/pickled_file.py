"""One file of ``torch.save``, read one tensor at a time and never executed.

Only ``torch.load(weights_only=True, mmap=True)`` touches such a file: a pickle that asks for anything but
tensors is refused before it acts.
"""

from __future__ import annotations

import re
from math import prod
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor

from deixis.checkpoints.files.lazy import LazyTensor
from deixis.errors import BadWeights

COPIED = 256 << 10  # bytes, after which a file is mapped anew
ASKED_FOR = re.compile(r"(?:GLOBAL|global:?)\s+(?:GLOBAL\s+)?([\w.]+)")


def read_pickled(path: Path) -> dict[str, LazyTensor]:
    """Return the tensors of a file.

    BadWeights: the file is cut short, holds code or anything else than tensors by name, or a tensor says it
    is larger than what is stored of it.
    """
    file = MappedFile(path)
    tensors = {}
    for key, value in file.content().items():
        check_entry(path, key, value)
        tensors[key] = file.lazy(key, tuple(value.shape), value.dtype)
    file.close()
    return tensors


class MappedFile:
    """A file that is mapped while tensors are copied out of it, and let go after every ``COPIED`` bytes.

    Opening it reads what all tensors are called, so it isn't done for each of them; what was copied counts
    as memory for as long as the file is mapped, so it doesn't stay so. A file that changes is opened anew.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._content: dict[str, Any] | None = None
        self._seen: tuple[int, ...] | None = None
        self._copied = 0

    def content(self) -> dict[str, Any]:
        """Return what the file holds, mapped, not read."""
        now, content = signature(self.path), self._content
        if content is None or now != self._seen:
            content = opened(self.path)
            self._content, self._seen, self._copied = content, now, 0
        return content

    def close(self) -> None:
        """Let the file go until a tensor of it is wanted."""
        self._content = None

    def lazy(self, key: str, shape: tuple[int, ...], dtype: torch.dtype) -> LazyTensor:
        """Return one tensor of the file."""

        def read() -> Tensor:
            value = self.content().get(key)
            check_entry(self.path, key, value)
            assert isinstance(value, Tensor)
            if tuple(value.shape) != shape:
                raise BadWeights(
                    f"{self.path}: {key} is {list(value.shape)}, but was {list(shape)}: the file has changed"
                )
            copy = value.detach().clone(memory_format=torch.contiguous_format)
            self._copied += copy.nbytes
            if self._copied >= COPIED:
                self.close()
            return copy

        return LazyTensor(shape, dtype, str(self.path), read)


def signature(path: Path) -> tuple[int, ...]:
    """Return what shows that a file has changed; nothing where it cannot be looked at."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


def opened(path: Path) -> dict[str, Any]:
    """Return what a file holds, mapped, not read."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except UnpicklingError as fault:
        asked = ASKED_FOR.search(str(fault))
        what = f"it asks to run {asked[1]}" if asked else "it holds more than tensors"
        raise BadWeights(
            f"{path} is refused and was not run: {what}; weights are tensors by name and nothing else. "
            "Get the checkpoint as safetensors, or from a source that you trust"
        ) from fault
    except (
        Exception
    ) as fault:  # zip and storage errors come as RuntimeError, ValueError, EOFError, OSError, …
        first = next(iter(str(fault).splitlines()), type(fault).__name__)
        raise BadWeights(
            f"{path} ({size(path)} bytes) cannot be read as a file of torch.save: {first}; it was probably "
            "cut short or changed on the way (fetch it again), or was written before torch 1.6 (save it "
            "again)"
        ) from fault
    if not isinstance(content, dict):
        raise BadWeights(f"{path} holds a {type(content).__name__}; expected tensors by name")
    return content


def check_entry(path: Path, key: object, value: object) -> None:
    """Raise BadWeights unless the entry is a plain tensor whose numbers are all in the file."""
    if not isinstance(key, str) or not isinstance(value, Tensor):
        raise BadWeights(
            f"{path}: entry {key!r:.80} is a {type(value).__name__}; expected tensors by name; "
            "is it a training state instead of weights?"
        )
    if value.layout is not torch.strided or value.device.type != "cpu" or value.is_quantized:
        raise BadWeights(
            f"{path}: {key} is a {value.layout} tensor on {value.device}; expected a plain one; "
            "is the checkpoint quantised? fetch the one that is not"
        )
    declared, stored = prod(value.shape) * value.dtype.itemsize, value.untyped_storage().nbytes()
    if declared > stored:
        raise BadWeights(
            f"{path}: {key} declares {list(value.shape)} ({declared} bytes), but only {stored} bytes are "
            "stored of it: the file is broken or made to mislead"
        )


def size(path: Path) -> int:
    """Return how many bytes a file has, 0 where it cannot be told."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
