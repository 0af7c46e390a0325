"""Numbers of things in messages."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun; many: the plural, where it isn't made by an s.

    >>> counted(1, "record"), counted(2, "record"), counted(0, "box", "boxes")
    ('1 record', '2 records', '0 boxes')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"
