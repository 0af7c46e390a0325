"""What the form of a question tells: whether it takes for granted that what it asks for is there.

"Where is the dog?" presumes a dog; "is there a dog?" and "how many dogs are there?" leave it open, and a
"no" is as good an answer as a "yes". How sure one must be to deny it differs.
"""

from __future__ import annotations

from deixis.language.contractions import spelt_out
from deixis.language.nouns import words_of

ASKING = frozenset(("is", "are", "was", "were", "does", "do", "did", "has", "have", "any", "there"))
OFFERING = frozenset(("can", "could", "would", "will"))  # also begin requests
OPEN = frozenset(("whether", "if", "any", "many", "count", "number", "yes"))
WHICH = frozenset(("where", "what", "who", "which"))
REQUESTS = WHICH | {
    *("find", "locate", "show", "point", "mark", "spot", "highlight", "indicate", "tell", "give", "help"),
    *("draw", "put", "describe", "name", "circle", "outline"),
}
FILLERS = frozenset(("please", "hey", "hi", "hello", "ok", "okay", "so", "and", "well", "now", "but", "then"))
OPENING = 5  # words in which a request shows


def presumes(question: str) -> bool:
    """Tell whether a question takes what it asks for as given.

    >>> presumes("where is the dog?"), presumes("Please, is there a dog?"), presumes("can you find the dog?")
    (True, False, True)
    >>> presumes("isn't there a dog?"), presumes("where's the dog?")
    (False, True)
    """
    words = words_of(spelt_out(question))
    while words and words[0] in FILLERS:
        words = words[1:]
    if not OPEN.isdisjoint(words):
        return False
    if not words or words[0] not in ASKING | OFFERING:
        return True
    return not (REQUESTS if words[0] in OFFERING else WHICH).isdisjoint(words[:OPENING])
