"""What a recipe's ``network`` may say, and under which names configurations keep it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from deixis.errors import BadWeights, RecipeError, UsageError
from deixis.files.declared_fields import Fields
from deixis.training.recipes.strict import renamed, unknown_key

# A recipe's word -> the name of the part in configurations and weights.
STORED: Mapping[str, str] = MappingProxyType(
    {"vision_encoder": "tower", "local_vision_encoder": "local_tower", "dropout": "dropped"}
)

# What configurations and layers raise at values that they can't be made of; torch, at sizes beyond memory.
UNFIT = (TypeError, ValueError, LookupError, ArithmeticError, AssertionError, AttributeError)


def stored_options(given: Mapping[str, Any], legal: Iterable[str], *, where: str) -> dict[str, Any]:
    """Return options under the names that configurations keep them by; RecipeError for one that is not legal.

    legal: names of configurations.

    >>> stored_options({"vision_encoder": "small", "side": 64}, ["tower", "side"], where="network")
    {'tower': 'small', 'side': 64}
    """
    options, names = renamed(given, STORED, where=where), list(legal)
    for key in options:
        if key not in names:
            shown = {stored: word for word, stored in STORED.items()}
            raise RecipeError(unknown_key(key, [shown.get(name, name) for name in names], where=where))
    return options


def check_declared(options: Mapping[str, Any], fields: Fields, *, where: str) -> None:
    """Raise RecipeError for an option that no saved network could have: of another type, or out of bounds.

    options: by the names that configurations keep them by; null is the default. fields: what a configuration
    may say; other options are left to it. Nothing is made of the options: a size beyond all
    memory costs nothing.
    """
    shown = {stored: word for word, stored in STORED.items()}
    for name, value in options.items():
        if name in fields and value is not None:
            try:
                fields[name].check(value, name=shown.get(name, name), where=where)
            except BadWeights as fault:
                raise RecipeError(str(fault)) from fault


@contextmanager
def from_options(*, where: str) -> Iterator[None]:
    """Turn what goes wrong while a network is made of a recipe's options into a RecipeError."""
    try:
        yield
    except RecipeError:
        raise
    except (*UNFIT, BadWeights, UsageError, RuntimeError, MemoryError) as fault:
        reason = " ".join(str(fault).split())[:300]
        raise RecipeError(f"{where}: no network can be made of its options: {reason}") from fault
