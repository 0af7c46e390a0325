"""The decoding loop, the only one: reads prompts, lets each answer's policy choose its tokens, step by step.

Rows of one batch may be about different pictures, of different lengths, with policies and settings of their
own. It runs in the caller's thread: ``advance`` takes all answers one token further.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from deixis.answers.grounded import Finish
from deixis.engine.decoder import Decoder
from deixis.engine.policy import Completion, Delta, Request
from deixis.engine.prefixes import KnownPrefix, PrefixCache
from deixis.engine.reading import Readings, read_prompts
from deixis.engine.sampling import Sampler
from deixis.engine.starting import begin
from deixis.errors import BadWeights

DAMAGED = "what the network says of the next word is not finite; its weights are damaged"


@dataclass
class Answering:
    """One answer while it is written. hidden (D,): the state that its next token is read from."""

    number: int
    request: Request
    sampler: Sampler
    hidden: Tensor
    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)  # tokens still to be said, the next one last
    finish: Finish | None = None

    def completion(self) -> Completion:
        """Return what was written."""
        assert self.finish is not None, "the answer is still being written"
        return Completion(
            tuple(self.ids),
            tuple(self.logprobs),
            tuple(self.request.policy.places),
            self.finish,
            self.request.settings,
        )


@dataclass(frozen=True)
class Event:
    """What became certain of one of the answers; completion: it is over."""

    number: int
    delta: Delta
    completion: Completion | None = None


class Decoding:
    """The answers to some requests, written together."""

    def __init__(
        self, decoder: Decoder, requests: Sequence[Request], *, prefixes: PrefixCache | None = None
    ) -> None:
        self.decoder, self.requests, self.prefixes = decoder, list(requests), prefixes
        self.readings: Readings | None = None
        self.active: list[Answering] = []  # in the order of the store's rows
        self.cancelled = False

    def __iter__(self) -> Iterator[Event]:
        """Yield what becomes certain, token by token, until every answer is over."""
        if not self.requests:
            return
        yield from self.start()
        while self.active:
            yield from self.advance()

    def completions(self) -> list[Completion]:
        """Return what is written in answer to each request, all of it."""
        done = {event.number: event.completion for event in self if event.completion is not None}
        return [done[number] for number in range(len(self.requests))]

    def cancel(self) -> None:
        """Let every answer end at its next token."""
        self.cancelled = True

    @torch.inference_mode()
    def start(self) -> list[Event]:
        """Read all prompts and choose how the answers begin."""
        prompts = [request.embedded for request in self.requests]
        room = max(
            len(one) + request.settings.max_new_tokens
            for one, request in zip(prompts, self.requests, strict=True)
        )
        self.readings = read_prompts(self.decoder, prompts, slots=room, prefixes=self.prefixes)
        openings = begin(self.readings, self.requests)
        self.active = [
            Answering(number, request, Sampler(request.settings), hidden, waiting=list(opening)[::-1])
            for number, (request, hidden, opening) in enumerate(
                zip(self.requests, self.readings.hidden, openings, strict=True)
            )
        ]
        return []

    @torch.inference_mode()
    def advance(self) -> list[Event]:
        """Take every answer one token further; those that are over make room."""
        tokens = self.choose()
        events = [self.take(one, *chosen) for one, chosen in zip(self.active, tokens, strict=True)]
        self.let_go()
        if self.active:
            self.step()
        return events

    def choose(self) -> list[tuple[int, float]]:
        """Return the next token of each answer with its log-probability."""
        logits = self.decoder.logits(torch.stack([one.hidden for one in self.active])).float()  # (B, V)
        shares = logits.log_softmax(dim=-1)
        if shares.isnan().any():
            raise BadWeights(DAMAGED)
        chosen = []
        for one, row in zip(self.active, logits.unbind(0), strict=True):
            policy = one.request.policy
            if forced := policy.forced(one.hidden):
                one.waiting = list(forced)[::-1]
            if one.waiting:
                chosen.append(one.waiting.pop())
            else:
                chosen.append(one.sampler.choose(policy.constrain(row)))
        picked = torch.tensor(chosen, device=logits.device)[:, None]
        said = shares.gather(1, picked)[:, 0].tolist()
        if not all(math.isfinite(one) for one in said):
            raise BadWeights(DAMAGED)
        return list(zip(chosen, said, strict=True))

    def take(self, one: Answering, token: int, logprob: float) -> Event:
        """Put a token behind an answer and say what became certain by it."""
        one.ids.append(token)
        one.logprobs.append(logprob)
        policy = one.request.policy
        delta = policy.accept(token, logprob)
        if delta.ended:
            one.finish = "stop"
        elif self.cancelled:
            one.finish = "cancelled"
        elif len(one.ids) >= one.request.settings.max_new_tokens:
            one.finish = "length"
        if one.finish is None:
            return Event(one.number, delta)
        rest = policy.close(one.finish)
        whole = Delta(delta.text + rest.text, (*delta.spans, *rest.spans), ended=True)
        return Event(one.number, whole, one.completion())

    def let_go(self) -> None:
        """Free the rows of answers that are over; what a lone request was read as is remembered."""
        assert self.readings is not None
        store = self.readings.store
        for row in reversed(range(len(self.active))):
            one = self.active[row]
            if one.finish is None:
                continue
            if self.prefixes is not None and len(self.requests) == 1:
                identity = (*one.request.embedded.identity, *one.ids[:-1])
                self.prefixes.keep(KnownPrefix(identity, store.saved(row)))
            moved = store.free(row)
            self.active[row] = self.active[-1] if moved is not None else one
            self.active.pop()

    def step(self) -> None:
        """Read the last token of every answer."""
        assert self.readings is not None
        decoder, store = self.decoder, self.readings.store
        last = decoder.words([one.ids[-1] for one in self.active])  # (B, D)
        by_regime: dict[int, list[int]] = {}
        for row in range(len(self.active)):
            regime = decoder.regime(store.lengths[row] + 1)
            if regime != store.regimes[row]:  # every position is read with other frequencies from here on
                self.read_anew(row)
            else:
                by_regime.setdefault(regime, []).append(row)
        for rows in by_regime.values():
            vectors = last if len(rows) == len(self.active) else last[torch.tensor(rows, device=last.device)]
            bias = [self.active[row].request.embedded.key_bias for row in rows]
            hidden = decoder.step(store, rows, vectors, key_bias=bias)
            for row, state in zip(rows, hidden.unbind(0), strict=True):
                self.active[row].hidden = state

    def read_anew(self, row: int) -> None:
        """Read a whole row from its beginning."""
        assert self.readings is not None
        one = self.active[row]
        whole = one.request.embedded.followed_by(one.ids, self.decoder.words(one.ids))
        self.readings.store.truncate(row, 0)
        one.hidden = self.decoder.read(
            self.readings.store, [row], [whole.vectors], prefix=[whole.prefix], key_bias=[whole.key_bias]
        )[0]
