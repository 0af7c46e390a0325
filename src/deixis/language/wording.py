"""Word pieces back to English: spaces, apostrophes, hyphens and capitals, and where each piece went."""

from __future__ import annotations

from collections.abc import Sequence

CLOSING = frozenset(",.?!;:)%")
CLITICS = frozenset(("s", "t", "re", "ve", "ll", "d", "m"))


def joined(pieces: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """Return text, and the start and end of each piece in it.

    >>> joined(["a", "man", "'", "s", "t", "-", "shirt", ",", "sun", "##ny", "."])[0]
    "A man's t-shirt, sunny."
    """
    text, spans = "", []
    for index, piece in enumerate(pieces):
        bare = piece.removeprefix("##") if len(piece) > 2 else piece
        if text and not glued(pieces, index):
            text += " "
        spans.append((len(text), len(text) + len(bare)))
        text += bare
    return capitalised(text), spans


def glued(pieces: Sequence[str], index: int) -> bool:
    """Tell whether a piece follows the one before it without a space."""
    piece, before = pieces[index], pieces[index - 1]
    following = pieces[index + 1] if index + 1 < len(pieces) else ""
    if piece.startswith("##") and len(piece) > 2:
        return True
    if piece in CLOSING or before == "(":
        return True
    if piece == "'" and following in CLITICS:
        return True
    if before == "'" and piece in CLITICS:
        return True
    return "-" in (piece, before)


def capitalised(text: str) -> str:
    """Return the text with a capital at the start of every sentence.

    >>> capitalised("a dog? yes, it is.")
    'A dog? Yes, it is.'
    """
    characters, opening = list(text), True
    for index, character in enumerate(characters):
        if opening and character.isalpha():
            # A few letters have a longer capital; the places of phrases must not shift.
            capital = character.upper()
            characters[index], opening = capital if len(capital) == 1 else character, False
        elif character.isalnum():
            opening = False
        elif character in ".?!":
            opening = True
    return "".join(characters)
