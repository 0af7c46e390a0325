"""What the form of a question tells: whether it takes for granted that what it asks for is there.

"Where is the dog?" presumes a dog; "is there a dog?" and "how many dogs are there?" leave it open, and a
"no" is as good an answer as a "yes". How sure one must be to deny it differs.
"""

from __future__ import annotations

from itertools import pairwise

from deixis.english.contractions import spelt_out
from deixis.english.nouns import words_of

ASKING = frozenset(
    ("is", "are", "am", "was", "were", "does", "do", "did", "has", "have", "got", "any", "there")
)
OFFERING = frozenset(("can", "could", "would", "will", "might"))  # also begin requests
OPEN = frozenset(
    ("whether", "if", "any", "many", "count", "number", "tally", "total", "yes", "true", "absent")
)
WHICH = frozenset(("where", "what", "who", "which"))
REQUESTS = WHICH | {
    *("find", "locate", "show", "point", "mark", "spot", "highlight", "indicate", "tell", "give", "help"),
    *("draw", "put", "describe", "name", "circle", "outline", "box", "mind", "let"),
}
FILLERS = frozenset(("please", "hey", "hi", "hello", "ok", "okay", "so", "and", "well", "now", "but", "then"))
CHECKING = frozenset(("just", "quick", "check", "checking", "question"))
GUESSES = frozenset(("idea", "ideas", "guess", "guesses", "thoughts"))  # "any idea where ..." asks where
STATEMENTS = frozenset((("there", "is"), ("there", "are"), ("or", "not"), ("is", "that")))  # to be agreed to
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
    words = words_of(spelt_out(question))
    while words and words[0] in FILLERS | CHECKING:
        words = words[1:]
    pairs = list(pairwise(words))
    words = [word for word, after in pairwise([*words, ""]) if not guessing(word, after)]
    if WHICH.isdisjoint(words) and not STATEMENTS.isdisjoint(pairs):
        return False
    if not OPEN.isdisjoint(words):
        return False
    if not words or words[0] not in ASKING | OFFERING:
        return True
    return not (REQUESTS if words[0] in OFFERING else WHICH).isdisjoint(words[:OPENING])


def guessing(word: str, after: str) -> bool:
    """Tell whether "any" only belongs to "any idea"."""
    return word == "any" and after in GUESSES
