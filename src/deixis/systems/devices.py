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


def choose_device(name: str = "auto") -> torch.device:
    """Return the device of that name; "auto" is the first GPU there is, else Apple's, else the CPU.

    A GPU may be numbered ("cuda:1"). UsageError for an unknown name, or a device that isn't there.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", torch.cuda.current_device())
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    kind, _, number = name.partition(":")
    if kind not in DEVICES or (number and not (kind == "cuda" and number.isascii() and number.isdigit())):
        raise UsageError(
            f"device is {name!r:.80}; expected {', '.join(DEVICES)}, or cuda:1 for the second GPU"
        )
    missing_gpu = kind == "cuda" and not torch.cuda.is_available()
    if missing_gpu or (kind == "mps" and not torch.backends.mps.is_available()):
        raise UsageError(
            f"device {name!r} is not on this machine (or this build of torch has no part for it)"
        )
    if number and int(number) >= torch.cuda.device_count():
        raise UsageError(f"there is no device {name!r}; this machine has {torch.cuda.device_count()} GPUs")
    return torch.device(name)


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
