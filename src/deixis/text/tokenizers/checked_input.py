"""Text and ids that a tokenizer can take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from deixis.errors import UsageError


def check_characters(text: str) -> None:
    """Raise UsageError for text that has no UTF-8 form."""
    try:
        text.encode()
    except UnicodeEncodeError as fault:
        raise UsageError(f"text has half a character at {fault.start}; expected Unicode text") from fault


def check_id(token: int, size: int) -> int:
    """Return an id; UsageError for one outside the vocabulary, such as the picture's marker."""
    number = int(token)
    if not 0 <= number < size:
        raise UsageError(f"id {number} is not of this vocabulary of {size:,} tokens; take markers out first")
    return number


def check_ids(ids: Iterable[int], size: int) -> Sequence[int]:
    """Return ids as a list; UsageError for one outside the vocabulary, such as the picture's marker."""
    return [check_id(i, size) for i in ids]
