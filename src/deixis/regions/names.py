"""Where a text points: ``{a}`` stands for the region named a, ``{{`` and ``}}`` for the braces themselves.

The same rule holds wherever somebody writes a question: in Python, on the command line, in a dialogue, in
samples and in evaluation sheets. A brace without its partner is an ordinary character.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice

REGION_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")  # what samples, flags and dialogues call a region
PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
LONGEST_SHOWN = 60
MOST_LISTED = 20


@dataclass(frozen=True)
class Part:
    """Words as they read, and the name of the region behind them; None at the end of the text."""

    words: str
    name: str | None = None


def split_names(text: str) -> list[Part]:
    """Return a text in parts, each ending at a region; the last one has no name.

    >>> split_names("What is {a}?")
    [Part(words='What is ', name='a'), Part(words='?', name=None)]
    >>> split_names('Answer as {{"box": []}}.')
    [Part(words='Answer as {"box": []}.', name=None)]
    """
    parts, words, end = [], "", 0
    for match in PIECE.finditer(text):
        words += text[end : match.start()]
        end = match.end()
        if match[1] is None:
            words += match[0][0]
        else:
            parts.append(Part(words, match[1]))
            words = ""
    return [*parts, Part(words + text[end:])]


def names_in(text: str) -> tuple[str, ...]:
    """Return the names that a text points with, in order, as often as they stand there.

    >>> names_in("Is {a} on {b}, or {a} under {{b}}?")
    ('a', 'b', 'a')
    """
    return tuple(part.name for part in split_names(text) if part.name is not None)


def escaped(text: str) -> str:
    """Return words so that they point at nothing: a text that reads as they do.

    >>> split_names(escaped("{a}"))
    [Part(words='{a}', name=None)]
    """
    return text.replace("{", "{{").replace("}", "}}")


def unknown_name(name: str, known: Collection[str], *, where: str = "the question") -> str:
    """Return what is wrong with a text that points with a name that no region has. where: what text it is.

    >>> print(unknown_name("b", ["a"]))
    the question speaks of {b}, but the regions given are: a. To write braces themselves, double them: {{b}}
    """
    shown = name if len(name) <= LONGEST_SHOWN else name[: LONGEST_SHOWN - 1] + "…"
    given = listed(known)
    speaks = f"{where} speaks of".strip()
    return (
        f"{speaks} {{{shown}}}, but the regions given are: {given}. To write braces themselves, "
        f"double them: {{{{{shown}}}}}"
    )


def listed(known: Collection[str]) -> str:
    """Return names for a message, the first of very many.

    >>> listed(["a", "b"]), listed([])
    ('a, b', 'none')
    """
    more = f" and {len(known) - MOST_LISTED:,} more" if len(known) > MOST_LISTED else ""
    return (", ".join(name[:LONGEST_SHOWN] for name in islice(known, MOST_LISTED)) or "none") + more
