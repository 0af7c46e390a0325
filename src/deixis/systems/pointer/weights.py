"""Saving and opening a pointer system as the folder that the ecosystem expects."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import GenerationConfig

from deixis.errors import BadWeights
from deixis.language.vocabulary import ANSWER, END, PAD, PICTURE, REGION, UNKNOWN, USER, Vocabulary
from deixis.layers.place_map import resized_position
from deixis.systems.pointer.config import PointerConfig
from deixis.systems.pointer.model import PointerNetwork
from deixis.systems.quiet import quiet_transformers
from deixis.systems.stored import open_network

Names = tuple[str, ...]
# Parts that changed options may add.
ADDED: Names = ("second_look.", "region_detail.", "region_view.", "region_namer.")
LEFT_OUT: Names = ("region_view.", "region_namer.")  # ... and those that they may leave out
# Parts that belong to a tower: those of another one start as made.
OF_TOWER: Names = ("tower.", "mapper.laterals.", "region_namer.")
POSITION_MAPS = ("mapper.coarse_position", "mapper.fine_position")
READ_POSITION = "reader.position"
NEVER_ANSWERED = (PAD, PICTURE, REGION, USER, ANSWER, UNKNOWN)


def save_network(
    network: PointerNetwork, vocabulary: Vocabulary, folder: Path, *, dtype: torch.dtype = torch.bfloat16
) -> None:
    """Write config.json, safetensors (sharded above 5 GB), tokenizer.json and generation_config.json."""
    folder.mkdir(parents=True, exist_ok=True)
    stored = copy.deepcopy(network)
    nn.Module.to(stored, dtype)
    stored.generation_config = GenerationConfig(
        eos_token_id=END.id,
        pad_token_id=PAD.id,
        do_sample=False,
        suppress_tokens=[token.id for token in NEVER_ANSWERED],
    )
    with quiet_transformers():
        stored.save_pretrained(folder, max_shard_size="5GB")
    vocabulary.save(folder)


def load_network(
    folder: Path, *, dtype: torch.dtype | None = torch.float32
) -> tuple[PointerNetwork, Vocabulary]:
    """Return the network, in ``dtype`` (None: as stored), and vocabulary of a saved folder.

    BadWeights where tensors are missing, left over or of another shape.
    """
    network: PointerNetwork = open_network(PointerNetwork, folder, what="pointer system", dtype=dtype)
    try:
        vocabulary = Vocabulary.load(folder)
    except Exception as fault:  # tokenizers raise nothing more special
        raise BadWeights(f"{folder} is not a complete pointer system: {fault}") from fault
    if len(vocabulary) != network.config.vocab_size:
        raise BadWeights(
            f"{folder}: tokenizer.json has {len(vocabulary)} pieces, config.json says "
            f"{network.config.vocab_size}"
        )
    return network, vocabulary


def rebuilt(network: PointerNetwork, options: dict[str, Any]) -> PointerNetwork:
    """Return a network of changed options with the old one's weights; parts that it adds start as made.

    Another tower starts as made, too, and so does what reads its channels into the place map. Learned
    positions are resized: those of the place map, and those of another grid of picture tokens.
    BadWeights where the options ask for other parts of another size.
    """
    known = {key: getattr(network.config, key) for key in PointerConfig.options()}
    changed = PointerNetwork(PointerConfig(**(known | {"vocab_size": network.config.vocab_size} | options)))
    state, wanted = network.state_dict(), changed.state_dict()
    added = ADDED
    if changed.config.tower != network.config.tower:
        added = ADDED + OF_TOWER
        state = {name: tensor for name, tensor in state.items() if not name.startswith(OF_TOWER)}
    for name in POSITION_MAPS:
        state[name] = resized_position(state[name], *wanted[name].shape[-2:])
    state[READ_POSITION] = resized_table(state[READ_POSITION], grid=changed.config.picture_grid)
    for name in sorted(state.keys() & wanted.keys()):
        if state[name].shape != wanted[name].shape:
            raise BadWeights(
                f"{name} is {tuple(state[name].shape)} in the old network and {tuple(wanted[name].shape)} in "
                "the changed one; what starts from a model keeps its decoder and widths"
            )
    report = changed.load_state_dict(state, strict=False)
    lost = [name for name in report.unexpected_keys if not name.startswith(LEFT_OUT)]
    if lost:
        raise BadWeights(f"the changed network has no place for {lost}")
    missing = [name for name in report.missing_keys if not name.startswith(added)]
    if missing:
        raise BadWeights(f"the old network has no {missing} for the changed one")
    return changed


def resized_table(table: torch.Tensor, *, grid: int) -> torch.Tensor:
    """Return vectors (n * n, W) of the cells of a square grid as one of ``grid`` cells a side, bilinear."""
    side = math.isqrt(len(table))
    cells = table.T.reshape(1, -1, side, side)
    return resized_position(cells, grid, grid)[0].flatten(1).T.contiguous()
