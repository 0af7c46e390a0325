"""Kinds of lessons, a file each; a new one is such a file and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from deixis.data.teacher.kinds.conversation import CONVERSATION
from deixis.data.teacher.kinds.negatives import NEGATIVES
from deixis.data.teacher.kinds.pair import PAIR
from deixis.data.teacher.kinds.region import REGION_KIND
from deixis.data.teacher.lesson import Kind
from deixis.errors import UsageError

KINDS: Mapping[str, Kind] = MappingProxyType(
    {kind.name: kind for kind in (REGION_KIND, PAIR, CONVERSATION, NEGATIVES)}
)


def find_kind(name: str) -> Kind:
    """Return a kind by its name; UsageError for an unknown one."""
    if name not in KINDS:
        raise UsageError(f"there is no kind {name!r} of lessons; the kinds are {', '.join(KINDS)}")
    return KINDS[name]
