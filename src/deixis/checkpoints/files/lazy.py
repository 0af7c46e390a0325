"""A tensor that is still in its file: its shape is known, its numbers are read when they are wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor


@dataclass(frozen=True)
class LazyTensor:
    """A tensor of a known shape. ``where``: the file that it comes from, for messages.

    ``read`` gives a contiguous tensor that nothing else refers to, new at every call.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    where: str
    read: Callable[[], Tensor]

    @property
    def bytes(self) -> int:
        """How many bytes its numbers take."""
        return prod(self.shape) * self.dtype.itemsize


Tensors = Mapping[str, LazyTensor]


def held(tensor: Tensor, *, where: str) -> LazyTensor:
    """Return a tensor in memory as one that can be read.

    >>> held(torch.zeros(2, 3), where="here").shape
    (2, 3)
    """
    return LazyTensor(tuple(tensor.shape), tensor.dtype, where, lambda: tensor.detach().clone().contiguous())


def shown(shape: tuple[int, ...]) -> str:
    """Return a shape for messages.

    >>> shown((4096, 1024))
    '[4096, 1024]'
    """
    return str(list(shape))
