"""Word pieces back to English: spaces, apostrophes, hyphens and capitals, and where each piece went."""

from __future__ import annotations

import re
from collections.abc import Sequence

SENTENCE_END = re.compile(r"[.?!]")
CLOSING = frozenset(",.?!;:)%")
CLITICS = frozenset(("s", "t", "re", "ve", "ll", "d", "m"))


def joined(pieces: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """Return text, and the start and end of each piece in it.

    >>> joined(["a", "man", "'", "s", "t", "-", "shirt", ",", "sun", "##ny", "."])[0]
    "A man's t-shirt, sunny."
    """
    joiner = Joiner()
    parts = [joiner.add(piece) for piece in pieces]
    return "".join(parts) + joiner.close(), joiner.places


class Joiner:
    """Pieces that come one by one, as text: what ``joined`` makes of them, as soon as it is certain.

    places: the start and end of each piece written so far. An apostrophe waits for the piece behind it, which
    decides whether a space stands before it. brackets: "[" and "]" stand close to what they hold.
    """

    def __init__(self, *, brackets: bool = False) -> None:
        self.brackets = brackets
        self.places: list[tuple[int, int]] = []
        self.capitals = Capitals()
        self.length = 0
        self.before = ""
        self.waiting = False

    def add(self, piece: str) -> str:
        """Return the text that this piece made certain."""
        text = self.release(glued=piece in CLITICS)
        close = not self.length or self.follows(piece)
        if piece == "'" and not close:
            self.waiting = True
        else:
            text += self.write(piece, close=close)
        self.before = piece
        return text

    def close(self) -> str:
        """Return what waited for a piece that didn't come."""
        return self.release(glued=False)

    def follows(self, piece: str) -> bool:
        """Tell whether a piece follows the one before it without a space, whatever comes behind it."""
        near = self.brackets and (piece == "]" or self.before == "[")
        return near or follows(self.before, piece)

    def release(self, *, glued: bool) -> str:
        """Return the apostrophe that waited, if one did."""
        if not self.waiting:
            return ""
        self.waiting = False
        return self.write("'", close=glued)

    def write(self, piece: str, *, close: bool) -> str:
        """Return a piece as it stands in the text."""
        bare = piece.removeprefix("##") if len(piece) > 2 else piece
        start = self.length + (not close)
        self.length = start + len(bare)
        self.places.append((start, self.length))
        return self.capitals.add(bare if close else " " + bare)


def glued(pieces: Sequence[str], index: int) -> bool:
    """Tell whether a piece follows the one before it without a space."""
    following = pieces[index + 1] if index + 1 < len(pieces) else ""
    return follows(pieces[index - 1], pieces[index]) or (pieces[index] == "'" and following in CLITICS)


def follows(before: str, piece: str) -> bool:
    """Tell whether a piece follows ``before`` without a space, whatever comes behind it."""
    if piece.startswith("##") and len(piece) > 2:
        return True
    if piece in CLOSING or before == "(":
        return True
    if before == "'" and piece in CLITICS:
        return True
    return "-" in (piece, before)


class Capitals:
    """A capital at the start of every sentence of a text that comes in parts."""

    def __init__(self) -> None:
        self.opening = True

    def add(self, text: str) -> str:
        """Return the next part, of the same length, with its capitals."""
        if not self.opening and not SENTENCE_END.search(text):
            return text
        characters = list(text)
        for index, character in enumerate(text):
            if self.opening and character.isalpha():
                # A few letters have a longer capital; the places of phrases must not shift.
                capital = character.upper()
                characters[index], self.opening = capital if len(capital) == 1 else character, False
            elif character.isalnum():
                self.opening = False
            elif character in ".?!":
                self.opening = True
        return "".join(characters)


def capitalised(text: str) -> str:
    """Return the text with a capital at the start of every sentence.

    >>> capitalised("a dog? yes, it is.")
    'A dog? Yes, it is.'
    """
    return Capitals().add(text)
