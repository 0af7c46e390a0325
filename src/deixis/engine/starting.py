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
    keys = equal_where_read_alike(readings, asked)
    first = {key: number for number, key in reversed(list(enumerate(keys)))}  # which one is read for all
    chosen = sorted(first.values())
    place = {keys[number]: place for place, number in enumerate(chosen)}
    read = continued(readings, [asked[number] for number in chosen])
    store = readings.store
    rows = store.add(len(read))
    for row, number, embedded in zip(rows, chosen, read, strict=True):
        fork(readings, row, embedded, own=asked[number][0])
    hidden = read_rest(readings.decoder, store, rows, read)
    for row in reversed(rows):
        store.free(row)
    logits = readings.decoder.logits(torch.stack(hidden)).float()  # (n, V)
    each = iter(keys)
    answers: dict[int, Tensor] = {}
    for row, probes in wanted.items():
        own = [place[next(each)] for _ in probes]
        answers[row] = logits[torch.tensor(own, device=logits.device)]
    return answers


def equal_where_read_alike(
    readings: Readings, asked: Sequence[tuple[int, Probe]]
) -> list[tuple[int, tuple[int, ...]]]:
    """Return for each probe something that is equal only for those that read the same.

    What prompts stand for takes long to compare, so that each is looked at once, not once a probe.
    """
    known: dict[object, int] = {}
    numbers: dict[int, int] = {}
    keys = []
    for row, probe in asked:
        base = based_on(readings, row, probe)
        if id(base) not in numbers:
            numbers[id(base)] = known.setdefault(base.identity, len(known))
        keys.append((numbers[id(base)], tuple(probe.tokens)))
    return keys


def based_on(readings: Readings, row: int, probe: Probe) -> Embedded:
    """Return what a probe's tokens come behind."""
    return readings.prompts[row] if probe.instead is None else probe.instead


def continued(readings: Readings, asked: Sequence[tuple[int, Probe]]) -> list[Embedded]:
    """Return what probes read: a prompt each, and the tokens behind it."""
    counts = [len(probe.tokens) for _, probe in asked]
    vectors = readings.decoder.words([token for _, probe in asked for token in probe.tokens])
    return [
        based_on(readings, row, probe).followed_by(probe.tokens, own)
        for (row, probe), own in zip(asked, vectors.split(counts), strict=True)
    ]


def fork(readings: Readings, row: int, embedded: Embedded, *, own: int) -> None:
    """Fill a new row with what the request's own row holds of its beginning. own: the request's number."""
    store = readings.store
    shared = embedded.shared_with(readings.prompts[own].identity)
    regime = readings.decoder.regime(len(embedded))
    source = readings.rows[own]
    if shared >= min(LEAST_SHARED, len(embedded) - 1) and store.regimes[source] == regime:
        store.share(source, row, shared)
