"""Florence-2 in a checkpoint, beside it, or in a folder of its own: our parts of it, and what they leave out.

What doesn't see (the decoder, its head, the whole word table) is kept in a file beside our weights, so that
the original can be written again; nothing reads it to answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from deixis.checkpoints.convert import florence_keys as keys
from deixis.checkpoints.convert.florence_settings import florence_settings
from deixis.checkpoints.files.lazy import LazyTensor, Tensors, shown
from deixis.checkpoints.files.safetensors_file import read_safetensors
from deixis.checkpoints.files.settings import read_settings
from deixis.checkpoints.files.shards import open_shards
from deixis.checkpoints.files.writing import write_file
from deixis.errors import BadWeights, MissingWeights
from deixis.layers.towers.florence_prompts import ROWS

DECODER_FILE = "florence_decoder.safetensors"
SHARED, ENCODER_TABLE = keys.TABLES[:2]
LAYERS = "language_model.model.encoder.layers."


@dataclass(frozen=True)
class FlorenceFiles:
    """Florence-2: settings of our two parts, and all its tensors by their original names."""

    tower: dict[str, Any]
    encoder: dict[str, Any]
    tensors: Tensors

    def under(self, name: str) -> dict[str, LazyTensor]:
        """Return the weights of one of our parts, "tower" or "encoder", below that name."""
        inside = {"tower": "tower.vision.", "encoder": "encoder."}[name]
        found = {}
        for key, tensor in self.tensors.items():
            made = keys.native(key)
            own = None if made.key is None else keys.ours(made.key)
            if own is None or own[0] != name or own[1] == keys.WORDS:
                continue
            found[inside + own[1]] = transposed(tensor) if made.change == "transpose" else tensor
        if name == "encoder":
            found[inside + keys.WORDS] = prompt_rows(self.table)
        return found

    @property
    def table(self) -> LazyTensor:
        """The word table; BadWeights where there is none."""
        for name in (ENCODER_TABLE, SHARED):
            if name in self.tensors:
                return self.tensors[name]
        raise BadWeights(f"Florence-2's weights have no {SHARED}; is a file of the checkpoint missing?")

    def rest(self) -> dict[str, LazyTensor]:
        """Return what none of our parts holds, by original names; of the four copies of the table one.

        Empty where the decoder isn't there. BadWeights where the copies differ in shape.
        """
        if not any(key.startswith("language_model.model.decoder.layers.") for key in self.tensors):
            return {}
        rest = {}
        for key, tensor in self.tensors.items():
            made = keys.native(key)
            if key in keys.TABLES:
                if tensor.shape != self.table.shape:
                    raise BadWeights(
                        f"{tensor.where}: {key} is {shown(tensor.shape)}, another copy of it "
                        f"{shown(self.table.shape)}"
                    )
            elif made.key is None or keys.ours(made.key) is None:
                rest[key] = tensor
        return rest | {SHARED: self.table}


def transposed(tensor: LazyTensor) -> LazyTensor:
    """Return a matrix with its axes exchanged."""
    if len(tensor.shape) != 2:
        raise BadWeights(
            f"{tensor.where}: {keys.IMAGE_PROJECTION} is {shown(tensor.shape)}; expected a matrix"
        )
    return LazyTensor(
        tensor.shape[::-1],
        tensor.dtype,
        tensor.where,
        lambda: tensor.read().T.clone(memory_format=CONTIGUOUS),
    )


CONTIGUOUS = torch.contiguous_format


def prompt_rows(table: LazyTensor, rows: Sequence[int] = ROWS) -> LazyTensor:
    """Return the rows of a word table that prompts need."""
    if len(table.shape) != 2 or table.shape[0] <= max(rows):
        raise BadWeights(
            f"{table.where}: the word table is {shown(table.shape)}; expected a row for each of the tokens "
            f"up to {max(rows)}, as Florence-2 has"
        )
    shape = (len(rows), table.shape[1])
    return LazyTensor(shape, table.dtype, table.where, lambda: table.read()[list(rows)].clone())


def read_florence(folder: Path, *, settings: Mapping[str, Any] | None = None) -> FlorenceFiles:
    """Return Florence-2 of a folder with its config.json, in its original or in the library's format."""
    where = folder / "config.json"
    config = dict(read_settings(where) if settings is None else settings)
    config.setdefault("image_size", side_of(folder))
    tower, encoder = florence_settings(config, where=str(where))
    return FlorenceFiles(tower, encoder, originals(open_shards(folder)))


def is_florence(folder: Path) -> bool:
    """Return whether a folder's config.json says that it is Florence-2."""
    where = folder / "config.json"
    return where.is_file() and read_settings(where).get("model_type") == "florence2"


def originals(tensors: Tensors) -> dict[str, LazyTensor]:
    """Return tensors by original names, whichever of the two formats they come in."""
    own = (f"{keys.PROJECTOR}.", "model.vision_tower.", "model.language_model.")
    if not any(key.startswith(own) for key in tensors):
        return dict(tensors)
    named = {}
    for key, tensor in tensors.items():
        old = keys.original(key)
        named[old] = transposed(tensor) if old == keys.IMAGE_PROJECTION else tensor
    return named


def side_of(folder: Path) -> int:
    """Return the side of the pictures that a folder's image processor makes; 768 where it has none."""
    where = folder / "preprocessor_config.json"
    if not where.is_file():
        return 768
    size = read_settings(where).get("size")
    side = size.get("height") if isinstance(size, dict) else size
    if type(side) is not int:
        raise BadWeights(f"{where}: field 'size' is {size!r:.60}; expected the side of a square in pixels")
    return side


def write_decoder(folder: Path, rest: Tensors) -> None:
    """Write what our parts leave out of Florence-2 beside our weights; nothing where nothing is left out."""
    if rest:
        write_file(folder / DECODER_FILE, dict(rest))


def read_decoder(folder: Path) -> dict[str, LazyTensor]:
    """Return what ``write_decoder`` has written; MissingWeights where it isn't there."""
    path = folder / DECODER_FILE
    if not path.is_file():
        raise MissingWeights(
            f"{path} is missing: Florence-2's decoder, which published files hold and no answer needs; copy "
            "it from the folder that this one was trained from"
        )
    return read_safetensors(path)


def whole(parts: Tensors, rest: Tensors, *, rows: Sequence[int] = ROWS) -> dict[str, LazyTensor]:
    """Return Florence-2 by its original names, its word table four times, of our two parts and the rest.

    parts: by our networks' names. The rows of prompts are ours.
    """
    found: dict[str, LazyTensor] = {}
    for key, tensor in parts.items():
        part, _, inside = key.partition(".")
        inside = inside.removeprefix("vision.") if part == "tower" else inside
        if inside == keys.WORDS:
            continue
        old = keys.original(keys.native_of(part, inside))
        found[old] = transposed(tensor) if old == keys.IMAGE_PROJECTION else tensor
    table = with_rows(rest[SHARED], parts[f"encoder.{keys.WORDS}"], rows=rows)
    return (
        found | {key: one for key, one in rest.items() if key != SHARED} | dict.fromkeys(keys.TABLES, table)
    )


def with_rows(table: LazyTensor, own: LazyTensor, *, rows: Sequence[int]) -> LazyTensor:
    """Return a word table whose rows of prompts are others."""

    def read() -> Tensor:
        total = table.read().to(own.dtype)
        total[list(rows)] = own.read()
        return total

    return LazyTensor(table.shape, own.dtype, table.where, read)
