"""What the form of a question tells: whether it takes for granted that what it asks for is there.

"Where is the dog?" presumes a dog; "is there a dog?" and "how many dogs are there?" leave it open, and a
"no" is as good an answer as a "yes". How sure one must be to deny it differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import dropwhile, pairwise

from deixis.english.contractions import without_contractions
from deixis.english.nouns import is_plural, words_of
from deixis.english.word_classes import DETERMINERS, PREPOSITIONS

ASKING = frozenset(
    ("is", "are", "am", "was", "were", "does", "do", "did", "has", "have", "got", "any", "there")
)
OFFERING = frozenset(("can", "could", "would", "will", "might"))  # also begin requests
OPEN = frozenset(("whether", "if", "any"))
# Two words that leave it open together: "how many", "the number of", "yes or no".
OPEN_PAIRS = frozenset((
    ("how", "many"), ("yes", "or"), ("yes", "no"), ("or", "no"), ("true", "or"), ("or", "absent"),
    ("absent", "or"), ("or", "false"), ("their", "number"), ("total", "number"),
))  # fmt: skip
AMOUNTS_ASKED = frozenset(("count", "number", "tally", "total"))
COUNTING = frozenset(("count", "tally"))  # verbs too: "count the dogs", "can you tally them"
COUNTS = frozenset(("you", "i", "we", "to", "and", "please", "just", "or"))  # stand before such a verb
WHICH = frozenset(("where", "what", "who", "which"))
REQUESTS = WHICH | {
    *("find", "locate", "show", "point", "mark", "spot", "highlight", "indicate", "tell", "give", "help"),
    *("draw", "put", "describe", "name", "circle", "outline", "box", "mind", "let"),
}
FILLERS = frozenset(("please", "hey", "hi", "hello", "ok", "okay", "so", "and", "well", "now", "but", "then"))
CHECKING = frozenset(("just", "quick", "check", "checking", "question"))
LEADING = FILLERS | CHECKING
GUESSES = frozenset(("idea", "ideas", "guess", "guesses", "thoughts"))  # "any idea where ..." asks where
STATEMENTS = frozenset((("there", "is"), ("there", "are"), ("or", "not"), ("is", "that")))  # to be agreed to
LONGEST = 8  # words of what is counted
OPENING = 5  # words in which a request shows


def presumes(question: str) -> bool:
    """Tell whether a question takes what it asks for as given.

    >>> presumes("where is the dog?"), presumes("Please, is there a dog?"), presumes("can you find the dog?")
    (True, False, True)
    >>> presumes("any idea where the dog is?"), presumes("someone says there is a dog, is that so?")
    (True, False)
    >>> presumes("isn't there a dog?"), presumes("where's the dog?")
    (False, True)
    """
    words = list(dropwhile(LEADING.__contains__, words_of(without_contractions(question))))
    pairs = list(pairwise(words))
    words = [word for word, after in pairwise([*words, ""]) if not guessing(word, after)]
    if WHICH.isdisjoint(words) and not STATEMENTS.isdisjoint(pairs):
        return False
    if not OPEN_PAIRS.isdisjoint(pairwise(words)) or words[:1] == ["many"]:
        return False
    if any(opens(words, at) or asks_number(words, at) for at in range(len(words))):
        return False
    if not words or words[0] not in ASKING | OFFERING:
        return True
    return not (REQUESTS if words[0] in OFFERING else WHICH).isdisjoint(words[:OPENING])


def opens(words: Sequence[str], at: int) -> bool:
    """Tell whether a word leaves open what is there: "if", but not the "any" of "the man without any hat".

    >>> opens(["see", "any", "dogs"], 1), opens(["without", "any", "hat"], 1)
    (True, False)
    """
    return words[at] in OPEN and not (words[at] == "any" and at and words[at - 1] in PREPOSITIONS)


def asks_number(words: Sequence[str], at: int) -> bool:
    """Tell whether a word asks how many there are: "the number of dogs", but not "the number plate".

    >>> asks_number(["number", "of", "dogs"], 0), asks_number(["number", "of", "the", "house"], 0)
    (True, False)
    >>> asks_number(["count", "them"], 0), asks_number(["the", "count", "here"], 1)
    (True, False)
    """
    if words[at] not in AMOUNTS_ASKED:
        return False
    if words[at + 1 : at + 2] == ["of"]:
        # The number of one thing that is known is written on it.
        what = words[at + 2 : at + 2 + LONGEST]
        return not what or what[0] not in DETERMINERS - {"a", "an", "all"} or is_plural(" ".join(what))
    return words[at] in COUNTING and (at == 0 or words[at - 1] in COUNTS)


def guessing(word: str, after: str) -> bool:
    """Tell whether "any" only belongs to "any idea"."""
    return word == "any" and after in GUESSES
