"""Names of parameters as recipes write them: a vision encoder goes by that word, not the module's."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# The name of a module of the network -> what recipes call it.
WRITTEN: Mapping[str, str] = MappingProxyType(
    {"network.tower": "network.vision_encoder", "network.local_tower": "network.local_vision_encoder"}
)
STORED: Mapping[str, str] = MappingProxyType({word: name for name, word in WRITTEN.items()})


def written(name: str) -> str:
    """Return a parameter's name, or the beginning of one, as recipes write it.

    >>> written("network.tower.stem.0.weight"), written("network.decoder"), written("network.vision_encoder")
    ('network.vision_encoder.stem.0.weight', 'network.decoder', 'network.vision_encoder')
    """
    return _exchanged(name, WRITTEN)


def stored(name: str) -> str:
    """Return a name that a recipe writes as the network has it.

    >>> stored("network.local_vision_encoder.vision"), stored("network.tower")
    ('network.local_tower.vision', 'network.tower')
    """
    return _exchanged(name, STORED)


def begins(name: str, part: str) -> bool:
    """Tell whether a parameter's name begins with what a recipe says, whichever word that uses.

    >>> begins("network.tower.stem", "network.vision_encoder"), begins("network.tower.stem", "network.tow")
    (True, True)
    """
    return name.startswith(part) or written(name).startswith(written(part))


def _exchanged(name: str, words: Mapping[str, str]) -> str:
    for old, new in words.items():
        if name == old or name.startswith(f"{old}."):
            return new + name.removeprefix(old)
    return name
