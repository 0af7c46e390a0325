"""Saving and opening a pointer system as the folder that the ecosystem expects."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import GenerationConfig

from deixis.errors import BadWeights
from deixis.language.vocabulary import ANSWER, END, PAD, PICTURE, REGION, UNKNOWN, USER, Vocabulary
from deixis.systems.pointer.config import PointerConfig
from deixis.systems.pointer.model import PointerNetwork
from deixis.systems.quiet import quiet_transformers
from deixis.systems.stored import open_network

ADDED = ("second_look.", "region_detail.")  # parts that changed options may add
POSITION_MAPS = ("mapper.coarse_position", "mapper.fine_position")
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


def load_network(folder: Path, *, options: dict[str, Any] | None = None) -> tuple[PointerNetwork, Vocabulary]:
    """Return the float32 network and vocabulary of a saved folder.

    options: settings of PointerConfig to change, e.g. another ``side``: the learned position maps are then
    resized. BadWeights where tensors are missing, left over or of another shape.
    """
    network: PointerNetwork = open_network(PointerNetwork, folder, what="pointer system")
    try:
        vocabulary = Vocabulary.load(folder)
    except Exception as fault:  # tokenizers raise nothing more special
        raise BadWeights(f"{folder} is not a complete pointer system: {fault}") from fault
    if len(vocabulary) != network.config.vocab_size:
        raise BadWeights(
            f"{folder}: tokenizer.json has {len(vocabulary)} pieces, config.json says "
            f"{network.config.vocab_size}"
        )
    return (rebuilt(network, options) if options else network), vocabulary


def rebuilt(network: PointerNetwork, options: dict[str, Any]) -> PointerNetwork:
    """Return a network of changed options with the old one's weights; parts that it adds start as made."""
    known = {key: getattr(network.config, key) for key in PointerConfig.options()}
    changed = PointerNetwork(PointerConfig(**(known | {"vocab_size": network.config.vocab_size} | options)))
    state = network.state_dict()
    for name in POSITION_MAPS:
        size = changed.state_dict()[name].shape[-2:]
        state[name] = torch.nn.functional.interpolate(state[name], size, mode="bilinear", align_corners=False)
    report = changed.load_state_dict(state, strict=False)
    if report.unexpected_keys:
        raise BadWeights(f"the changed network has no place for {report.unexpected_keys}")
    missing = [name for name in report.missing_keys if not name.startswith(ADDED)]
    if missing:
        raise BadWeights(f"the old network has no {missing} for the changed one")
    return changed
