"""Answering many questions about one picture: its prefix is computed once, then all answers grow together."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import DynamicCache

from deixis.language.caching import named
from deixis.language.packing import additive, picture_weight
from deixis.language.place_grammar import State, forbid, next_state, repetitions
from deixis.language.vocabulary import END, FOUND, NOWHERE, PAD, PHRASE, PLACE
from deixis.layers.place_map import PlaceMap
from deixis.systems.contract import Completion
from deixis.systems.pointer.model import PointerNetwork
from deixis.systems.pointer.places import PlaceReading
from deixis.systems.pointer.prompts import verdict

FIRST_WORDS = 6  # first tokens that are tried out
SURE = math.log(0.9)  # a first token as likely as this is taken as it is


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


def grow(
    network: PointerNetwork,
    seen: Seen,
    embeds: Sequence[Tensor],
    *,
    decide: Callable[[int, Tensor], PlaceReading],
    spell: Callable[[int, Tensor, Sequence[int]], Tensor],
    max_new_tokens: int,
) -> list[Completion]:
    """Return greedy completions of prompts, given as embeddings (T_i, W), as one batch.

    decide: turns the number of a prompt and the hidden state (W,) at its place token into a reading. spell:
    turns the number of a prompt, logits (V,) and the ids of a phrase so far into logits that spell it as
    the prompt does. An answer ends with END or after ``max_new_tokens``.
    """
    rows = len(embeds)
    cache = DynamicCache(config=network.decoder.config)
    for layer, (keys, values) in enumerate(seen.prefix):
        cache.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), layer)
    padded = left_padded(embeds, prefix=seen.prefix[0][0].shape[2])
    hidden = step(network, padded.embeds, padded.visible, padded.positions, cache)[:, -1]
    keys_seen, position = padded.visible[:, -1], padded.positions[:, -1:]
    ids: list[list[int]] = [[] for _ in range(rows)]
    readings: list[list[PlaceReading]] = [[] for _ in range(rows)]
    states = [State.WORDS] * rows
    waiting: list[list[int]] = [[] for _ in range(rows)]  # verdicts still to be told
    for number in range(max_new_tokens):
        logits = forbid(network.words.logits(hidden), states)
        for row in range(rows):
            logits[row, sorted(repetitions(ids[row]))] = float("-inf")
            if states[row] is State.IN_PHRASE:
                logits[row] = spell(row, logits[row], open_phrase(ids[row]))
        if number == 0:
            chosen = first_words(network, logits, cache, keys_seen=keys_seen, position=position)
        else:
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


def first_words(
    network: PointerNetwork, logits: Tensor, cache: DynamicCache, *, keys_seen: Tensor, position: Tensor
) -> list[int]:
    """Return the first token of each answer: the one that is likeliest together with its best second token.

    It is never the end: silence is no answer. Taken alone, the article "a" beats any word that needs none,
    and no answer would ever be "people". logits (B, V) of the first token, keys_seen (B, keys) and position
    (B, 1) of the last prompt token.
    """
    scores = logits.index_fill(1, torch.tensor([END.id]), float("-inf")).log_softmax(dim=-1)
    chosen = scores.argmax(dim=-1)
    doubtful = (scores.amax(dim=-1) < SURE).nonzero()[:, 0]
    if len(doubtful) == 0:
        return chosen.tolist()
    best = scores[doubtful].topk(FIRST_WORDS)
    tokens = best.indices.flatten()  # (D * K,)
    rows = doubtful.repeat_interleave(FIRST_WORDS)
    layers: list[Any] = list(cache.layers)
    branches = DynamicCache(config=network.decoder.config)
    for number, layer in enumerate(layers):
        branches.update(layer.keys[rows], layer.values[rows], number)
    visible = torch.cat([keys_seen[rows], torch.ones(len(rows), 1, dtype=torch.bool)], dim=1)[:, None]
    hidden = step(network, network.words(tokens[:, None]), visible, position[rows] + 1, branches)[:, -1]
    states = [next_state(State.WORDS, token) for token in tokens.tolist()]
    following = forbid(network.words.logits(hidden), [state or State.ENDED for state in states])
    second = following.log_softmax(dim=-1).amax(dim=-1)
    together = best.values + second.view_as(best.values)
    chosen[doubtful] = best.indices.gather(1, together.argmax(dim=-1, keepdim=True))[:, 0]
    return chosen.tolist()


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
        use_cache=True,
        **named(cache),
    ).last_hidden_state


def open_phrase(ids: Sequence[int]) -> Sequence[int]:
    """Return what is said of the phrase that was opened last."""
    return ids[len(ids) - ids[::-1].index(PHRASE.id) :]


def verdicts(ids: Sequence[int]) -> int:
    """Return how many place tokens got their verdict; an answer may be cut right behind a place token."""
    return sum(before == PLACE.id and token in (FOUND.id, NOWHERE.id) for before, token in pairwise(ids))
