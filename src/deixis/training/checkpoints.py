"""Checkpoints from which a killed run goes on to the very same weights.

A checkpoint is a folder of safetensors and JSON, written beside its final name and renamed when complete: a
run killed while writing leaves only a ``.partial`` folder, which the next run removes. Batches are a
function of seed and step (``batches``), so the step is all that must be remembered of the data.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from deixis.errors import RecipeError
from deixis.training.ema import AveragedWeights

KEPT = 2


@dataclass(frozen=True)
class RunState:
    """Everything that changes while a run goes on."""

    network: nn.Module
    optimiser: torch.optim.Optimizer
    average: AveragedWeights | None


def save_checkpoint(folder: Path, state: RunState, *, step: int, recipe: dict[str, Any]) -> Path:
    """Write checkpoint ``step`` (steps done so far) into ``folder``, atomically, and drop older ones."""
    final = folder / f"step-{step:08d}"
    partial = folder / f"step-{step:08d}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    save_file(contiguous(state.network.state_dict()), partial / "network.safetensors")
    save_file(optimiser_tensors(state.optimiser), partial / "optimiser.safetensors")
    if state.average is not None:
        save_file(contiguous(state.average.state), partial / "average.safetensors")
    content = {"step": step, "recipe": recipe, "rng": torch.get_rng_state().tolist()}
    (partial / "state.json").write_text(json.dumps(content), encoding="utf-8")
    for path in partial.iterdir():
        flush(path)
    if final.exists():
        shutil.rmtree(final)
    os.replace(partial, final)
    flush(folder)
    for old in checkpoints(folder)[:-KEPT]:
        shutil.rmtree(old)
    return final


def checkpoints(folder: Path) -> list[Path]:
    """Return the complete checkpoints of a folder, oldest first; half-written ones are removed."""
    for partial in folder.glob("step-*.partial"):
        shutil.rmtree(partial, ignore_errors=True)
    return sorted(path for path in folder.glob("step-*") if path.is_dir())


def load_checkpoint(path: Path, state: RunState, *, recipe: dict[str, Any]) -> int:
    """Fill ``state`` from a checkpoint and return its step; RecipeError if another recipe made it."""
    content = json.loads((path / "state.json").read_text(encoding="utf-8"))
    stored = json.loads(json.dumps(recipe))
    changed = sorted(key for key in stored if content["recipe"].get(key) != stored[key])
    if changed:
        raise RecipeError(
            f"checkpoint {path.name} was made by a recipe with other {', '.join(changed)}; a resumed run "
            "must be the "
            "same run. Restore the recipe, or start anew in another --out folder"
        )
    state.network.load_state_dict(load_file(path / "network.safetensors"))
    fill_optimiser(state.optimiser, load_file(path / "optimiser.safetensors"))
    if state.average is not None:
        for name, tensor in load_file(path / "average.safetensors").items():
            state.average.state[name].copy_(tensor)
    torch.set_rng_state(torch.tensor(content["rng"], dtype=torch.uint8))
    return int(content["step"])


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the optimiser's tensors by "<parameter>/<quantity>"."""
    return {
        f"{name}/{quantity}": value.detach().clone().contiguous()
        for bucket in optimiser.param_groups
        for name, parameter in zip(bucket["names"], bucket["params"], strict=True)
        for quantity, value in optimiser.state.get(parameter, {}).items()
    }


def fill_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Give the optimiser the tensors of ``optimiser_tensors``."""
    parameters = {
        name: parameter
        for bucket in optimiser.param_groups
        for name, parameter in zip(bucket["names"], bucket["params"], strict=True)
    }
    optimiser.state.clear()
    for key, value in tensors.items():
        name, _, quantity = key.rpartition("/")
        optimiser.state[parameters[name]][quantity] = value


def contiguous(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return copies that safetensors can store: contiguous, none sharing memory."""
    return {name: tensor.detach().clone().contiguous() for name, tensor in state.items()}


def flush(path: Path) -> None:
    """Make a file or folder survive a crash of the machine."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
