"""Answering many questions about one picture: its prefix is computed once, then all answers grow together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import DynamicCache

from deixis.language.caching import named
from deixis.language.place_grammar import State, forbid, next_state, repetitions
from deixis.language.vocabulary import FOUND, NOWHERE, PAD, PHRASE, PLACE
from deixis.layers.place_map import PlaceMap
from deixis.systems.contract import Completion, Written
from deixis.systems.pointer.collate import region_tensors
from deixis.systems.pointer.model import PointerNetwork
from deixis.systems.pointer.openings import Beginning, Claims, Opinion, openings
from deixis.systems.pointer.places import PlaceReading
from deixis.systems.pointer.prompts import verdict
from deixis.systems.pointer.stepping import step


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
    network.decoder(inputs_embeds=picture, attention_mask=mask, use_cache=True, **named(cache))
    layers: list[Any] = list(cache.layers)
    return Seen(places, tuple((layer.keys, layer.values) for layer in layers))


def embedded(network: PointerNetwork, seen: Seen, prompts: Sequence[Written]) -> list[Tensor]:
    """Return the embeddings (T_i, W) of prompts about a picture, with what it holds at their regions."""
    tensors = region_tensors([[region for prompt in prompts for region in prompt.regions]], network.config)
    vectors = network.encode_regions(
        seen.places, tensors["region_masks"], tensors["region_geometry"], tensors["region_present"]
    )
    each = vectors.split([len(prompt.regions) for prompt in prompts])
    return [
        network.embed(torch.tensor(prompt.ids)[None], regions=own)[0]
        for prompt, own in zip(prompts, each, strict=True)
    ]


def grow(
    network: PointerNetwork,
    seen: Seen,
    embeds: Sequence[Tensor],
    *,
    decide: Callable[[int, Tensor], PlaceReading],
    spell: Callable[[int, Tensor, Sequence[int]], Tensor],
    opinions: Mapping[int, Opinion],
    claims: Mapping[int, Claims],
    max_new_tokens: int,
) -> list[Completion]:
    """Return greedy completions of prompts, given as embeddings (T_i, W), as one batch.

    decide: turns the number of a prompt and the hidden state (W,) at its place token into a reading. spell:
    turns the number of a prompt, logits (V,) and the ids of a phrase so far into logits that spell it as
    the prompt does. opinions: what the namer makes of the region that a prompt is about, by number of
    prompt. claims: what a prompt says that the region is. An answer ends with END or after
    ``max_new_tokens``.
    """
    rows = len(embeds)
    hidden, cache, keys_seen, position = read_prompts(network, seen, embeds)
    ids: list[list[int]] = [[] for _ in range(rows)]
    readings: list[list[PlaceReading]] = [[] for _ in range(rows)]
    states = [State.WORDS] * rows
    waiting: list[list[int]] = [[] for _ in range(rows)]  # tokens still to be said, the next one last
    for number in range(max_new_tokens):
        logits = forbid(network.words.logits(hidden), states)
        for row in range(rows):
            logits[row, sorted(repetitions(ids[row]))] = float("-inf")
            if states[row] is State.IN_PHRASE:
                logits[row] = spell(row, logits[row], open_phrase(ids[row]))
        if number == 0:
            start = Beginning.of(network, logits, cache, keys_seen=keys_seen, position=position)
            waiting = [opening[::-1] for opening in openings(start, opinions, claims)]
        chosen = logits.argmax(dim=-1).tolist()
        for row, state in enumerate(states):
            if state is State.ENDED:
                chosen[row] = PAD.id
                continue
            if state is State.PLACE:  # the place head speaks, not the words
                reading = decide(row, hidden[row])
                readings[row].append(reading)
                places = 0 if reading.nowhere else len(reading.boxes)
                waiting[row] = verdict(places, most_found=network.config.most_found)
            if waiting[row]:
                chosen[row] = waiting[row].pop()
            following = next_state(state, chosen[row])
            assert following is not None, f"{state} was followed by token {chosen[row]}"
            states[row] = following
            ids[row].append(chosen[row])
        if all(state is State.ENDED for state in states) or number == max_new_tokens - 1:
            break
        keys_seen = torch.cat([keys_seen, torch.ones(rows, 1, dtype=torch.bool)], dim=1)
        position = position + 1
        hidden = step(
            network, network.words(torch.tensor(chosen)[:, None]), keys_seen[:, None], position, cache
        )[:, -1]
    return [Completion(tuple(row), tuple(read)) for row, read in zip(ids, readings, strict=True)]


def read_prompts(
    network: PointerNetwork, seen: Seen, embeds: Sequence[Tensor]
) -> tuple[Tensor, DynamicCache, Tensor, Tensor]:
    """Read prompts (T_i, W) behind the picture, as one batch.

    Returns the last hidden states (B, W), the cache, who sees which of its slots (B, keys), and the last
    positions (B, 1).
    """
    rows = len(embeds)
    cache = DynamicCache(config=network.decoder.config)
    for layer, (keys, values) in enumerate(seen.prefix):
        cache.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), layer)
    padded = left_padded(embeds, prefix=seen.prefix[0][0].shape[2])
    hidden = step(network, padded.embeds, padded.visible, padded.positions, cache)[:, -1]
    return hidden, cache, padded.visible[:, -1], padded.positions[:, -1:]


def begin(network: PointerNetwork, seen: Seen, embeds: Sequence[Tensor]) -> Beginning:
    """Return the beginnings of the answers to prompts (T_i, W)."""
    hidden, cache, keys_seen, position = read_prompts(network, seen, embeds)
    logits = forbid(network.words.logits(hidden), [State.WORDS] * len(embeds))
    return Beginning.of(network, logits, cache, keys_seen=keys_seen, position=position)


@dataclass(frozen=True)
class Padded:
    """Prompts of different lengths as one batch."""

    embeds: Tensor  # (B, T, W)
    visible: Tensor  # (B, T, N + T): who sees what, the picture's N tokens first
    positions: Tensor  # (B, T)


def left_padded(prompts: Sequence[Tensor], *, prefix: int) -> Padded:
    """Return prompts (T_i, W) behind ``prefix`` picture tokens, padded left: answers begin at one slot."""
    longest = max(len(prompt) for prompt in prompts)
    missing = torch.tensor([longest - len(prompt) for prompt in prompts])[:, None]  # (B, 1)
    embeds = [functional.pad(prompt, (0, 0, longest - len(prompt), 0)) for prompt in prompts]
    steps = torch.arange(longest)
    real = steps >= missing  # (B, T)
    causal = steps[:, None] >= steps[None, :]
    # A padding row sees itself, so that its softmax stays finite.
    text = (causal & real[:, None, :]) | torch.eye(longest, dtype=torch.bool)
    picture = torch.ones(len(prompts), longest, prefix, dtype=torch.bool)
    positions = (prefix + steps - missing).clamp(min=0)
    return Padded(torch.stack(embeds), torch.cat([picture, text], dim=-1), positions)


def open_phrase(ids: Sequence[int]) -> Sequence[int]:
    """Return what is said of the phrase that was opened last."""
    return ids[len(ids) - ids[::-1].index(PHRASE.id) :]


def verdicts(ids: Sequence[int]) -> int:
    """Return how many place tokens got their verdict; an answer may be cut right behind a place token."""
    return sum(before == PLACE.id and token in (FOUND.id, NOWHERE.id) for before, token in pairwise(ids))
