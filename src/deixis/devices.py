"""Where a system computes, and with which numbers: chosen once, when it is loaded."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deixis.errors import UsageError

DEVICES = ("auto", "cpu", "cuda", "mps")
DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "auto": None,
    "stored": None,
}


def choose_device(name: str = "auto", *, local: int = 0) -> torch.device:
    """Return the device of that name; "auto" is a GPU if there is one, else Apple's, else the CPU.

    A GPU may be numbered ("cuda:1"); without a number it is number ``local``, that of this process on its
    machine. UsageError for an unknown name, or a device that isn't there.

    >>> choose_device("cpu")
    device(type='cpu')
    """
    kind, _, number = name.partition(":")
    if kind not in DEVICES or (number and not (kind == "cuda" and number.isascii() and number.isdigit())):
        raise UsageError(
            f"no device is called {name!r:.80}; expected {', '.join(DEVICES)}, or cuda:1 for the second GPU"
        )
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if kind == "auto":
        kind = next(known for known, present in there.items() if present)
    if not there[kind]:
        found = ", ".join(known for known, present in there.items() if present)
        raise UsageError(f"the device {kind} is not on this machine; there is: {found}")
    if kind != "cuda":
        return torch.device(kind)
    chosen = int(number) if number else local
    if chosen >= torch.cuda.device_count():
        raise UsageError(
            f"there is no GPU {chosen}, only {torch.cuda.device_count()} (counted from 0); start fewer "
            "processes, or choose another device"
        )
    return torch.device("cuda", chosen)


def choose_dtype(name: str, device: torch.device) -> torch.dtype | None:
    """Return the type of a network's numbers; None is the one that it is stored in.

    "auto" is float32 on a CPU and bfloat16 elsewhere; "stored" is what the folder holds. UsageError for an
    unknown name.
    """
    if name not in DTYPES:
        raise UsageError(f"dtype is {name!r:.80}; expected one of {', '.join(DTYPES)}")
    if name == "auto":
        return torch.float32 if device.type == "cpu" else torch.bfloat16
    return DTYPES[name]


def pixel_tensor(pixels: NDArray[np.uint8], *, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return pixels (H, W, 3) as a batch of one picture (1, 3, H, W) in 0..1."""
    moved = torch.from_numpy(np.ascontiguousarray(pixels)).to(device)
    return (moved.permute(2, 0, 1)[None].float() / 255).to(dtype)


def moved(batch: dict[str, Any], device: torch.device) -> dict[str, Any]:
    """Return a batch with whatever can be moved on a device."""
    return {name: value.to(device) if hasattr(value, "to") else value for name, value in batch.items()}
