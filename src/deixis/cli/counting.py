"""Numbers of things in messages."""

from __future__ import annotations

from deixis.english.inflection import plural


def counted(number: int, one: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "record"), counted(2, "record"), counted(0, "box"), counted(1200, "broken picture")
    ('1 record', '2 records', '0 boxes', '1,200 broken pictures')
    """
    return f"{number:,} {one if number == 1 else plural(one)}"
