"""Kinds of lessons, a file each; a new one is such a file, with its ``KIND``, and its name here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from deixis.errors import UsageError

if TYPE_CHECKING:
    from deixis.data.teacher.lesson import Kind

NAMES = ("region", "pair", "conversation", "negatives", "grounded")


def find_kind(name: str) -> Kind:
    """Return a kind by its name, which is also that of its file; UsageError for an unknown one."""
    if name not in NAMES:
        raise UsageError(f"there is no kind {name!r} of lessons; the kinds are {', '.join(NAMES)}")
    kind: Kind = import_module(f"{__name__}.{name}").KIND
    return kind
