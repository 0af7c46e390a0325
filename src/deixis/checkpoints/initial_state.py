"""Published parts as the start of a training stage: state dicts in our names."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from torch import Tensor

from deixis.checkpoints.convert.delta import ROW_A_TOKEN
from deixis.checkpoints.convert.renaming import DECODER
from deixis.checkpoints.convert.tower_folder import read_tower
from deixis.checkpoints.files.lazy import LazyTensor, shown
from deixis.checkpoints.files.shards import open_shards, reader
from deixis.errors import BadWeights, MissingWeights

PROJECTOR = re.compile(r"^(?:.*\.)?mm_projector\.(.+)$")
PROJECTOR_FILES = ("mm_projector.bin", "mm_projector.safetensors")
NEW_ROW_DEVIATION = 0.02


def projector_state(
    path: Path, *, name: str = "projector", inputs: int | None = None, outputs: int | None = None
) -> dict[str, Tensor]:
    """Return a projector trained by LLaVA's first stage, as the part ``name`` of a network.

    path: ``mm_projector.bin`` or the folder that holds it. inputs, outputs: the widths that it should have.
    BadWeights: other widths, or no projector in the file.
    """
    if path.is_dir():
        path = next(
            (path / file for file in PROJECTOR_FILES if (path / file).is_file()), path / PROJECTOR_FILES[0]
        )
    if not path.is_file():
        raise MissingWeights(f"{path} is missing; expected the projector of LLaVA's first training stage")
    parts = {
        found[1]: tensor for key, tensor in reader(path)(path).items() if (found := PROJECTOR.match(key))
    }
    layers = sorted((key for key in parts if key.endswith("weight")), key=layer)
    if not layers:
        raise BadWeights(f"{path} holds no mm_projector; expected model.mm_projector.weight or …0.weight")
    for key, axis, wanted in ((layers[0], 1, inputs), (layers[-1], 0, outputs)):
        shape = parts[key].shape
        if len(shape) != 2 or (wanted is not None and shape[axis] != wanted):
            raise BadWeights(
                f"{path}: mm_projector.{key} is {shown(shape)}; expected {wanted} in place {axis}; it was "
                "trained for another tower or a decoder of another size"
            )
    return {f"{name}.{key}": tensor.read() for key, tensor in parts.items()}


def layer(key: str) -> int:
    """Return which layer of a projector a key is of.

    >>> layer("2.weight"), layer("weight")
    (2, 0)
    """
    first = key.split(".")[0]
    return int(first) if first.isdigit() else 0


def language_state(
    folder: Path, *, rows: int | None = None, generator: torch.Generator | None = None
) -> dict[str, Tensor]:
    """Return a plain decoder, such as Vicuna, as the part ``language`` of a network.

    rows: how many tokens there are to be; rows for new ones are drawn from a normal of deviation 0.02.
    BadWeights: a folder of something else, or more rows than wanted.
    """
    state = {}
    for key, tensor in open_shards(folder).items():
        try:
            ours = DECODER.to_ours(key)
        except BadWeights as fault:
            raise BadWeights(
                f"{tensor.where}: {key} {shown(tensor.shape)} is no part of a plain decoder; is {folder} a "
                "whole multimodal checkpoint? convert it instead"
            ) from fault
        grown = key in ROW_A_TOKEN and rows is not None
        state[ours] = with_rows(key, tensor, rows, generator) if grown and rows is not None else tensor.read()
    return state


def with_rows(key: str, lazy: LazyTensor, rows: int, generator: torch.Generator | None) -> Tensor:
    """Return a matrix with rows for new tokens at its end."""
    old, width = lazy.shape
    if old > rows:
        raise BadWeights(
            f"{lazy.where}: {key} is {shown(lazy.shape)}; expected at most {rows} rows; the decoder already "
            "has tokens added, or the configuration counts too few"
        )
    grown = torch.empty(rows, width, dtype=lazy.dtype)
    grown[:old] = lazy.read()
    grown[old:] = torch.randn(rows - old, width, generator=generator) * NEW_ROW_DEVIATION
    return grown


def tower_state(folder: Path, *, name: str = "tower") -> dict[str, Tensor]:
    """Return a CLIP or DINOv2 folder as the part ``name`` of a network."""
    return {key: tensor.read() for key, tensor in read_tower(folder).under(name).items()}
