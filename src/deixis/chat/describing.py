"""What a dialogue says, in words: regions, numbers of turns, an exchange."""

from __future__ import annotations

from deixis.answers.as_text import describe
from deixis.chat.session import Exchange
from deixis.regions import shapes
from deixis.regions.shapes import Polygon, Region, Scribble


def describe_region(name: str, region: Region) -> str:
    """Return a region in a line: its name, kind and coordinates in pixels of the picture."""
    kind = type(region).__name__.lower()
    count = f", {len(region.points)} points" if isinstance(region, Polygon | Scribble) else ""
    return f"{{{name}}}: {kind} {shapes.describe(region)}{count}"


def describe_turns(count: int) -> str:
    """Return how many turns, in words.

    >>> describe_turns(1), describe_turns(3)
    ('1 turn', '3 turns')
    """
    return f"{count} turn" if count == 1 else f"{count} turns"


def describe_exchange(exchange: Exchange, *, forgotten: int) -> str:
    """Return an exchange for a reader: what had to be forgotten, the answer, its places and its time."""
    lines = [describe(exchange.answer), f"  {exchange.answer.seconds:.2f} s"]
    if forgotten:
        why = f"there is no room for all that was said: {exchange.crowding}"
        lines.insert(0, f"note: {why}. The oldest part was forgotten: {describe_turns(forgotten)}.")
    return "\n".join(lines)
