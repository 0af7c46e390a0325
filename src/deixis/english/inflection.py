"""Singular and plural of a noun, from a table of those that no rule makes and rules for the others."""

from __future__ import annotations

import re

from deixis.english import noun_table as table
from deixis.english.word_classes import PREPOSITIONS

LETTERS = re.compile(r"[a-z]")


def plural(noun: str) -> str:
    """Return the plural of a lower-cased noun; a plural stays as it is, and so does the empty string.

    Of several words the last before a preposition is put in the plural.

    >>> [plural(noun) for noun in ("dog", "woman", "bus", "puppy", "dogs", "glass of water", "son-in-law")]
    ['dogs', 'women', 'buses', 'puppies', 'dogs', 'glasses of water', 'sons-in-law']
    """
    before, word, behind = headed(noun)
    if not word or is_plural_noun(word) or word in table.SAME_IN_PLURAL:
        return noun
    return before + plural_by_table_or_rule(word) + behind


def singular(noun: str) -> str:
    """Return the singular of a lower-cased noun; what is no plural stays as it is, as does "scissors".

    >>> [singular(noun) for noun in ("dogs", "women", "buses", "puppies", "glass", "scissors", "movies")]
    ['dog', 'woman', 'bus', 'puppy', 'glass', 'scissors', 'movie']
    """
    before, word, behind = headed(noun)
    if not is_plural_noun(word) or word in table.PLURAL_ONLY or word in table.SAME_IN_PLURAL:
        return noun
    return before + singular_by_table_or_rule(word) + behind


def is_plural_noun(word: str) -> bool:
    """Tell whether a lower-cased word is a noun in the plural.

    >>> is_plural_noun("dogs"), is_plural_noun("mice"), is_plural_noun("bus"), is_plural_noun("scissors")
    (True, True, False, True)
    """
    word = headed(word)[1]
    if word in table.SINGULARS or word in table.PLURAL_ONLY or word in table.COLLECTIVES:
        return True
    if irregular(word, table.SINGULAR_ENDINGS) and word not in table.NO_PLURALS:
        return True
    if len(word) < 3 or not word.endswith("s") or word in table.SINGULARS_IN_S:
        return False
    return word in table.PLURALS_IN_IS_OR_US or not word.endswith(("ss", "us", "is"))


def forms(word: str) -> frozenset[str]:
    """Return a word with its singular and its plural.

    >>> sorted(forms("boxes")), sorted(forms("bus")), sorted(forms("wolf"))
    (['box', 'boxes'], ['bus', 'buses'], ['wolf', 'wolves'])
    """
    return frozenset((word, plural(word), singular(word)))


def headed(noun: str) -> tuple[str, str, str]:
    """Return what stands before the word that is put in the plural, that word, and what stands behind it.

    >>> headed("fire hydrant"), headed("brother-in-law"), headed("t-shirt")
    (('fire ', 'hydrant', ''), ('', 'brother', '-in-law'), ('t-', 'shirt', ''))
    """
    if noun in table.PLURALS or noun in table.SINGULARS:
        return "", noun, ""
    pieces = re.split(r"([ -])", noun)
    words = pieces[::2]
    ends = (n for n, word in enumerate(words) if n and word in PREPOSITIONS and n + 1 < len(words))
    head = next(ends, len(words)) - 1
    return "".join(pieces[: 2 * head]), words[head], "".join(pieces[2 * head + 1 :])


def irregular(word: str, endings: dict[str, str]) -> str:
    """Return a word with the ending changed that the table has for it; nothing if it has none.

    >>> irregular("fireman", {"man": "men"}), irregular("dog", {"man": "men"})
    ('firemen', '')
    """
    ending = next((ending for ending in endings if word.endswith(ending)), None)
    return "" if ending is None else word.removesuffix(ending) + endings[ending]


def plural_by_table_or_rule(word: str) -> str:
    """Return the plural of a single word that is none."""
    if word in table.PLURALS:
        return table.PLURALS[word]
    made = "" if word in table.REGULAR else irregular(word, table.PLURAL_ENDINGS)
    if made and made not in table.NO_PLURALS:  # several Omans are no omen
        return made
    if word in table.DOUBLED:
        return f"{word}{word[-1]}es"
    if word.endswith(("s", "x", "z", "sh")) or word in table.OES:
        return f"{word}es"
    if word.endswith("ch"):
        return f"{word}s" if word in table.CH_SAID_K else f"{word}es"
    if word.endswith("y") and len(word) > 1 and (word[-2] not in "aeiou" or word.endswith("quy")):
        return f"{word[:-1]}ies"
    return f"{word}s" if LETTERS.match(word[-1]) else word


def singular_by_table_or_rule(word: str) -> str:
    """Return the singular of a single word that is a plural."""
    if word in table.SINGULARS:
        return table.SINGULARS[word]
    if made := irregular(word, table.SINGULAR_ENDINGS):
        return made
    stem = word.removesuffix("s")
    if word.endswith("ies"):
        return stem if stem in table.IN_IE or len(word) < 5 else f"{word[:-3]}y"
    if word.endswith(("sses", "shes", "xes", "zzes", "tzes", "ches")):
        if word.endswith("zzes") and word[:-3] in table.DOUBLED:
            return word[:-3]
        return stem if stem in table.IN_E else word[:-2]
    if word.endswith("ses"):
        return word[:-2] if ends_in_s(word[:-2]) else stem
    if word.endswith("oes"):
        return stem if stem in table.IN_OE or stem.endswith("shoe") else word[:-2]
    return stem


def ends_in_s(word: str) -> bool:
    """Tell whether the "s" at the end of a word belongs to its singular: "bus", "lens", but not "hous".

    >>> ends_in_s("walrus"), ends_in_s("hous"), ends_in_s("lens"), ends_in_s("nois")
    (True, False, True, False)
    """
    if word in table.SINGULARS_IN_S:
        return True
    return word.endswith("us") and not word.endswith(("ous", "aus")) and f"{word}e" not in table.IN_E
