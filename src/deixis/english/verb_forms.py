"""Forms of verbs: a dog that "runs" is "running", as dogs "run"."""

from __future__ import annotations

import re

# One vowel letter and one consonant at the end of a short verb: the consonant is doubled.
SHORT = re.compile(r"(?:[^aeiou]|^|qu)[aeiou][^aeiouwxy]$")
VOWELS = re.compile(r"[aeiouy]+")
DOUBLED = frozenset(("begin", "prefer", "admit", "commit", "permit", "refer", "equip", "forget", "upset"))
KEEPS_E = re.compile(r"(?:ee|oe|ye)$")
KEEPS_THIS_E = frozenset(("be", "singe", "tinge", "dye"))


def ing_form(verb: str) -> str:
    """Return the "-ing" form of a lower-cased verb.

    >>> [ing_form(verb) for verb in ("run", "ride", "lie", "jump", "sit", "open", "see", "dye")]
    ['running', 'riding', 'lying', 'jumping', 'sitting', 'opening', 'seeing', 'dyeing']
    """
    if verb in KEEPS_THIS_E or KEEPS_E.search(verb):
        return f"{verb}ing"
    if verb.endswith("ie"):
        return f"{verb[:-2]}ying"
    if verb.endswith("e"):
        return f"{verb[:-1]}ing"
    if verb.endswith("ic"):
        return f"{verb}king"
    if SHORT.search(verb) and (len(VOWELS.findall(verb)) == 1 or verb in DOUBLED):
        return f"{verb}{verb[-1]}ing"
    return f"{verb}ing"


def first_person(verb: str) -> str:
    """Return the form without "s" of a lower-cased verb that says what one does.

    >>> [first_person(verb) for verb in ("rides", "watches", "flies", "poses", "goes", "kisses")]
    ['ride', 'watch', 'fly', 'pose', 'go', 'kiss']
    """
    if verb.endswith("ies") and len(verb) > len("dies"):
        return f"{verb[:-3]}y"
    if verb.endswith(("ches", "shes", "sses", "xes", "zzes", "oes")):
        return verb[:-2]
    return verb.removesuffix("s")
