"""Answering many questions about one picture: its prefix is computed once, then all answers grow together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from deixis.language.packing import additive, picture_weight
from deixis.language.place_grammar import State, forbid, next_state
from deixis.language.vocabulary import END, FOUND, NOWHERE, PAD
from deixis.layers.place_map import PlaceMap
from deixis.systems.contract import Completion
from deixis.systems.pointer.model import PointerNetwork
from deixis.systems.pointer.places import PlaceReading


@dataclass(frozen=True)
class Seen:
    """The tensors of a perception: the place map and the decoder's keys and values of the picture tokens."""

    places: PlaceMap
    prefix: tuple[tuple[Tensor, Tensor], ...]  # per layer, each (1, heads, N, width / heads)


def read_prefix(network: PointerNetwork, places: PlaceMap) -> Seen:
    """Let the decoder read the picture tokens, which see each other in both directions."""
    picture = network.reader(places)
    cache = DynamicCache(config=network.decoder.config)
    mask = torch.zeros(1, 1, picture.shape[1], picture.shape[1], dtype=picture.dtype)
    network.decoder(inputs_embeds=picture, attention_mask=mask, past_key_values=cache, use_cache=True)
    layers: list[Any] = list(cache.layers)
    return Seen(places, tuple((layer.keys, layer.values) for layer in layers))


def grow(
    network: PointerNetwork,
    seen: Seen,
    embeds: Sequence[Tensor],
    *,
    decide: Callable[[Tensor], PlaceReading],
    max_new_tokens: int,
) -> list[Completion]:
    """Return greedy completions of prompts, given as embeddings (T_i, W), as one batch.

    decide: turns the hidden state (W,) at a place token into its reading. An answer ends with END or after
    ``max_new_tokens``.
    """
    rows, longest = len(embeds), max(len(prompt) for prompt in embeds)
    prefix = seen.prefix[0][0].shape[2]
    cache = DynamicCache(config=network.decoder.config)
    for layer, (keys, values) in enumerate(seen.prefix):
        cache.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), layer)
    # Prompts are padded on the left, so that all answers begin at the same slot.
    lengths = torch.tensor([len(prompt) for prompt in embeds])
    batch = torch.stack(
        [torch.nn.functional.pad(prompt, (0, 0, longest - len(prompt), 0)) for prompt in embeds]
    )
    steps = torch.arange(longest)
    real = steps >= (longest - lengths)[:, None]  # (B, T)
    positions = (prefix + steps - (longest - lengths)[:, None]).clamp(min=0)
    causal = steps[:, None] >= steps[None, :]
    itself = torch.eye(
        longest, dtype=torch.bool
    )  # a padding row sees itself, so that its softmax stays finite
    seen_text = (causal & real[:, None, :]) | itself
    visible = torch.cat([torch.ones(rows, longest, prefix, dtype=torch.bool), seen_text], dim=-1)
    keys_seen = torch.cat([torch.ones(rows, prefix, dtype=torch.bool), real], dim=1)
    hidden = step(network, batch, visible, positions, cache)[:, -1]
    ids: list[list[int]] = [[] for _ in range(rows)]
    readings: list[list[PlaceReading]] = [[] for _ in range(rows)]
    states = [State.WORDS] * rows
    for number in range(max_new_tokens):
        chosen = forbid(network.words.logits(hidden), states).argmax(dim=-1).tolist()
        for row, state in enumerate(states):
            if state is State.ENDED:
                chosen[row] = PAD.id
                continue
            if state is State.PLACE:  # the place head speaks, not the words
                readings[row].append(decide(hidden[row]))
                chosen[row] = NOWHERE.id if readings[row][-1].nowhere else FOUND.id
            following = next_state(state, chosen[row])
            assert following is not None, f"{state} was followed by token {chosen[row]}"
            states[row] = following
            ids[row].append(chosen[row])
        if all(state is State.ENDED for state in states) or number == max_new_tokens - 1:
            break
        keys_seen = torch.cat([keys_seen, torch.ones(rows, 1, dtype=torch.bool)], dim=1)
        embedded = network.words(torch.tensor(chosen)[:, None])
        at = (prefix + lengths + number)[:, None]
        hidden = step(network, embedded, keys_seen[:, None, :], at, cache)[:, -1]
    return [Completion(tuple(row), tuple(read)) for row, read in zip(ids, readings, strict=True)]


def step(
    network: PointerNetwork, embeds: Tensor, visible: Tensor, positions: Tensor, cache: DynamicCache
) -> Tensor:
    """Feed embeddings (B, T, W) and return hidden states (B, T, W); visible (B, T, keys): who sees what."""
    tokens = network.config.picture_tokens
    weights = torch.zeros(visible.shape[-1])
    weights[:tokens] = picture_weight(torch.tensor(tokens))
    return network.decoder(
        inputs_embeds=embeds,
        attention_mask=additive(visible, weights, dtype=embeds.dtype)[:, None],
        position_ids=positions,
        past_key_values=cache,
        use_cache=True,
    ).last_hidden_state


def is_complete(ids: Sequence[int]) -> bool:
    """Tell whether an answer ended by itself."""
    return bool(ids) and ids[-1] == END.id


def verdicts(ids: Sequence[int]) -> int:
    """Return how many place tokens got their verdict; an answer may be cut right behind a place token."""
    return sum(token in (FOUND.id, NOWHERE.id) for token in ids)
