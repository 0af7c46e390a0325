"""Opening a saved system of the family: network and tokenizer have to fit each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch

from deixis.checkpoints.saved_network import CONFIG, open_network
from deixis.checkpoints.tokenizer_fit import check_tokens
from deixis.errors import BadWeights, UsageError
from deixis.systems.spliced.answering import SplicedSystem
from deixis.systems.spliced.network import SplicedNetwork
from deixis.text.prompt_tokens import TextCodec
from deixis.text.tokenizers.codecs.opening import open_codec

Member = TypeVar("Member", bound=SplicedSystem)
SHORTEST = 32  # tokens of a short question and its answer, the template apart


def open_member(
    kind: type[SplicedNetwork],
    folder: Path,
    *,
    make: Callable[[SplicedNetwork, TextCodec], Member],
    dtype: torch.dtype | None = torch.float32,
) -> Member:
    """Return the system saved in ``folder``, in ``dtype``; None is the one that it is stored in.

    make: of a network and its tokenizer. BadWeights where parts of the folder don't fit each other.
    """
    network = open_network(kind, folder, dtype=dtype)
    codec = open_codec(network.config.codec, folder)
    try:
        system = make(network, codec)
    except UsageError as fault:  # settings that are sound one by one
        raise BadWeights(f"{folder / CONFIG}: {fault}") from fault
    check_tokens(codec, system.template, rows=network.config.vocab_size, folder=folder)
    check_room(system, folder=folder)
    return system


def check_room(system: SplicedSystem, *, folder: Path) -> None:
    """Raise BadWeights where no question about a picture could be asked."""
    config, network = system.network.config, system.network
    opening, picture = len(system.text.ids([("a", None)], [])) + SHORTEST, network.least_tokens()
    decoder = config.get_text_config().max_position_embeddings
    limits = [("max_text", config.max_text, opening), ("max_position_embeddings", decoder, opening + picture)]
    if network.longest is not None:
        limits.append(("the longest sequence", network.longest, opening + picture))
    for name, limit, needed in limits:
        if needed > limit:
            raise BadWeights(
                f"{folder / CONFIG}: {name} is {limit} tokens; expected at least {needed} for the template, "
                f"a picture and a short question"
            )
