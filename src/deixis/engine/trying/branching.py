"""What many prompts try out, read as branches behind each prompt in its own row: nothing is copied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from deixis.engine.decoders.masks import Trees
from deixis.engine.policy import Probe
from deixis.engine.reading import Readings

Tokens = tuple[int, ...]


def can_branch(readings: Readings, row: int, probes: Sequence[Probe]) -> bool:
    """Tell whether all that a prompt tries out comes behind it, and its row has room for that."""
    if any(probe.instead is not None or not probe.tokens for probe in probes):
        return False
    store, own = readings.store, readings.rows[row]
    end = store.lengths[own] + len(branches_of(probes))
    return end <= store.slots and readings.decoder.regime(end) == store.regimes[own]


def branches_of(probes: Sequence[Probe]) -> list[Tokens]:
    """Return all that probes read, as what leads to each position: each beginning once, shorter ones first.

    >>> branches_of([Probe((5, 6)), Probe((5, 7)), Probe((5,))])
    [(5,), (5, 6), (5, 7)]
    """
    every = {probe.tokens[:end]: None for probe in probes for end in range(1, len(probe.tokens) + 1)}
    return sorted(every, key=len)


def branched(readings: Readings, wanted: Mapping[int, Sequence[Probe]]) -> dict[int, Tensor]:
    """Return, by prompt, logits (n, V) of what follows each of its probes; see ``can_branch``."""
    if not wanted:
        return {}
    decoder, device = readings.decoder, readings.store.device
    paths = [branches_of(probes) for probes in wanted.values()]
    places = [{path: place for place, path in enumerate(own)} for own in paths]
    parents = [[own[path[:-1]] if len(path) > 1 else -1 for path in own] for own in places]
    trees = Trees.of(parents)
    longest = max(trees.counts)
    ids = [[path[-1] for path in own] + [own[-1][-1]] * (longest - len(own)) for own in paths]
    states = decoder.branches(
        readings.store,
        [readings.rows[row] for row in wanted],
        decoder.words(torch.tensor(ids, device=device)),
        trees,
        key_bias=[readings.prompts[row].key_bias for row in wanted],
    )
    ends = [
        (number, at[probe.tokens])
        for number, (probes, at) in enumerate(zip(wanted.values(), places, strict=True))
        for probe in probes
    ]
    which, where = torch.tensor(ends, device=device).T
    logits = decoder.logits(states[which, where]).float()  # (n, V) of all
    return dict(zip(wanted, logits.split(list(map(len, wanted.values()))), strict=True))
