"""Checkpoints from which a killed run goes on to the very same weights.

A checkpoint is a folder of safetensors and JSON, written beside its final name and renamed when complete: a
run killed while writing leaves only a ``.partial`` folder, which the next run removes. Batches are a
function of seed and step (``batches``), so the step is all that must be remembered of the data. Every process
adds a file of its random states.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from deixis.errors import RecipeError
from deixis.training.parallel import World
from deixis.training.state.ema import AveragedWeights
from deixis.training.state.origin import Origin
from deixis.training.state.random_states import random_states, restore_random_states
from deixis.training.state.writing import writing

KEPT = 2
COMPLETE = re.compile(r"step-\d+")
# What reading a file raises that is not what it should be.
DAMAGES = (OSError, SafetensorError, LookupError, TypeError, ValueError, ArithmeticError, RuntimeError)


@dataclass(frozen=True)
class RunState:
    """Everything that changes while a run goes on."""

    network: nn.Module
    optimiser: torch.optim.Optimizer
    average: AveragedWeights | None


def save_checkpoint(folder: Path, state: RunState, *, step: int, origin: Origin, world: World) -> Path:
    """Write checkpoint ``step`` (steps done so far) into ``folder``, atomically, and drop older ones.

    Every process calls it and adds its random states; the first one writes the rest. UsageError where the
    disk is full, or the like.
    """
    with writing(folder / f"step-{step:08d}"):
        return write_checkpoint(folder, state, step=step, origin=origin, world=world)


def write_checkpoint(folder: Path, state: RunState, *, step: int, origin: Origin, world: World) -> Path:
    """Write a checkpoint, see ``save_checkpoint``; faults of the file system stay what they are."""
    final = folder / f"step-{step:08d}"
    partial = folder / f"step-{step:08d}.partial"
    if world.leads:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
    world.wait()
    save_shared(random_states(), partial / random_file(world.rank))
    if world.leads:
        save_shared(on_cpu(state.network.state_dict()), partial / "network.safetensors")
        save_shared(optimiser_tensors(state.optimiser), partial / "optimiser.safetensors")
        if state.average is not None:
            save_shared(on_cpu(state.average.state), partial / "average.safetensors")
        content = {"step": step, **origin.as_dict()}
        (partial / "state.json").write_text(json.dumps(content), encoding="utf-8")
    world.wait()
    if not world.leads:
        return final
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
    """Return the complete checkpoints of a folder, oldest first."""
    return sorted(path for path in folder.glob("step-*") if COMPLETE.fullmatch(path.name) and path.is_dir())


def remove_partial(folder: Path) -> None:
    """Remove half-written checkpoints; only the run that holds the folder may."""
    for partial in folder.glob("step-*.partial"):
        shutil.rmtree(partial, ignore_errors=True)


def load_checkpoint(path: Path, state: RunState, *, origin: Origin, world: World) -> int:
    """Fill ``state`` and this process's generators from a checkpoint and return its step.

    RecipeError: another recipe, other data or another number of processes made it, or a file is damaged.
    """
    with readable(path / "state.json"):
        content = json.loads((path / "state.json").read_text(encoding="utf-8"))
        step = content["step"]
        if type(step) is not int or not 0 <= step <= max(origin.recipe["steps"], 0):
            raise ValueError(f"its step is {step!r:.40}")
        dict(content["recipe"]), dict(content.get("data") or {})
    origin.check(content, name=path.name)
    with readable(path / "network.safetensors") as file:
        state.network.load_state_dict(load_file(file))
    with readable(path / "optimiser.safetensors") as file:
        fill_optimiser(state.optimiser, load_file(file))
    if state.average is not None:
        with readable(path / "average.safetensors") as file:
            average = load_file(file)
            if average.keys() != state.average.state.keys():
                raise KeyError("its names are not those of the network")
            for name, tensor in average.items():
                if tensor.shape != state.average.state[name].shape:
                    raise ValueError(f"{name} has another shape than in the network")
                state.average.state[name].copy_(tensor)
    with readable(path / random_file(world.rank)) as file:
        restore_random_states(load_file(file))
    return step


def random_file(rank: int) -> str:
    """Return the name of the file of one process's random states."""
    return f"random-{rank:05d}.safetensors"


@contextmanager
def readable(file: Path) -> Iterator[Path]:
    """Turn whatever is wrong with a file of a checkpoint into a RecipeError that names it."""
    try:
        yield file
    except DAMAGES as fault:
        reason = " ".join(str(fault).split())[:200]
        raise RecipeError(
            f"checkpoint {file.parent.name}: {file} is missing or damaged ({reason}); remove the "
            "folder to go on from the checkpoint before it, or start anew in another --out folder"
        ) from fault


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the optimiser's tensors by "<parameter>/<quantity>"."""
    return {
        f"{name}/{quantity}": value.detach().to("cpu", copy=True).contiguous()
        for bucket in optimiser.param_groups
        for name, parameter in zip(bucket["names"], bucket["params"], strict=True)
        for quantity, value in optimiser.state.get(parameter, {}).items()
    }


def fill_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Give the optimiser the tensors of ``optimiser_tensors``, each where torch keeps it.

    Moments lie beside their parameters; "step" lies on the CPU unless the step runs on the device as a whole.
    """
    places = {
        name: (parameter, bool(bucket.get("capturable") or bucket.get("fused")))
        for bucket in optimiser.param_groups
        for name, parameter in zip(bucket["names"], bucket["params"], strict=True)
    }
    optimiser.state.clear()
    for key, value in tensors.items():
        name, _, quantity = key.rpartition("/")
        parameter, whole = places[name]
        if value.shape not in ((), parameter.shape):
            raise ValueError(f"{key} is {tuple(value.shape)}, its parameter {tuple(parameter.shape)}")
        stays = quantity == "step" and not whole
        optimiser.state[parameter][quantity] = value if stays else value.to(parameter.device)


def on_cpu(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return copies that safetensors can store: on the CPU, contiguous, none sharing memory."""
    return {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in state.items()}


def save_shared(tensors: dict[str, Tensor], file: Path) -> None:
    """Write safetensors with the mode of any new file; by itself the library keeps them to their owner."""
    file.touch()
    mode = stat.S_IMODE(file.stat().st_mode)
    save_file(tensors, file)
    file.chmod(mode)


def flush(path: Path) -> None:
    """Make a file or folder survive a crash of the machine."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
