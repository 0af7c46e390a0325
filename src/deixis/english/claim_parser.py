"""What a question says that a region is: "is {it} a dog?" says "a dog", "a dog or a cat?" offers two."""

from __future__ import annotations

import re
from collections.abc import Sequence

from deixis.english.articles import indefinite
from deixis.english.contractions import without_contractions
from deixis.english.word_classes import AMOUNTS, ARTICLES_AND_SOME, PREPOSITIONS, RELATIVES
from deixis.regions.names import split_names

REGION = "{}"
BRACE = re.compile(r"[{}]")  # one that a question speaks of, which is no region
TOKEN = re.compile(r"\{\}|\w+(?:[-']\w+)*|[^\s\w]")
# "some kind of dog" is a dog.
KIND = re.compile(r"\b(?:an?|some|the|any)\s+(?:kind|sort|type|breed)s?\s+of\s+(?:an?\s+)?(\w+)")
# "the thing in {it}" is {it}; so is "what I pointed at".
THING = re.compile(
    r"\b(?:the|this|that)\s+(?:marked\s+)?(?:thing|object|region|area|spot|box|animal|person|part)"
    r"(?:\s+(?:in|at|inside|under|on)\b(?=\s*(?:this|that|the)?\s*\{))?|\bby any chance\b"
)
POINTED = re.compile(r"\b(?:point(?:ed)? (?:at|to)|(?:drew|clicked|tapped) on)\b")
LIKE = re.compile(r"\blooks? like\b")
SAYS = frozenset(("is", "are", "was", "were", "be", "called"))  # between a thing and what it is
SHOWS = frozenset((
    "show", "shows", "showing", "contain", "contains", "depict", "depicts", "mark", "marked", "touch",
    "touched", "circled",
))  # fmt: skip
AROUND = frozenset((
    "it", "this", "that", "these", "those", "they", "what", "which", "i", "you", "we", "do", "does", "did",
    "would", "could", "can", "might", "may", "must", "should", "have", "has", "say", "think", "believe",
    "guess", "suppose", "sure", "certain", "really", "maybe", "perhaps", "possibly", "actually", "indeed",
    "just", "yes", "no", "or", "so", "and", "then", "tell", "me", "true", "right", "correct", "false", "if",
    "whether", "please", "hey", "ok", "okay", "well", "now", "here", "there", "one", "still",
))  # fmt: skip
AGREE = frozenset(("yes", "no", "right", "correct", "true", "not", "else"))
NEGATED = frozenset(("is", "are", "was", "were", "could", "can", "might", "would", "do", "does", "did"))
INSIDE = frozenset(("in", "inside", "within", "at"))
AFTER = frozenset(
    ("then", "right", "correct", "true", "yes", "no", "really", "actually", "please", "again", "too")
)
ENDS = PREPOSITIONS | RELATIVES | AFTER | {"than", "or", "and", "but", REGION, *",.;:?!"}
LONGEST = 6  # words


def claimed(question: str) -> tuple[str, ...]:
    """Return the noun phrases that a question says its only region is, or offers to choose from.

    None where it says no such thing. What follows a noun is left out. A question about what a region has,
    does, or is near to claims nothing.

    >>> claimed("Is {it} a brown dog?"), claimed("do you think {it} is a man in a hat?")
    (('a brown dog',), ('a man',))
    >>> claimed("is {it} a man or a woman?"), claimed("is {it} next to a dog?"), claimed("what is {it}?")
    (('a man', 'a woman'), (), ())
    """
    words = said_words(question)
    start = 0
    while start < len(words) and (words[start] in AROUND | SAYS | SHOWS | {REGION, ",", ":", ".", "?"}):
        start += 1
    lead: Sequence[str] = words[:start]
    rest: Sequence[str] = words[start:]
    phrases: list[str] = []
    while True:
        phrase, rest = up_to_end(rest)
        if not is_noun_phrase(phrase):
            return ()
        phrases.append(" ".join(phrase))
        following = offered_next(rest)
        if following is None:
            break
        rest = following
    if words.count(REGION) != 1 or not says_so(lead, rest) or rest[:1] in (["and"], ["than"]):
        return ()
    return () if REGION in rest and not region_apart(lead, rest) else tuple(phrases)


