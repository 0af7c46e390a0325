"""Noun phrases: the noun that one is about, whether it is a plural, and its article.

There is no tagger here. Words of closed classes are listed (``word_classes``); what a word in "-ing" or "-ed"
does is told from its neighbours (``participles``).
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence

from deixis.english import noun_table
from deixis.english.articles import indefinite
from deixis.english.inflection import is_plural_noun
from deixis.english.numbers import NUMBER_WORDS, number_of
from deixis.english.participles import says_of_noun
from deixis.english.word_classes import (
    AMOUNTS,
    AUXILIARIES,
    BEHIND_NOUNS,
    DESCRIBING,
    DETERMINERS,
    MANY,
    NOUNS_IN_LY,
    ONE_OF_MANY,
    PREPOSITIONS,
    PREPOSITIONS_BEFORE_NOUNS,
    RELATIVES,
    SEVERAL,
)

WORD = re.compile(r"[a-z0-9]+(?:[-'][a-z0-9]+)*")


def words_of(text: str) -> list[str]:
    """Return the lower-cased words of a text.

    >>> words_of("A man's T-shirt, folded.")
    ['a', "man's", 't-shirt', 'folded']
    """
    return WORD.findall(text.lower())


def head_noun(phrase: str) -> str:
    """Return the noun that a phrase is about, lower-cased: its last word before what is said of it.

    That begins with a preposition, a comma, a relative word, or a participle. The empty string means that the
    phrase has no word there (the protocol counts it as a miss).

    >>> head_noun("A young girl in a pink dress"), head_noun("two dogs, one of them brown")
    ('girl', 'dogs')
    >>> head_noun("the man standing"), head_noun("a swimming pool"), head_noun("a car parked at a curb")
    ('man', 'pool', 'car')
    """
    words = words_of(up_to_comma(phrase))
    named = next((n for n, word in enumerate(words) if not goes_before(word)), len(words))
    said = next((n for n, word in enumerate(words) if not describes(word)), len(words))
    ends = (n for n in range(1, len(words)) if ends_noun(words, n, named=named < n, said=said < n))
    end = next(ends, len(words))
    while end - 1 > named and words[end - 1] in BEHIND_NOUNS:
        end -= 1
    return words[end - 1] if words else ""


def up_to_comma(phrase: str) -> str:
    """Return a phrase up to the first comma that parts more than adjectives.

    >>> up_to_comma("a long, thin dog, sleeping"), up_to_comma(", the rest")
    ('a long, thin dog', '')
    """
    parts = phrase.split(",")
    count = 1
    while count < len(parts) and (words := words_of(parts[count - 1])) and all(map(goes_before, words)):
        count += 1
    return ",".join(parts[:count])


def goes_before(word: str) -> bool:
    """Tell whether a word stands before nouns and is mostly none: an article, a number, an adjective."""
    return describes(word) or word in MANY or number_of(word) is not None


def describes(word: str) -> bool:
    """Tell whether a word stands before nouns, and never for one as "two" does in "the two standing"."""
    return word in DESCRIBING or word.endswith("'s") or (word.endswith("ly") and word not in NOUNS_IN_LY)


def ends_noun(words: Sequence[str], at: int, *, named: bool, said: bool) -> bool:
    """Tell whether a word of a phrase, which is not its first, says something of a noun before it.

    named: whether there is a noun before it. said: whether there is one, or a number.

    >>> ends_noun(["a", "dog", "outside"], 2, named=True, said=True)
    True
    >>> ends_noun(["an", "outside", "wall"], 1, named=False, said=False)
    False
    """
    word, behind = words[at], words[at + 1] if at + 1 < len(words) else ""
    if word in PREPOSITIONS_BEFORE_NOUNS and not named:
        return behind in DETERMINERS
    if word in PREPOSITIONS or word in RELATIVES:
        return True
    return said and (word in AUXILIARIES or says_of_noun(words, at))


def is_plural(phrase: str) -> bool:
    """Guess whether a noun phrase takes "are".

    >>> is_plural("two dogs"), is_plural("a glass of beer"), is_plural("people"), is_plural("the skis")
    (True, False, True, True)
    >>> is_plural("a man and a woman"), is_plural("a black and white dog"), is_plural("a couple of dogs")
    (True, False, True)
    """
    words = words_of(phrase)
    if joins_nouns(words):
        return True
    if len(words) > 1 and words[:2] in (["a", "few"], ["a", "dozen"]):
        return True
    if len(words) > 3 and words[0] == "a" and words[1] in SEVERAL and words[2] == "of":
        return is_plural_noun(head_noun(" ".join(words[3:])))
    if words and (words[0] in ONE_OF_MANY or number_of(words[0]) == 1):
        return False
    if words and (words[0] in MANY - {"some"} or words[0] in NUMBER_WORDS or words[0] in ("these", "those")):
        return True
    head = head_noun(phrase)
    return is_plural_noun(head) or (head in noun_table.SAME_IN_PLURAL and number_of(words[0]) is not None)


def joins_nouns(words: Sequence[str]) -> bool:
    """Tell whether "and" joins two things: both with articles, or bare nouns at the end.

    >>> joins_nouns(["bride", "and", "groom"]), joins_nouns(["a", "red", "and", "white", "shirt"])
    (True, False)
    """
    end = next((n for n in range(1, len(words)) if words[n] in PREPOSITIONS | RELATIVES), len(words))
    own = words[:end]
    if "and" not in own[1:-1]:
        return False
    at = own.index("and", 1)
    if own[at - 1] in DESCRIBING or not own[at - 1][0].isalpha():
        return False
    return own[at + 1] in DETERMINERS or goes_before(own[at + 1]) is (at + 2 < len(own))


def with_article(noun: str, *, uncounted: Container[str] = ()) -> str:
    """Return the noun with "a" or "an", or bare when it is a plural or one of those that take no article.

    >>> with_article("elephant"), with_article("dogs"), with_article("water", uncounted={"water"})
    ('an elephant', 'dogs', 'water')
    """
    if not noun or is_plural(noun) or noun in uncounted or noun in noun_table.UNCOUNTED:
        return noun
    return f"{indefinite(noun)} {noun}"


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
