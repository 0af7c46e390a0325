"""What packaged recipes were called before; their former names go on working."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# Former name of a run -> its name. The former name of its file is the part behind the system's name.
RENAMED: Mapping[str, str] = MappingProxyType(
    {
        "pointer-look": "pointer-stage-1",
        "pointer-again": "pointer-stage-2",
        "pointer-longer": "pointer-stage-3",
        "pointer-closer": "pointer-stage-4",
        "pointer-finer": "pointer-stage-5",
        "pointer-asked": "pointer-stage-6",
        "pointer-viewed": "pointer-stage-7",
        "pointer-verified": "pointer-stage-8",
        "pointer-named": "pointer-stage-9",
    }
)


def names_of(name: str) -> list[str]:
    """Return all names of a run: the given one first, then what it is called otherwise.

    >>> names_of("pointer-look"), names_of("pointer-stage-1"), names_of("mine")
    (['pointer-look', 'pointer-stage-1'], ['pointer-stage-1', 'pointer-look'], ['mine'])
    """
    others = [new for old, new in RENAMED.items() if old == name]
    return [name, *others, *(old for old, new in RENAMED.items() if new == name)]


def current_name(name: str) -> str:
    """Return what a run is called now."""
    return RENAMED.get(name, name)