def up_to_end(words: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Return the words up to where a noun phrase ends, and the rest."""
    ends = (n for n, word in enumerate(words) if word in ENDS and not (n and of_amount(words[n - 1], word)))
    end = next(ends, len(words))
    return words[:end], words[end:]


def of_amount(word: str, after: str) -> bool:
    """Tell whether "of" only says of what there is an amount, as in "a pair of shoes"."""
    return after == "of" and word in AMOUNTS


def offered_next(rest: Sequence[str]) -> Sequence[str] | None:
    """Return what follows "or" or a comma if it is another thing to choose, not a demand to agree.

    What the thing before has or is near to is left out, up to "or".

    >>> offered_next(["or", "a", "cat", "?"]), offered_next([",", "yes", "or", "no", "?"])
    (['a', 'cat', '?'], None)
    >>> offered_next(["in", "a", "hat", "or", "a", "woman"])
    ['a', 'woman']
    """
    if rest and rest[0] in PREPOSITIONS | RELATIVES and "or" in rest:
        rest = rest[rest.index("or") :]
    count = next((n for n, word in enumerate(rest) if word not in (",", "or")), len(rest))
    following = rest[count:]
    if count == 0 or not following or not AGREE.isdisjoint(following[:2]) or following[0] in ENDS | SAYS:
        return None
    return following


def said_words(question: str) -> list[str]:
    """Return lower-cased words, punctuation and the region of a question, ways of pointing made plain.

    >>> said_words("Isn't the thing in {it} some kind of dog?")
    ['is', 'it', '{}', 'a', 'dog', '?']
    """
    parts = split_names(without_contractions(question).lower())
    text = "".join(BRACE.sub(" ", part.words) + ("" if part.name is None else " {} ") for part in parts)
    text = LIKE.sub("be", POINTED.sub("marked", THING.sub(" it ", KIND.sub(of_a_kind, text))))
    words = TOKEN.findall(text)
    # "is not {} a dog" asks what "is {} a dog" asks; "{} is not a dog" doesn't.
    return [word for n, word in enumerate(words) if not (word == "not" and n == 1 and words[0] in NEGATED)]


def of_a_kind(match: re.Match[str]) -> str:
    """Return the first word behind "some kind of", with its article."""
    return f"{indefinite(match[1])} {match[1]}"


def says_so(lead: Sequence[str], rest: Sequence[str]) -> bool:
    """Tell whether the words before a noun phrase say that something is it."""
    if SAYS.isdisjoint(lead) and SHOWS.isdisjoint(lead):
        return list(lead[:2]) == [REGION, ":"] and not AGREE.isdisjoint(rest)
    # "is there a dog in {}?" is about what {} shows; "there is a dog, and what is {}?" is not.
    return "there" not in lead or (rest[:1] != [] and rest[0] in INSIDE)


def is_noun_phrase(phrase: Sequence[str]) -> bool:
    """Tell whether words may be a noun phrase: an article in front only, no verb in its place.

    >>> is_noun_phrase(["a", "dog"]), is_noun_phrase(["wearing", "a", "hat"]), is_noun_phrase(["sleeping"])
    (True, False, False)
    """
    if not phrase or len(phrase) > LONGEST or not ARTICLES_AND_SOME.isdisjoint(phrase[1:]):
        return False
    if not all(word[0].isalnum() for word in phrase):
        return False
    with_article = phrase[0] in ARTICLES_AND_SOME
    return (len(phrase) > 1) if with_article else not phrase[0].endswith("ing") and phrase[0] != "not"


def region_apart(lead: Sequence[str], rest: Sequence[str]) -> bool:
    """Tell whether a region behind the noun phrase only shows what "this" is, or holds what is "there"."""
    at = list(rest).index(REGION)
    if "there" in lead:
        return at == 1 and rest[0] in INSIDE
    return at == 0 or rest[at - 1] in (",", ".", "?", "!", ":")
