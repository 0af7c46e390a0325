"""Small facts of English that dialogues and scores need: head nouns, number, punctuation."""

from __future__ import annotations

import re
from collections.abc import Container

PREPOSITIONS = frozenset(
    [
        "about",
        "above",
        "across",
        "after",
        "against",
        "along",
        "alongside",
        "amid",
        "among",
        "amongst",
        "around",
        "as",
        "at",
        "atop",
        "behind",
        "below",
        "beneath",
        "beside",
        "besides",
        "between",
        "beyond",
        "by",
        "down",
        "during",
        "for",
        "from",
        "in",
        "inside",
        "into",
        "like",
        "near",
        "next",
        "of",
        "off",
        "on",
        "onto",
        "out",
        "outside",
        "over",
        "past",
        "through",
        "throughout",
        "to",
        "toward",
        "towards",
        "under",
        "underneath",
        "up",
        "upon",
        "via",
        "with",
        "within",
        "without",
    ]
)
RELATIVES = frozenset(["that", "which", "who", "whom", "whose", "where", "while"])
IRREGULAR_PLURALS = frozenset(
    [
        "people",
        "men",
        "women",
        "children",
        "feet",
        "teeth",
        "geese",
        "mice",
        "sheep",
        "police",
        "crowd-members",
        "guys",
        "kids",
    ]
)
PLURALS = {
    "man": "men",
    "woman": "women",
    "child": "children",
    "person": "people",
    "foot": "feet",
    "tooth": "teeth",
    "goose": "geese",
    "mouse": "mice",
    "sheep": "sheep",
    "fish": "fish",
    "leaf": "leaves",
    "knife": "knives",
    "calf": "calves",
    "scarf": "scarves",
    "shelf": "shelves",
}
AMOUNTS = frozenset(
    ["bunch", "couple", "crowd", "group", "lot", "lots", "number", "pair", "piece", "pile", "row", "stack"]
)
MANY = frozenset(
    [
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "many",
        "several",
        "some",
        "few",
        "multiple",
        "various",
        "both",
        "numerous",
    ]
)
# Spelt with a vowel, said with a consonant ("a uniform"), or the other way round ("an hour").
SAID_WITH_VOWEL = re.compile(r"(?!uni|uku|uten|eu|one\b)[aeiou]|hour")
WORD = re.compile(r"[a-z0-9]+(?:[-'][a-z0-9]+)*")


def words_of(text: str) -> list[str]:
    """Return the lower-cased words of a text.

    >>> words_of("A man's T-shirt, folded.")
    ['a', "man's", 't-shirt', 'folded']
    """
    return WORD.findall(text.lower())


def head_noun(phrase: str) -> str:
    """Return the last word before the first preposition, comma or relative word, lower-cased.

    The empty string means that the phrase has no word there (the protocol counts it as a miss).

    >>> head_noun("A young girl in a pink dress")
    'girl'
    >>> head_noun("two dogs, one of them brown")
    'dogs'
    """
    before_comma = phrase.split(",", maxsplit=1)[0]
    words = words_of(before_comma)
    for index, word in enumerate(words):
        if index > 0 and (word in PREPOSITIONS or word in RELATIVES):
            return words[index - 1]
    return words[-1] if words else ""


def is_plural(phrase: str) -> bool:
    """Guess whether a noun phrase takes "are".

    >>> is_plural("two dogs"), is_plural("a glass of beer"), is_plural("people")
    (True, False, True)
    """
    words = words_of(phrase)
    if words and words[0] in ("a", "an", "one", "this", "that", "another", "each"):
        return False
    if words and words[0] in MANY:
        return True
    head = head_noun(phrase)
    return head in IRREGULAR_PLURALS or (head.endswith("s") and not head.endswith(("ss", "us", "is")))


def plural(noun: str) -> str:
    """Return the plural of a noun; a plural stays as it is, and so does the empty string.

    >>> plural("dog"), plural("woman"), plural("bus"), plural("puppy"), plural("dogs")
    ('dogs', 'women', 'buses', 'puppies', 'dogs')
    """
    for single, many in PLURALS.items():
        if noun == single or (single in ("man", "woman", "child") and noun.endswith(single)):
            return noun[: len(noun) - len(single)] + many
    if not noun or is_plural(noun):
        return noun
    if noun.endswith(("s", "x", "z", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"


def with_article(noun: str, *, uncounted: Container[str] = ()) -> str:
    """Return the noun with "a" or "an", or bare when it is a plural or one of those that take no article.

    >>> with_article("elephant"), with_article("dogs"), with_article("water", uncounted={"water"})
    ('an elephant', 'dogs', 'water')
    """
    if not noun or is_plural(noun) or noun in uncounted:
        return noun
    return f"{'an' if SAID_WITH_VOWEL.match(noun) else 'a'} {noun}"


def short_name(phrase: str, *, uncounted: Container[str] = ()) -> str:
    """Return a phrase cut to its head noun with an article; amounts keep what there is an amount of.

    >>> short_name("a young girl in a pink dress"), short_name("a large group of young people in a hall")
    ('a girl', 'a group of people')
    """
    noun = head_noun(phrase)
    name = with_article(noun, uncounted=uncounted)
    rest = re.search(rf"\b{re.escape(noun)} of (.+)", phrase.lower())
    if noun in AMOUNTS and rest and (inner := head_noun(rest.group(1))):
        return f"{name} of {inner}"
    return name
