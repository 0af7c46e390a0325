"""The next token of every answer, and one step of the decoder behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from deixis.engine.batching.answering import Answering
from deixis.engine.batching.rows import Rows
from deixis.engine.decoder import Decoder
from deixis.errors import BadWeights

DAMAGED = "what the network says of the next word is not finite; its weights are damaged"

Chosen = tuple[int, float] | Exception


def choose(decoder: Decoder, answers: Sequence[Answering]) -> list[Chosen]:
    """Return the next token of each answer with its log-probability, or why there is none."""
    states = [one.hidden for one in answers if one.hidden is not None]
    logits = decoder.logits(torch.stack(states)).float()  # (B, V)
    shares = logits.log_softmax(dim=-1)
    broken = shares.isnan().any(dim=-1).tolist()
    chosen: list[int | Exception] = []
    for one, row, bad in zip(answers, logits.unbind(0), broken, strict=True):
        try:
            chosen.append(BadWeights(DAMAGED) if bad else next_token(one, row))
        except Exception as fault:
            chosen.append(fault)
    ids = [token if isinstance(token, int) else 0 for token in chosen]
    said = shares.gather(1, torch.tensor(ids, device=logits.device)[:, None])[:, 0].tolist()
    return [
        token
        if isinstance(token, Exception)
        else (token, logprob)
        if math.isfinite(logprob)
        else BadWeights(DAMAGED)
        for token, logprob in zip(chosen, said, strict=True)
    ]


def next_token(one: Answering, logits: Tensor) -> int:
    """Return the next token of an answer, whose logits are (V,)."""
    policy = one.request.policy
    assert one.hidden is not None
    if forced := policy.forced(one.hidden):
        one.waiting = list(forced)[::-1]
    if one.waiting:
        return one.waiting.pop()
    return one.sampler.choose(policy.constrain(logits))


def cross_switch(decoder: Decoder, rows: Rows) -> None:
    """Let answers that come into another regime be read anew: every position changes."""
    store = rows.held
    for one in rows.written:
        row = rows.row(one)
        if decoder.regime(store.lengths[row] + 1) != store.regimes[row]:
            one.prompt = one.request.embedded.followed_by(one.ids, decoder.words(one.ids))
            rows.read_anew(one)


def step(decoder: Decoder, rows: Rows) -> None:
    """Read the last token of every answer."""
    store, answers = rows.held, rows.written
    if not answers:
        return
    last = last_words(decoder, answers)
    by_regime: dict[int, list[int]] = {}
    for row in range(len(answers)):
        by_regime.setdefault(store.regimes[row], []).append(row)
    for own in by_regime.values():
        vectors = last if len(own) == len(answers) else last[torch.tensor(own, device=last.device)]
        bias = [answers[row].request.embedded.key_bias for row in own]
        hidden = decoder.step(store, own, vectors, key_bias=bias)
        for row, state in zip(own, hidden.unbind(0), strict=True):
            answers[row].hidden = state


def last_words(decoder: Decoder, answers: Sequence[Answering]) -> Tensor:
    """Return the vectors (B, D) of the last token of each answer."""
    return decoder.words([one.ids[-1] for one in answers])
