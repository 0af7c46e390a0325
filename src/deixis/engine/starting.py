"""How answers begin: what their policies try out is read together, behind what was read of their prompts."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from deixis.engine.policy import Policy, Probe, Request
from deixis.engine.reading import Readings
from deixis.engine.trying.branching import branched, can_branch
from deixis.engine.trying.forks import forked

T = TypeVar("T")

# Fewer prompts try out what they like on forks: branches round otherwise, and answers to single questions
# stay what they were.
LEAST_BRANCHING = 8


def begin(readings: Readings, requests: Sequence[Request]) -> list[Sequence[int] | Exception]:
    """Return the tokens that each answer begins with, chosen by its policy, or what the policy raised."""
    if not requests:
        return []
    logits = first_logits(readings)
    return tried_out(
        readings, [guarded(one.policy, own) for one, own in zip(requests, logits.unbind(0), strict=True)]
    )


def guarded(policy: Policy, logits: Tensor) -> Generator[Sequence[Probe], Tensor, Sequence[int] | Exception]:
    """Begin as a policy does, and return what it raises."""
    try:
        return (yield from policy.start(logits))
    except Exception as fault:
        return fault


def first_logits(readings: Readings) -> Tensor:
    """Return logits (B, V) of what follows each prompt."""
    return readings.decoder.logits(torch.stack(readings.hidden)).float()


def tried_out(readings: Readings, trials: Sequence[Generator[Sequence[Probe], Tensor, T]]) -> list[T]:
    """Return what comes of trials, one for each prompt: each yields probes and is sent logits (n, V).

    All that try something out at a time do so in one batch; equal probes are read once.
    """
    results: dict[int, T] = {}
    trying = dict(enumerate(trials))
    answers: dict[int, Tensor | None] = dict.fromkeys(trying)
    while trying:
        wanted: dict[int, Sequence[Probe]] = {}
        for row, trial in list(trying.items()):
            try:
                heard = answers[row]
                wanted[row] = next(trial) if heard is None else trial.send(heard)
            except StopIteration as over:
                results[row] = over.value
                del trying[row]
        answers = dict(probed(readings, wanted))
    return [results[row] for row in range(len(trials))]


def probed(readings: Readings, wanted: Mapping[int, Sequence[Probe]]) -> dict[int, Tensor]:
    """Return, by row, logits (n, V) of what follows each of its probes."""
    asked = {row: probes for row, probes in wanted.items() if probes}
    if not asked:
        return {}
    branching = {row: probes for row, probes in asked.items() if can_branch(readings, row, probes)}
    if len(branching) < LEAST_BRANCHING:
        branching = {}
    forking = {row: probes for row, probes in asked.items() if row not in branching}
    return branched(readings, branching) | forked(readings, forking)
