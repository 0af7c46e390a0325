"""What a recipe's ``network`` may say, and under which names configurations keep it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from deixis.errors import RecipeError
from deixis.training.recipes.strict import renamed, unknown_key

# A recipe's word -> the name of the part in configurations and weights.
STORED: Mapping[str, str] = MappingProxyType(
    {"vision_encoder": "tower", "local_vision_encoder": "local_tower", "dropout": "dropped"}
)


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
