"""The grammar of places: every state, and that only what it allows can be chosen."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from deixis.systems.pointer.decoding.place_grammar import (
    IN_OPENING,
    LONGEST,
    State,
    due,
    forbid,
    next_state,
    repetitions,
)
from deixis.text.tokenizers.word_pieces.vocabulary import (
    END,
    FOUND,
    NOWHERE,
    PHRASE,
    PHRASE_END,
    PLACE,
    SPECIAL,
    SpecialToken,
)

WORD = len(SPECIAL)
VOCABULARY = len(SPECIAL) + 3
ALLOWED: dict[State, dict[int, State]] = {
    State.WORDS: {WORD: State.WORDS, PHRASE.id: State.PHRASE_OPEN, END.id: State.ENDED},
    State.PHRASE_OPEN: {WORD: State.IN_PHRASE},
    State.IN_PHRASE: {WORD: State.IN_PHRASE, PHRASE_END.id: State.PHRASE_CLOSED},
    State.PHRASE_CLOSED: {PLACE.id: State.PLACE},
    State.PLACE: {FOUND.id: State.FOUND, NOWHERE.id: State.WORDS},
    State.FOUND: {
        WORD: State.WORDS,
        PHRASE.id: State.PHRASE_OPEN,
        END.id: State.ENDED,
        FOUND.id: State.FOUND,
    },
    State.ENDED: {},
}


def walk(tokens: list[int]) -> State | None:
    state: State | None = State.WORDS
    for token in tokens:
        state = None if state is None else next_state(state, token)
    return state


@pytest.mark.parametrize("state", [state for state in State if state not in IN_OPENING])
def test_what_may_follow(state: State) -> None:
    for token in [*(special.id for special in SPECIAL), WORD, WORD + 1, 10**6]:
        assert next_state(state, token) is ALLOWED[state].get(min(token, WORD))


@pytest.mark.parametrize(
    "tokens",
    [
        [END.id],
        [WORD, END.id],
        [PHRASE.id, WORD, WORD, PHRASE_END.id, PLACE.id, FOUND.id, END.id],
        [WORD, PHRASE.id, WORD, PHRASE_END.id, PLACE.id, NOWHERE.id, WORD, END.id],
        [PHRASE.id, WORD, PHRASE_END.id, PLACE.id, FOUND.id] * 3 + [END.id],
        [PHRASE.id, WORD, PHRASE_END.id, PLACE.id, FOUND.id, FOUND.id, WORD, END.id],
    ],
    ids=str,
)
def test_whole_answers(tokens: list[int]) -> None:
    assert walk(tokens) is State.ENDED


@pytest.mark.parametrize("state", [state for state in State if state not in {State.ENDED, *IN_OPENING}])
def test_forbidden_tokens_are_minus_infinity_and_all_others_as_they_were(state: State) -> None:
    logits = torch.randn(1, VOCABULARY)
    kept = logits.clone()
    allowed = forbid(logits, [state])
    assert torch.equal(logits, kept), "the given logits are left alone"
    for token in range(VOCABULARY):
        if next_state(state, token) is None or (state is State.FOUND and token == FOUND.id):
            assert allowed[0, token] == -torch.inf
        else:
            assert allowed[0, token] == logits[0, token]


@given(seed=st.integers(0, 10_000))
def test_choosing_the_best_allowed_token_is_always_a_sentence(seed: int) -> None:
    chance = torch.Generator().manual_seed(seed)
    states = [State.WORDS] * 3
    for _ in range(30):
        best = forbid(torch.randn(3, VOCABULARY, generator=chance), states).argmax(dim=-1).tolist()
        following = [
            state if state is State.ENDED else next_state(state, token)
            for state, token in zip(states, best, strict=True)
        ]
        assert None not in following
        states = [state for state in following if state is not None]


def test_rows_do_not_meddle_with_each_other() -> None:
    logits = torch.randn(2, VOCABULARY)
    states = [State.PHRASE_CLOSED, State.IN_PHRASE]
    both = forbid(logits, states)
    for row, state in enumerate(states):
        assert torch.equal(both[row : row + 1], forbid(logits[row : row + 1], [state]))


A, B, C = WORD, WORD + 1, WORD + 2
SAID = [PHRASE.id, A, B, PHRASE_END.id, PLACE.id, FOUND.id, C]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([], set()),
        ([PHRASE.id, A], set()),
        (SAID, set()),
        ([*SAID, A], set()),
        ([*SAID, PHRASE.id], set()),
        ([*SAID, PHRASE.id, A], {B}),
        ([*SAID, PHRASE.id, B], set()),
        ([*SAID, PHRASE.id, A, C], set()),
        ([PHRASE.id, A, PHRASE_END.id, PLACE.id, FOUND.id, PHRASE.id], {A}),
        ([*SAID, PHRASE.id, A, C, PHRASE_END.id, PLACE.id, NOWHERE.id, PHRASE.id, A], {B, C}),
    ],
)
def test_a_phrase_is_said_once(ids: list[int], expected: set[int]) -> None:
    assert repetitions(ids) == expected


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([PHRASE.id, A, B, C, A, B, C], {A}),
        ([PHRASE.id, A, A, A, A], {A}),
        ([PHRASE.id, A, A, A], set()),
        ([PHRASE.id, A, B, C, B, A, C, A, B, C], {B}),
        ([PHRASE.id, A, B, C, A, A, B], set()),
        ([A, B, C, A, B, C], {A}),
        ([A, B, C, PHRASE.id, A, B, C], set()),
        ([A, B, PHRASE.id, C, PHRASE_END.id, PLACE.id, FOUND.id, A, B], set()),
        ([PHRASE.id, A, B, C, A, PHRASE_END.id, PLACE.id, FOUND.id, PHRASE.id, A, B, C], {A}),
    ],
)
def test_words_do_not_go_in_circles(ids: list[int], expected: set[int]) -> None:
    assert repetitions(ids) == expected


CLOSED = [PHRASE.id, WORD, PHRASE_END.id, PLACE.id, FOUND.id]


@pytest.mark.parametrize(
    ("before", "end"),
    [([], END), (CLOSED, END), ([PHRASE.id], PHRASE_END), ([WORD, PHRASE.id], PHRASE_END)],
    ids=["words", "words behind a place", "a phrase", "a phrase behind words"],
)
def test_words_in_a_row_come_to_an_end(before: list[int], end: SpecialToken) -> None:
    long = [*before, *[WORD] * LONGEST]
    assert due(long) == end.id and due([*long, WORD]) == end.id
    assert due(long[:-1]) is None
    assert walk([*long, end.id]) is not None


def test_many_short_phrases_are_not_cut() -> None:
    assert due(CLOSED * LONGEST) is None and due([]) is None
