"""A network without numbers: what it would store, compared with a file before any memory is taken for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from deixis.checkpoints.convert.renaming import dinov2_attention, with_parts
from deixis.checkpoints.files.lazy import Tensors
from deixis.checkpoints.files.safetensors_file import read_safetensors
from deixis.checkpoints.files.shards import joined, read_index
from deixis.checkpoints.library_logging import quiet_transformers
from deixis.errors import BadWeights

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
SHOWN = 100  # names of each kind in a message


def skeleton_of(build: Callable[[], nn.Module], *, where: object) -> nn.Module:
    """Return a network whose weights take no room, however large they are.

    where: the file with its settings. BadWeights where they make no network.
    """
    try:
        with torch.device("meta"), quiet_transformers():
            return build()
    except Exception as fault:  # layers refuse sizes with any kind, our own ones among them
        raise BadWeights(f"{where}: no network can be made of these settings: {fault!s:.500}") from fault


def saved_tensors(folder: Path) -> Tensors:
    """Return the tensors of a saved network by name, from the headers of its safetensors files."""
    if (folder / SINGLE).is_file():
        return read_safetensors(folder / SINGLE)
    if (folder / INDEX).is_file():
        files = dict.fromkeys(read_index(folder / INDEX).values())
        return joined(folder / name for name in files)
    raise BadWeights(f"{folder} has no {SINGLE}, nor {INDEX}; expected the folder of a saved network")


def check_header(skeleton: nn.Module, tensors: Tensors, *, folder: Path) -> None:
    """Raise BadWeights unless files hold exactly what a network stores, by name, shape and kind of number."""
    wanted, tied = skeleton.state_dict(), tied_names(skeleton)
    held = {name if name in wanted else with_parts(name, dinov2_attention()): name for name in tensors}
    others = {name: mates for mates in tied for name in mates}
    missing = [
        name for name in wanted if name not in held and not any(one in held for one in others.get(name, ()))
    ]
    both = [name for name in wanted if name in held]
    wrong = {
        "missing_keys": missing,
        "unexpected_keys": [stored for name, stored in held.items() if name not in wanted],
        "mismatched_keys": [
            f"{name}: {list(tensors[held[name]].shape)} in the file, {list(wanted[name].shape)} by config"
            for name in both
            if tensors[held[name]].shape != tuple(wanted[name].shape)
        ],
        "no numbers with a point": [
            name
            for name in both
            if wanted[name].is_floating_point() and not tensors[held[name]].dtype.is_floating_point
        ],
    }
    if found := {what: shortened(names) for what, names in wrong.items() if names}:
        raise BadWeights(f"the weights in {folder} don't fit its config.json: {found}")


def tied_names(network: nn.Module) -> list[list[str]]:
    """Return the names of weights that are one and the same, group by group."""
    names: dict[int, list[str]] = {}
    for name, parameter in network.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    return [group for group in names.values() if len(group) > 1]


def shortened(names: list[str]) -> list[str]:
    """Return the first names and how many more there are."""
    names = sorted(names)
    more = len(names) - SHOWN
    return names if more <= 0 else [*names[:SHOWN], f"and {more} more"]
