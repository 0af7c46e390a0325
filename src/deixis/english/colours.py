"""The words by which English names colours."""

from __future__ import annotations

from collections.abc import Sequence

COLOURS = frozenset((
    "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "gray", "grey",
    "beige", "tan", "gold", "golden", "silver", "maroon", "turquoise", "blond", "blonde", "teal", "violet",
    "khaki", "crimson", "burgundy", "lavender",
))  # fmt: skip
SHADES = frozenset(("light", "dark", "bright", "pale", "deep"))
SAME = {"grey": "gray", "golden": "gold", "blonde": "blond"}


def colours_in(words: Sequence[str]) -> list[str]:
    """Return the colours that words name, each once, in one spelling.

    >>> colours_in(["a", "grey", "and", "white", "dog"])
    ['gray', 'white']
    """
    return list(dict.fromkeys(SAME.get(word, word) for word in words if word in COLOURS))
