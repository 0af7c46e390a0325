"""A or an: by how a word is said, not by how it is spelt."""

from __future__ import annotations

import re

# Spelt with a vowel and said with a consonant: "a uniform", "a European", "a one-way street".
SAID_WITH_CONSONANT = re.compile(
    r"eu|ewe|once|one(?!rous|iric)|ouija"
    r"|uni(?!m|n|de|r|ss)|unanim|ubiq|uk|us[aeu]|ut[aeio]|ur[aeiou]|uvul|ufo|ugan|un(?![a-z-])"
)
# Spelt with a consonant and said with a vowel: "an hour".
SILENT = re.compile(r"hour|honest|hono(?!l)|heir|hors\b")
# Numbers that begin with eight, eleven, eighteen: 8, 80, 11, 18, 11,000, 1880s.
NUMBER_WITH_VOWEL = re.compile(r"8|1[18](?:\d{2,3})?(?!\d)")
# Letters whose names begin with a vowel: "an x-ray", "an L-shaped sofa", "an N95 mask".
LETTER_WITH_VOWEL = re.compile(r"[aefhilmnorsx](?![a-z'])")
LETTER = re.compile(r"[a-z](?![a-z'])")
# Said letter by letter. What has no vowel to say is so anyway: "an mri", "an NFL player".
SPELT = frozenset((
    "suv", "fbi", "nba", "mba", "led", "leds", "sos", "fda", "mit", "rna", "xbox", "usb", "uv", "ufo", "uav",
    "ui", "ux", "url", "uhf", "usa", "us", "usps", "upc", "ups", "eu", "hiv", "api", "atm", "aed", "emt",
    "mri", "hdmi", "nypd", "nyc", "nyu", "rfid", "nra", "nsa", "rbi", "utv",
))  # fmt: skip
ABBREVIATED = frozenset(("mr", "mrs", "ms", "mt", "st", "ft", "rd", "lb", "lbs", "hmm", "shh", "mm"))
LETTERS = re.compile(r"[a-z]+")


def indefinite(word: str) -> str:
    """Return "an" or "a", whichever goes before a word.

    >>> [indefinite(word) for word in ("dog", "hour", "uniform", "umbrella", "x-ray", "MRI", "8-year-old")]
    ['a', 'an', 'a', 'an', 'an', 'an', 'an']
    """
    return "an" if begins_with_vowel(word.lower().lstrip("\"'([{“‘ ")) else "a"


def begins_with_vowel(word: str) -> bool:
    """Tell whether a lower-cased word begins with the sound of a vowel."""
    if word[:1].isdigit():
        return bool(NUMBER_WITH_VOWEL.match(word))
    if LETTER.match(word):
        return bool(LETTER_WITH_VOWEL.match(word))
    letters = LETTERS.match(word)
    if letters and (letters[0] in SPELT or (is_spelt(letters[0]) and letters[0] not in ABBREVIATED)):
        return word[0] in "aefhilmnorsx"
    if word[:1] in set("aeiou"):
        return not SAID_WITH_CONSONANT.match(word)
    return bool(SILENT.match(word))


def is_spelt(letters: str) -> bool:
    """Tell whether letters can only be said one by one, having no vowel.

    >>> is_spelt("nfl"), is_spelt("sky"), is_spelt("x")
    (True, False, False)
    """
    return len(letters) > 1 and set("aeiouy").isdisjoint(letters)
