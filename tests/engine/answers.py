"""Requests for tiny random decoders, and their answers worked out token by token without any cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from deixis.answers.grounded import Finish
from deixis.engine.decoders.causal import CausalDecoder
from deixis.engine.embedded import Embedded
from deixis.engine.policy import Delta, Request, Start, unguided
from deixis.engine.sampling import Sampler
from deixis.engine.settings import Settings
from deixis.text.packing import packed_attention, picture_weight

END = 1
WIDTH = 32


@dataclass
class Recording:
    """A policy that notes what it was given, and says what a test wants.

    never: tokens that must not come. told: tokens to be forced, by how much is said before. opening: how the
    answer begins; nothing is tried out without it.
    """

    never: Sequence[int] = ()
    told: dict[int, Sequence[int]] = field(default_factory=dict)
    opening: Callable[[Tensor], Start] | None = None
    places: list[Any] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    hidden: list[Tensor] = field(default_factory=list)
    first: Tensor | None = None
    finish: Finish | None = None

    def start(self, logits: Tensor) -> Start:
        self.first = logits
        return unguided() if self.opening is None else self.opening(logits)

    def forced(self, hidden: Tensor) -> Sequence[int]:
        self.hidden.append(hidden)
        tokens = self.told.get(len(self.ids), ())
        if tokens:
            self.places.append(len(self.ids))
        return tokens

    def constrain(self, logits: Tensor) -> Tensor:
        allowed = logits.clone()
        allowed[list(self.never)] = float("-inf")
        return allowed

    def accept(self, token: int, logprob: float) -> Delta:
        self.ids.append(token)
        self.logprobs.append(logprob)
        return Delta(f"{token} ", ended=token == END)

    def close(self, finish: Finish) -> Delta:
        self.finish = finish
        return Delta(f"({finish})")


def picture(number: int, *, cells: int = 5) -> tuple[Tensor, tuple[object, ...]]:
    """Return the vectors (N, D) of a picture and what they stand for."""
    chance = torch.Generator().manual_seed(100 + number)
    return torch.randn(cells, WIDTH, generator=chance), tuple(
        ("picture", number, cell) for cell in range(cells)
    )


def embedded(decoder: CausalDecoder, ids: Sequence[int], *, shown: int | None = None) -> Embedded:
    """Return a prompt of tokens, behind a picture that is read in both directions if one is shown."""
    words = decoder.words(list(ids))
    if shown is None:
        return Embedded(words, tuple(ids))
    vectors, identity = picture(shown)
    bias = torch.zeros(len(vectors) + len(words))
    bias[: len(vectors)] = float(picture_weight(torch.tensor(len(vectors))))
    return Embedded(torch.cat([vectors, words]), (*identity, *ids), len(vectors), bias)


def asked(
    decoder: CausalDecoder,
    ids: Sequence[int],
    *,
    shown: int | None = None,
    policy: Recording | None = None,
    **settings: Any,
) -> Request:
    """Return a request for an answer."""
    return Request(
        embedded(decoder, ids, shown=shown), Recording() if policy is None else policy, Settings(**settings)
    )


@torch.no_grad()
def logits_anew(decoder: CausalDecoder, prompt: Embedded, said: Sequence[int] = ()) -> Tensor:
    """Return logits (V,) of what comes next, everything computed anew by the library, without any cache."""
    vectors = torch.cat([prompt.vectors, decoder.words(list(said))]) if said else prompt.vectors
    mask = None
    if prompt.prefix:
        segments = torch.tensor([[0] * prompt.prefix + [1] * (len(vectors) - prompt.prefix)])
        mask = packed_attention(segments, dtype=torch.float32)
    output = decoder.body(inputs_embeds=vectors[None], attention_mask=mask, use_cache=False)
    return decoder.logits(output.last_hidden_state[0, -1]).float()


def written_anew(
    decoder: CausalDecoder, request: Request, *, opening: Sequence[int] = ()
) -> tuple[list[int], list[float]]:
    """Return the ids and log-probabilities of an answer that begins with ``opening``, without any cache."""
    policy, sampler = request.policy, Sampler(request.settings)
    assert isinstance(policy, Recording)
    ids: list[int] = []
    logprobs: list[float] = []
    waiting = list(opening)
    while len(ids) < request.settings.max_new_tokens and ids[-1:] != [END]:
        logits = logits_anew(decoder, request.embedded, ids)
        waiting = list(policy.told.get(len(ids), waiting))
        token = waiting.pop(0) if waiting else sampler.choose(policy.constrain(logits))
        ids.append(token)
        logprobs.append(float(logits.log_softmax(dim=-1)[token]))
    return ids, logprobs
