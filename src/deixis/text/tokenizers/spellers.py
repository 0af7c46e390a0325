"""How the tokens of a ``tokenizer.json`` become characters, one by one."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Sequence
from typing import Any

from tokenizers import Tokenizer

UNREADABLE = "\N{REPLACEMENT CHARACTER}"
BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")


class ByteLetters:
    """Tokens whose letters each stand for a byte, as in Llama-3; one with other letters is its own text."""

    def __init__(self) -> None:
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def spell(self, token: str) -> str:
        """Return the characters whose bytes are all there."""
        try:
            content = bytes([BYTE_LETTERS[letter] for letter in token])
        except KeyError:
            content = token.encode()
        return self.decoder.decode(content)

    def finish(self) -> str:
        """Return what waited for bytes that didn't come."""
        return self.decoder.decode(b"", final=True)


def byte_letters() -> dict[str, int]:
    """Return the byte behind each letter: printable ones stand for themselves, the others follow from 256 on.

    >>> letters = byte_letters()
    >>> letters["A"], letters["\\u0120"], len(letters)
    (65, 32, 256)
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(others)}


BYTE_LETTERS = byte_letters()


class ByteTokens:
    """Tokens with texts replaced in them, among them some that are one byte each, as in Gemma.

    Bytes in a row are characters if all of them together are; so all of them wait. dropped: how many of which
    character go from the beginning of the text.
    """

    def __init__(self, replaced: Sequence[tuple[str, str]], *, dropped: tuple[int, str]) -> None:
        self.replaced = replaced
        self.dropping, self.character = dropped
        self.clear()

    def clear(self) -> None:
        """Begin anew with the bytes."""
        self.decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self.count, self.readable = 0, True
        self.parts: list[str] = []

    def spell(self, token: str) -> str:
        """Return the text that became certain by this token."""
        for old, new in self.replaced:
            token = token.replace(old, new)
        found = BYTE.fullmatch(token)
        return self.stripped(self.finished() + token if found is None else self.add_byte(int(found[1], 16)))

    def add_byte(self, byte: int) -> str:
        """Return nothing while the bytes may be characters; else one sign for each byte."""
        self.count += 1
        if not self.readable:
            return UNREADABLE
        try:
            self.parts.append(self.decoder.decode(bytes([byte])))
        except UnicodeDecodeError:
            self.readable = False
            return UNREADABLE * self.count
        return ""

    def finished(self) -> str:
        """Return what the bytes are, now that no further one follows."""
        if not self.count:
            return ""
        text = "".join(self.parts)
        if not self.readable:
            text = ""  # was returned byte by byte
        else:
            try:
                self.decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                text = UNREADABLE * self.count
        self.clear()
        return text

    def stripped(self, text: str) -> str:
        """Return text without what is dropped from the beginning."""
        while self.dropping and text:
            if text[0] != self.character:
                self.dropping = 0
                break
            text, self.dropping = text[1:], self.dropping - 1
        return text

    def finish(self) -> str:
        """Return what waited for bytes that didn't come."""
        return self.stripped(self.finished())


def speller_of(tokenizer: Tokenizer) -> ByteLetters | ByteTokens | None:
    """Return what makes text of this tokenizer's tokens one by one; None if its way isn't one known here."""
    if tokenizer.decoder is None:
        return None
    stated = json.loads(tokenizer.decoder.__getstate__())
    if stated["type"] == "ByteLevel":
        return ByteLetters()
    if stated["type"] != "Sequence":
        return None
    steps: list[dict[str, Any]] = list(stated["decoders"])
    replaced: list[tuple[str, str]] = []
    while steps and steps[0]["type"] == "Replace" and "String" in steps[0]["pattern"]:
        step = steps.pop(0)
        replaced.append((step["pattern"]["String"], step["content"]))
    if [step["type"] for step in steps[:2]] != ["ByteFallback", "Fuse"]:
        return None
    match steps[2:]:
        case []:
            return ByteTokens(replaced, dropped=(0, ""))
        case [{"type": "Strip", "content": content, "start": start, "stop": 0}]:
            return ByteTokens(replaced, dropped=(start, content))
    return None
