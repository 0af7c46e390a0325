"""Which token may follow which, so that every generated answer can be read: words, and phrases closed by a
place.

answer = [ opening ] { word | PHRASE word+ PHRASE_END PLACE (FOUND+ | NOWHERE) } END
opening = intent | <judge> claim { <or> claim } <claimed>
claim = word+

Of several places each may have a FOUND of its own, so that words can count them. Answers have an opening
where the vocabulary has tokens for it, and no words of it are text.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from torch import Tensor

from deixis.text.tokenizers.word_pieces.opening_tokens import JUDGE, OpeningTokens
from deixis.text.tokenizers.word_pieces.vocabulary import (
    END,
    FOUND,
    NOWHERE,
    PHRASE,
    PHRASE_END,
    PLACE,
    SPECIAL,
)

LONGEST = 48  # word pieces in a row: more than any phrase or remark has; an answer that lost its thread has
LOOP = 4  # words in a row that make a circle when they come again; a triple recurs in honest phrases


class State(Enum):
    """Where in the grammar an answer is."""

    OPENING = "the opening"
    CLAIM_OPEN = "a claim without words"
    IN_CLAIM = "a claim"
    WORDS = "words"
    PHRASE_OPEN = "a phrase without words"
    IN_PHRASE = "a phrase"
    PHRASE_CLOSED = "a phrase that waits for its place token"
    PLACE = "a place token that waits for its verdict"
    FOUND = "a place that was found"
    ENDED = "the end"


IN_OPENING = frozenset((State.OPENING, State.CLAIM_OPEN, State.IN_CLAIM))
WORDLESS = frozenset((State.OPENING, State.PHRASE_CLOSED, State.PLACE))  # no word may come next


def first_state(opening: OpeningTokens | None) -> State:
    """Return where an answer begins."""
    return State.WORDS if opening is None else State.OPENING


def next_opening(state: State, token: int, opening: OpeningTokens) -> State | None:
    """Return the state after a token of an opening; None where the grammar doesn't allow it."""
    if state is State.OPENING:
        intent = opening.intent(token)
        return None if intent is None else State.CLAIM_OPEN if intent == JUDGE else State.WORDS
    if state in IN_OPENING and token >= len(SPECIAL) and token not in opening.ids:
        return State.IN_CLAIM
    if state is State.IN_CLAIM:
        return {opening.either: State.CLAIM_OPEN, opening.claimed: State.WORDS}.get(token)
    return None


def next_state(state: State, token: int, opening: OpeningTokens | None = None) -> State | None:
    """Return the state after a token; None where the grammar doesn't allow it."""
    if opening is not None and (state in IN_OPENING or token in opening.ids):
        return next_opening(state, token, opening)
    word = token >= len(SPECIAL)
    if state in (State.WORDS, State.FOUND):
        if word:
            return State.WORDS
        if state is State.FOUND and token == FOUND.id:
            return State.FOUND
        return {PHRASE.id: State.PHRASE_OPEN, END.id: State.ENDED}.get(token)
    if state is State.PHRASE_OPEN:
        return State.IN_PHRASE if word else None
    if state is State.IN_PHRASE:
        return State.IN_PHRASE if word else State.PHRASE_CLOSED if token == PHRASE_END.id else None
    if state is State.PHRASE_CLOSED:
        return State.PLACE if token == PLACE.id else None
    if state is State.PLACE:
        return {FOUND.id: State.FOUND, NOWHERE.id: State.WORDS}.get(token)
    return None


def forbid(logits: Tensor, states: list[State], opening: OpeningTokens | None = None) -> Tensor:
    """Return logits (B, V) with every special token that a row's state doesn't allow at minus infinity.

    How many places were found is never for words to say.
    """
    allowed = logits.clone()
    alike = len(set(states)) == 1  # then all rows are written at once
    for row, state in [(slice(None), states[0])] if alike else enumerate(states):
        if state in WORDLESS:
            allowed[row, len(SPECIAL) :] = float("-inf")
        if opening is not None:
            mine = sorted(opening.ids)
            allowed[row, mine] = logits[row, mine]
        allowed[row, forbidden(state, opening)] = float("-inf")
    return allowed


def forbidden(state: State, opening: OpeningTokens | None) -> list[int]:
    """Return the tokens that a state doesn't allow: special ones, and those of openings."""
    mine = () if opening is None else opening.ids
    never = [
        token
        for token in (*(special.id for special in SPECIAL), *mine)
        if next_state(state, token, opening) is None
    ]
    return [*never, FOUND.id] if state is State.FOUND else never


def repetitions(ids: Sequence[int]) -> set[int]:
    """Return the tokens that would say a phrase of an answer again, or let its words go in circles.

    Greedy words would otherwise list the likeliest thing again and again, and an answer that lost its thread
    would never end: between special tokens, ``LOOP`` words in a row stand only once.

    >>> repetitions([PHRASE.id, 20, 21, PHRASE_END.id, PLACE.id, FOUND.id, PHRASE.id, 20])
    {21}
    >>> repetitions([20, 21, 22, 23, 20, 21, 22])
    {23}
    """
    said: list[list[int]] = []
    is_open = False
    for token in ids:
        if token == PHRASE.id:
            said.append([])
        elif said and is_open and token >= len(SPECIAL):
            said[-1].append(token)
        is_open = token == PHRASE.id or (is_open and token != PHRASE_END.id)
    again = {phrase[-1] for phrase in said[:-1] if phrase and phrase[:-1] == said[-1]} if is_open else set()
    last = max((place + 1 for place, token in enumerate(ids) if token < len(SPECIAL)), default=0)
    return again | circling(ids[last:])


def due(ids: Sequence[int]) -> int | None:
    """Return the token that must come next, as words in a row have become too many; None where none must.

    A phrase is closed, so that it gets its place; other words end the answer.

    >>> due([20] * LONGEST) == END.id, due([PHRASE.id, *[20] * LONGEST]) == PHRASE_END.id
    (True, True)
    >>> due([PHRASE.id, *[20] * (LONGEST - 1)])
    """
    last = max((place for place, token in enumerate(ids) if token < len(SPECIAL)), default=-1)
    if len(ids) - last - 1 < LONGEST:
        return None
    return PHRASE_END.id if last >= 0 and ids[last] == PHRASE.id else END.id


def circling(words: Sequence[int]) -> set[int]:
    """Return the tokens that would repeat ``LOOP`` tokens in a row of ``words``."""
    end = tuple(words[-(LOOP - 1) :])
    return {
        words[start + LOOP - 1]
        for start in range(len(words) - LOOP + 1)
        if tuple(words[start : start + LOOP - 1]) == end
    }
