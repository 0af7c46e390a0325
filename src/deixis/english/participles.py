"""Whether a word in "-ing" or "-ed" says what the noun before it does, as in "a man standing".

It may as well be a noun ("a building") or stand before one ("a swimming pool", "a parked car"). Its
neighbours tell which.
"""

from __future__ import annotations

from collections.abc import Sequence

from deixis.english.inflection import is_plural_noun, singular
from deixis.english.numbers import number_of
from deixis.english.word_classes import (
    ANIMALS,
    BEHIND_NOUNS,
    DETERMINERS,
    MANY,
    NOUNS_IN_LY,
    PEOPLE,
    PREPOSITIONS,
)

# In "-ing" and never a verb.
NO_VERBS = frozenset((
    "king", "ring", "wing", "string", "spring", "sling", "swing", "thing", "something", "anything",
    "everything", "nothing", "plaything", "earring", "herring", "sibling", "duckling", "dumpling", "seedling",
    "sapling", "yearling", "fledgling", "gosling", "darling", "sterling", "viking", "awning", "ceiling",
    "evening", "morning", "pudding", "lightning", "clothing", "wedding", "bedding", "icing", "frosting",
    "railing", "siding", "offspring", "shoestring", "drawstring", "airing", "stocking", "inning", "outing",
    "plumbing", "scaffolding", "outbuilding", "bearing", "decking", "fencing", "flooring", "roofing",
    "molding", "moulding", "lettering", "rigging", "cladding", "guttering", "tubing", "webbing", "during",
    "gelding", "nestling", "handspring", "mainspring", "bowstring", "piping", "outcropping",
))  # fmt: skip
# Things as well: verbs behind whoever does it, and before what it is done to.
THINGS = frozenset((
    "building", "painting", "drawing", "crossing", "opening", "landing", "clearing", "covering", "lining",
    "carving", "engraving", "etching", "marking", "writing", "reading", "warning", "greeting", "gathering",
    "meeting", "setting", "lighting", "wiring", "paving", "filling", "topping", "stuffing", "dressing",
    "seating", "parking", "training", "housing", "wrapping", "packaging", "padding", "trimming", "stitching",
    "tracking", "binding", "coating", "heading", "ending", "turning", "being", "recording", "hanging",
))  # fmt: skip
# Take an object without an article more often than they stand before a noun: "a man wearing sunglasses".
TAKE_OBJECTS = frozenset((
    "wearing", "holding", "carrying", "containing", "displaying", "having", "showing", "featuring", "making",
    "depicting", "chasing", "biting", "chewing", "licking", "fetching", "catching", "pulling", "pushing",
    "kicking", "throwing", "selling", "facing", "reading", "advertising", "saying", "resembling", "using",
    "including", "surrounding", "overlooking", "doing", "taking", "giving", "putting", "getting", "sporting",
))  # fmt: skip
# Participles that don't end in "-ed".
DONE = frozenset((
    "seen", "worn", "held", "made", "shown", "built", "hung", "laid", "lit", "drawn", "written", "taken",
    "thrown", "driven", "ridden", "eaten", "broken", "frozen", "hidden", "woven", "torn", "caught", "kept",
    "sold", "sewn", "blown", "stuck", "strung", "bent", "clad", "bound", "sat",
))  # fmt: skip
# End in "-ed" and are nouns or adjectives. So do all in "-eed".
NOT_DONE = frozenset((
    "bed", "sled", "shed", "bobsled", "dogsled", "flowerbed", "riverbed", "seabed", "sunbed", "daybed",
    "watershed", "woodshed", "toolshed", "hundred", "moped", "quadruped", "biped", "naked", "sacred", "red",
    "infrared", "hatred", "kindred", "airbed", "waterbed", "featherbed", "truckbed", "dred", "purebred",
))  # fmt: skip

OPENING = DETERMINERS | PREPOSITIONS | MANY | BEHIND_NOUNS | {"and", "them", "it", "him", "something"}


def says_of_noun(words: Sequence[str], at: int) -> bool:
    """Tell whether the word at a place is a participle that says something of a noun before it.

    >>> says_of_noun(["man", "wearing", "jeans"], 1), says_of_noun(["large", "swimming", "pool"], 1)
    (True, False)
    """
    return is_doing(words, at) or is_done(words, at)


def is_doing(words: Sequence[str], at: int) -> bool:
    """Tell whether a word says what the noun before it is doing."""
    word, before, behind = words[at], words[at - 1], words[at + 1] if at + 1 < len(words) else ""
    if not word.endswith("ing") or len(word) < 5 or word in NO_VERBS or "-" in word:
        return False
    if behind == "of":
        return False
    if word in THINGS:
        return is_one_of(before, PEOPLE) or behind in DETERMINERS
    if behind and opens_more(behind):
        return True
    does = is_one_of(before, PEOPLE) or is_plural_noun(before)
    if not behind:
        # "a flag waving", but "rock climbing".
        return does or is_one_of(before, ANIMALS) or (words[0] in DETERMINERS or words[0] in MANY)
    return does or word in TAKE_OBJECTS


def is_done(words: Sequence[str], at: int) -> bool:
    """Tell whether a word says what was done to the noun before it: "a car parked on the street"."""
    word, behind = words[at], words[at + 1] if at + 1 < len(words) else ""
    if behind and not opens_more(behind):
        return False
    if word in DONE:
        return True
    return word.endswith("ed") and len(word) > 3 and not word.endswith("eed") and word not in NOT_DONE


def opens_more(word: str) -> bool:
    """Tell whether a word can't be the noun that a participle in front of it belongs to."""
    if word in OPENING or number_of(word) is not None:
        return True
    return word.endswith("ly") and len(word) > 4 and word not in NOUNS_IN_LY


def is_one_of(word: str, kinds: frozenset[str]) -> bool:
    """Tell whether a noun, in the singular or plural, is one of these; "fireman" is one of "man".

    >>> is_one_of("firemen", PEOPLE), is_one_of("stones", PEOPLE)
    (True, False)
    """
    one = singular(word)
    compounds = ("man", "woman", "person", "child", "boy", "girl", "boarder")
    return one in kinds or (kinds is PEOPLE and one.endswith(compounds) and one != "human")
