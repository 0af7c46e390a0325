"""The key of an endpoint: where it may go, and how it is kept out of what is shown of an endpoint's words.

An endpoint that refuses a key tends to repeat it, whole or in part, plain or encoded. What it says is shown
only if no part of the key is found in it.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import os
import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from deixis.errors import UsageError

OPENAI_HOST, OPENAI_VARIABLE = "api.openai.com", "OPENAI_API_KEY"
SHORTEST_PART = 4  # letters and digits of a key that are enough to hide a message
SHORTEST_SECRET = 8  # shorter keys, such as "none", are no secrets that could be told from other words
MOST_SHOWN = 200
HIDDEN = "(what it says is not shown, for it repeats parts of the key)"
BASE64 = re.compile(r"[A-Za-z0-9+/_-]{6,}")
HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{2}(?:[\s:,-]?[0-9A-Fa-f]{2}){2,}")
DECIMAL = re.compile(r"\d{2,3}(?:[\s,;]{1,3}\d{2,3}){2,}")
ESCAPED = re.compile(r"\\(?:u\{?|x)([0-9A-Fa-f]{2,6})\}?")


def key_for(address: str, *, key: str | None, variable: str | None) -> str | None:
    """Return the key to send to an address; None for none.

    key: the key itself. variable: the environment variable that holds it, None for none, "" for
    OPENAI_API_KEY if the address is OpenAI's: it goes nowhere else unasked. UsageError: there is no key, or
    it's not known whether one may be sent.
    """
    if key is None and variable == "" and not is_openai(address):
        raise UsageError(
            f"no key was given for {address}, and {OPENAI_VARIABLE} is sent to https://{OPENAI_HOST} alone: "
            "give key=…, or key_variable= with the name of an environment variable, or key_variable=None for "
            "a server that needs none"
        )
    if key is None and variable is not None:
        name = variable or OPENAI_VARIABLE
        key = os.environ.get(name, "").strip()
        if not key:
            raise UsageError(
                f"there is no key for {address}: set the environment variable {name}, give key=…, or "
                "key_variable=None for a server that needs none"
            )
    if key is not None and not (key.isascii() and key.isprintable() and key and " " not in key):
        raise UsageError(
            "the key is empty or holds characters that no header can carry; was a line break copied with it?"
        )
    return key


def is_openai(address: str) -> bool:
    """Tell whether an address is that of OpenAI, over TLS.

    >>> is_openai("https://api.openai.com/v1"), is_openai("https://api.openai.com.example.org/v1")
    (True, False)
    """
    parts = urlsplit(address)
    return (parts.scheme, parts.hostname, parts.port or 443) == ("https", OPENAI_HOST, 443)


def quoted(text: str, key: str | None) -> str:
    """Return the beginning of what an endpoint says, on one line; a remark instead if it repeats the key."""
    if key is not None and repeats(text, key, at_least=SHORTEST_PART):
        return HIDDEN
    shown = " ".join(text[: 4 * MOST_SHOWN].split())[:MOST_SHOWN]
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in shown)


def holds_key(text: str, key: str | None) -> bool:
    """Tell whether a text holds a key or a good half of it, plain or encoded."""
    if key is None or len(key) < SHORTEST_SECRET:
        return False
    return repeats(text, key, at_least=max(SHORTEST_SECRET, len(key) // 2))


def repeats(text: str, key: str, *, at_least: int) -> bool:
    """Tell whether a text holds so many letters and digits of a key in a row, whatever stands between them.

    >>> repeats("Incorrect API key: sk-a****wxyz", "sk-abcdefghijklmnopqrstuvwxyz", at_least=4)
    True
    """
    secret = letters_of(key) or key
    size = min(at_least, len(secret))
    parts = {secret[start : start + size] for start in range(len(secret) - size + 1)}
    return any(part in view for view in map(letters_of, views(text)) for part in parts) or key in text


def letters_of(text: str) -> str:
    """Return the letters and digits of a text in lower case."""
    return "".join(filter(str.isalnum, text)).lower()


def views(text: str) -> Iterator[str]:
    """Yield a text and what it may stand for, if some of it is encoded."""
    try:
        plain = unquote(unquote(html.unescape(html.unescape(text))))
    except ValueError:  # a number of thousands of digits
        plain = text
    plain = ESCAPED.sub(lambda match: character(int(match[1], 16)), plain)
    yield from (text, plain, plain[::-1], codecs.encode(plain, "rot13"))
    for match in BASE64.finditer(plain):
        for start in range(4):
            yield from_base64(match.group()[start:])
    for match in HEXADECIMAL.finditer(plain):
        digits = re.sub(r"[^0-9A-Fa-f]", "", match.group())
        yield bytes.fromhex(digits[: len(digits) // 2 * 2]).decode("latin-1")
    for match in DECIMAL.finditer(plain):
        yield "".join(character(int(number)) for number in re.findall(r"\d+", match.group()))


def from_base64(token: str) -> str:
    """Return what a token of base64 stands for; "" if it is none."""
    token = token.replace("-", "+").replace("_", "/")
    token = token[:-1] if len(token) % 4 == 1 else token
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4)).decode("latin-1")
    except binascii.Error:
        return ""


def character(number: int) -> str:
    """Return the character of a number; "" where there is none."""
    return chr(number) if number < 0x110000 else ""
