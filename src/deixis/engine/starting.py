"""How answers begin: what their policies try out is read together, on forks of what was read."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from deixis.engine.embedded import Embedded
from deixis.engine.policy import Policy, Probe, Request
from deixis.engine.reading import LEAST_SHARED, Readings, read_rest

T = TypeVar("T")


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


def probed(readings: Readings, wanted: dict[int, Sequence[Probe]]) -> dict[int, Tensor]:
    """Return, by row, logits (n, V) of what follows each of its probes."""
    asked = [(row, probe) for row, probes in wanted.items() for probe in probes]
    if not asked:
        return {}
    read = [continued(readings, row, probe) for row, probe in asked]
    once: dict[object, int] = {}
    for number, embedded in enumerate(read):
        once.setdefault(embedded.identity, number)
    store = readings.store
    rows = store.add(len(once))
    for row, number in zip(rows, once.values(), strict=True):
        fork(readings, row, read[number], own=asked[number][0])
    hidden = read_rest(readings.decoder, store, rows, [read[number] for number in once.values()])
    for row in reversed(rows):
        store.free(row)
    logits = readings.decoder.logits(torch.stack(hidden)).float()  # (n, V)
    places = {identity: place for place, identity in enumerate(once)}
    each = [places[embedded.identity] for embedded in read]
    answers: dict[int, Tensor] = {}
    for row, probes in wanted.items():
        own = [each.pop(0) for _ in probes]
        answers[row] = logits[torch.tensor(own, device=logits.device)]
    return answers


def continued(readings: Readings, row: int, probe: Probe) -> Embedded:
    """Return what a probe reads: a prompt and the tokens behind it."""
    base = readings.prompts[row] if probe.instead is None else probe.instead
    return base.followed_by(probe.tokens, readings.decoder.words(list(probe.tokens)))


def fork(readings: Readings, row: int, embedded: Embedded, *, own: int) -> None:
    """Fill a new row with what the request's own row holds of its beginning. own: the request's number."""
    store = readings.store
    shared = embedded.shared_with(readings.prompts[own].identity)
    regime = readings.decoder.regime(len(embedded))
    source = readings.rows[own]
    if shared >= min(LEAST_SHARED, len(embedded) - 1) and store.regimes[source] == regime:
        store.share(source, row, shared)
