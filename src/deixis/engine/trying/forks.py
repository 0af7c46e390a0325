"""What prompts try out, each on a fork of the prompt's row, in a store that is let go afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from deixis.engine.embedded import Embedded
from deixis.engine.policy import Probe
from deixis.engine.reading import LEAST_SHARED, Readings, read_rest
from deixis.engine.store import KeyValueStore

TOGETHER = 64  # forks in one batch, whose keys and values are copied


def forked(readings: Readings, wanted: Mapping[int, Sequence[Probe]]) -> dict[int, Tensor]:
    """Return, by prompt, logits (n, V) of what follows each of its probes; equal ones are read once."""
    asked = [(row, probe) for row, probes in wanted.items() for probe in probes]
    if not asked:
        return {}
    keys = equal_where_read_alike(readings, asked)
    first = {key: number for number, key in reversed(list(enumerate(keys)))}  # which one is read for all
    chosen = sorted(first.values())
    place = {keys[number]: place for place, number in enumerate(chosen)}
    hidden: list[Tensor] = []
    for start in range(0, len(chosen), TOGETHER):
        hidden += read_together(readings, [asked[number] for number in chosen[start : start + TOGETHER]])
    logits = readings.decoder.logits(torch.stack(hidden)).float()
    each = iter(keys)
    return {
        row: logits[torch.tensor([place[next(each)] for _ in probes], device=logits.device)]
        for row, probes in wanted.items()
    }


def read_together(readings: Readings, asked: Sequence[tuple[int, Probe]]) -> list[Tensor]:
    """Return the state (D,) behind each of some probes, read as one batch."""
    read = continued(readings, asked)
    store = readings.decoder.new_store(len(read), max(map(len, read)))
    for row, (own, _), embedded in zip(store.add(len(read)), asked, read, strict=True):
        fork(readings, store, row, embedded, own=own)
    return read_rest(readings.decoder, store, range(len(read)), read)


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


def fork(readings: Readings, store: KeyValueStore, row: int, embedded: Embedded, *, own: int) -> None:
    """Fill an empty row with what the request's own row holds of its beginning. own: the request's number."""
    shared = embedded.shared_with(readings.prompts[own].identity)
    regime = readings.decoder.regime(len(embedded))
    source = readings.rows[own]
    if shared >= min(LEAST_SHARED, len(embedded) - 1) and readings.store.regimes[source] == regime:
        store.share(source, row, shared, of=readings.store)
