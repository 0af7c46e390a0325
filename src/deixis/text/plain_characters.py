"""Typographic characters as the plain ones that mean the same: what phones and word processors write."""

from __future__ import annotations

import unicodedata

PLAIN = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´ʼ", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("，、", ","),
        "…": "...",
        "。": ".",
        "¿": " ",
        "¡": " ",
        "⁄": "/",
        "×": "x",
        "ß": "ss",
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "Œ": "OE",
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
    }
)


def plain_characters(text: str) -> str:
    """Return text with ligatures, full-width letters, curly quotes, dashes and the like as plain characters.

    Letters of other scripts stay what they are, and so does whatever is ASCII.

    >>> plain_characters("Where’s the “ﬁsh” – and the Ｃａｔ？")
    'Where\\'s the "fish" - and the Cat?'
    """
    return text if text.isascii() else unicodedata.normalize("NFKC", text).translate(PLAIN)
