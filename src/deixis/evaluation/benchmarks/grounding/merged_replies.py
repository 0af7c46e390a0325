"""Replies of several processes as one set: by the items' ids, whatever their order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from deixis.errors import RecordError

T = TypeVar("T")
MOST_SHOWN = 5


def merged(parts: Iterable[Mapping[str, T]], ids: Sequence[str]) -> dict[str, T]:
    """Return what several processes have, in the order of the ids.

    Published evaluations of several processes count what a sampler padded twice and what a crashed process
    left out not at all; here each item has exactly one reply.
    RecordError: an item has two, has none, or is none of the ids.

    >>> merged([{"b": 2}, {"a": 1}], ["a", "b"])
    {'a': 1, 'b': 2}
    """
    found: dict[str, T] = {}
    for place, part in enumerate(parts):
        if twice := [name for name in part if name in found]:
            raise RecordError(
                f"part {place} has {named(twice)}, which an earlier part has, too; expected each item in one "
                "part only. Was a part given twice, or did two processes share items?"
            )
        found |= part
    known = set(ids)
    if unknown := [name for name in found if name not in known]:
        raise RecordError(f"{named(unknown)} in no item; are the replies those of another split?")
    if missing := [name for name in ids if name not in found]:
        raise RecordError(f"{named(missing)} of {len(ids)} without a reply; did all processes finish?")
    return {name: found[name] for name in ids}


def named(names: Sequence[str]) -> str:
    """Return some ids for a message.

    >>> named(["a", "b"])
    '2 ids (a, b)'
    """
    shown = ", ".join(names[:MOST_SHOWN]) + (", …" if len(names) > MOST_SHOWN else "")
    return f"{len(names)} ids ({shown})"
