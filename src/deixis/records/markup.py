"""Answers as records write them: `[phrase](a, b)` is a phrase with the places of regions a and b.

`[phrase]()` is a phrase for something that is not in the picture. A backslash before a punctuation mark makes
it an ordinary character.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass

from deixis.errors import RecordError
from deixis.regions.names import REGION_NAME

PIECE = re.compile(
    r"\\(?P<escaped>.?)"
    r"|\[(?P<phrase>(?:\\.|[^\\\[\]])*)\]\((?P<names>[^()\[\]]*)\)"
    r"|(?P<stray>[\[\]])"
    r"|(?P<plain>[^\\\[\]]+)",
    re.DOTALL,
)


@dataclass(frozen=True)
class PlacedPhrase:
    """`text[start:end]` of an answer and the names of its regions; none: it is not in the picture."""

    start: int
    end: int
    regions: tuple[str, ...] = ()


def parse_markup(marked: str) -> tuple[str, tuple[PlacedPhrase, ...]]:
    """The plain text of a marked answer and its phrases; RecordError says what is wrong near which words.

    >>> parse_markup("It is [a dog](a).")
    ('It is a dog.', (PlacedPhrase(start=6, end=11, regions=('a',)),))
    """
    text, phrases = "", []
    for match in PIECE.finditer(marked):
        if match["phrase"] is not None:
            words = unescape(match["phrase"])
            if not words.strip():
                raise RecordError(f"has an empty phrase at {match[0]!r:.60}; expected words between [ and ]")
            phrases.append(PlacedPhrase(len(text), len(text) + len(words), names_in(match["names"])))
            text += words
        elif match["stray"]:
            raise RecordError(
                f"has a bracket without its place at {marked[match.start() :]!r:.60}; expected "
                "[phrase](a, b), [phrase]() for what is not in the picture, or \\[ and \\] for plain brackets"
            )
        else:
            text += match["plain"] or unescape(match[0])
    return text, tuple(phrases)


def write_markup(text: str, phrases: tuple[PlacedPhrase, ...]) -> str:
    """The marked form of an answer, which `parse_markup` reads back as the same.

    >>> write_markup("a dog [sic]", (PlacedPhrase(0, 5, ("a",)),))
    '[a dog](a) \\\\[sic\\\\]'
    """
    marked, end = "", 0
    for phrase in phrases:
        words = escape(text[phrase.start : phrase.end])
        marked += f"{escape(text[end : phrase.start])}[{words}]({', '.join(phrase.regions)})"
        end = phrase.end
    return marked + escape(text[end:])


def names_in(names: str) -> tuple[str, ...]:
    """The region names between the parentheses of a place."""
    if not names.strip():
        return ()
    found = tuple(name.strip() for name in names.split(","))
    for name in found:
        if REGION_NAME.fullmatch(name) is None or found.count(name) > 1:
            raise RecordError(
                f"has the place ({names}); expected different region names with commas between them"
            )
    return found


def unescape(text: str) -> str:
    """The text without its backslashes; RecordError for one that is not before a punctuation mark."""

    def character(match: re.Match[str]) -> str:
        if match[1] not in string.punctuation or not match[1]:
            raise RecordError(f"has a backslash before {match[1]!r}; expected \\\\ for a plain backslash")
        return match[1]

    return re.sub(r"\\(.?)", character, text, flags=re.DOTALL)


def escape(text: str) -> str:
    """The text with a backslash before every backslash and square bracket."""
    return re.sub(r"([\\\[\]])", r"\\\1", text)
