"""Reading prompts into rows of a store, each beginning that several of them share only once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from torch import Tensor

from deixis.engine.decoder import Decoder
from deixis.engine.embedded import Embedded
from deixis.engine.prefixes import PrefixCache
from deixis.engine.store import KeyValueStore

LEAST_SHARED = 16  # positions; reading fewer twice costs less than reading them apart


@dataclass(frozen=True)
class Readings:
    """Prompts that were read: the decoder, its store, and of each its last state (D,) and its row."""

    decoder: Decoder
    store: KeyValueStore
    prompts: list[Embedded]
    hidden: list[Tensor]
    rows: Sequence[int]


def read_prompts(
    decoder: Decoder, prompts: Sequence[Embedded], *, slots: int, prefixes: PrefixCache | None
) -> Readings:
    """Read prompts as one batch into a store with memory for ``slots`` positions a row.

    What a prompt shares with an earlier one (``prefixes``) is taken over, and what several of them begin with
    is read once; a shared beginning is remembered.
    """
    store = decoder.new_store(len(prompts), slots)
    rows = store.add(len(prompts))
    groups: dict[Hashable, list[int]] = {}
    for row, prompt in zip(rows, prompts, strict=True):
        regime = decoder.regime(len(prompt))
        if prefixes is not None:
            prefixes.load(prompt, store, row, regime=regime)
        groups.setdefault((first_picture(prompt), regime), []).append(row)
    for members in groups.values():
        if len(members) > 1:
            read_shared(decoder, store, members, prompts, prefixes=prefixes)
    return Readings(decoder, store, list(prompts), read_rest(decoder, store, rows, prompts), rows)


def first_picture(prompt: Embedded) -> Hashable:
    """Return what stands for the first vector of a prompt that is no token's; None where all are tokens."""
    return next((one for one in prompt.identity if not isinstance(one, int)), None)


def read_shared(
    decoder: Decoder,
    store: KeyValueStore,
    members: Sequence[int],
    prompts: Sequence[Embedded],
    *,
    prefixes: PrefixCache | None,
) -> None:
    """Read what all members begin with into the first of them, and copy it to the others."""
    lead, *others = members
    first = prompts[lead]
    shared = min(prompts[row].shared_with(first.identity) for row in others)
    shared = min(shared, len(first) - 1)
    known = min(store.lengths[row] for row in members)
    # A beginning is of no use to longer prompts that are read with other frequencies.
    if shared - known < LEAST_SHARED or decoder.regime(shared) != decoder.regime(len(first)):
        return
    start = store.lengths[lead]
    if start < shared:
        decoder.read(
            store,
            [lead],
            [first.vectors[start:shared]],
            prefix=[first.prefix],
            key_bias=[None if first.key_bias is None else first.key_bias[:shared]],
        )
    saved = store.saved(lead, 0, shared)
    for row in others:
        if store.lengths[row] < shared:
            store.load(row, saved)
    if prefixes is not None and start < shared:
        prefixes.keep(first.identity[:shared], store, lead)


def read_rest(
    decoder: Decoder, store: KeyValueStore, rows: Sequence[int], prompts: Sequence[Embedded]
) -> list[Tensor]:
    """Read what is missing of each row's prompt and return the last state (D,) of each.

    rows and prompts belong together. Rows of different regimes are read apart.
    """
    hidden: dict[int, Tensor] = {}
    apart: dict[int, list[int]] = {}
    for number, prompt in enumerate(prompts):
        apart.setdefault(decoder.regime(len(prompt)), []).append(number)
    for numbers in apart.values():
        states = decoder.read(
            store,
            [rows[number] for number in numbers],
            [prompts[number].vectors[store.lengths[rows[number]] :] for number in numbers],
            prefix=[prompts[number].prefix for number in numbers],
            key_bias=[prompts[number].key_bias for number in numbers],
        )
        hidden |= dict(zip(numbers, states.unbind(0), strict=True))
    return [hidden[number] for number in range(len(prompts))]
