"""Every random state of a process, as tensors: what it drew so far decides what it draws next."""

from __future__ import annotations

import random
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor


def random_states() -> dict[str, Tensor]:
    """Return the states of Python's, numpy's and torch's generators, the latter of every device in use."""
    _, numbers, gauss = random.getstate()
    _, keys, position, has_gauss, cached = np.random.get_state(legacy=True)  # noqa: NPY002 others may use it
    states = {
        "python": torch.tensor(numbers, dtype=torch.int64),
        "python.gauss": torch.tensor([] if gauss is None else [gauss], dtype=torch.float64),
        "numpy": torch.from_numpy(np.asarray(keys).astype(np.int64)),
        "numpy.position": torch.tensor([position, has_gauss], dtype=torch.int64),
        "numpy.gauss": torch.tensor([cached], dtype=torch.float64),
        "torch.cpu": torch.get_rng_state(),
    }
    if torch.cuda.is_initialized():
        states |= {f"torch.cuda.{n}": state for n, state in enumerate(torch.cuda.get_rng_state_all())}
    if torch.backends.mps.is_available():
        states["torch.mps"] = torch.mps.get_rng_state()
    return {name: state.cpu().clone() for name, state in states.items()}


def restore_random_states(states: Mapping[str, Tensor]) -> None:
    """Set all generators to the states of ``random_states``; devices that are not here are left out.

    Raises KeyError, TypeError, ValueError or RuntimeError for what is no such state.
    """
    gauss = states["python.gauss"].tolist()
    random.setstate((3, tuple(states["python"].tolist()), gauss[0] if gauss else None))
    position, has_gauss = states["numpy.position"].tolist()
    keys = states["numpy"].numpy().astype(np.uint32)
    cached = float(states["numpy.gauss"][0])
    np.random.set_state(("MT19937", keys, position, has_gauss, cached))  # noqa: NPY002 see above
    torch.set_rng_state(states["torch.cpu"])
    for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        if f"torch.cuda.{number}" in states:
            torch.cuda.set_rng_state(states[f"torch.cuda.{number}"], number)
    if "torch.mps" in states and torch.backends.mps.is_available():
        torch.mps.set_rng_state(states["torch.mps"])


def seed_all(seed: int) -> None:
    """Start all generators of this process from a seed (0 or more; of numpy's, its last 32 bits)."""
    random.seed(seed)
    np.random.seed(seed % (1 << 32))  # noqa: NPY002 see above
    torch.manual_seed(seed)
