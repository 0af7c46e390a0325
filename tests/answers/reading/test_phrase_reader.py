"""Answers read while they are written: the same as at once, as early as it is certain, in linear time."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.answers.reading.boxed_phrases import BoxedPhrase, pairs, read_answer
from deixis.answers.reading.brackets import BracketReader
from deixis.answers.reading.phrase_reader import BoxedPhraseReader

LIKE_COORDINATES = re.compile(r"(?:\[\s*)+(?:[-+]?[.]?\d|\S{1,9}\s*,\s*\S{1,9}\s*[,\]]|$)")
OPENINGS = re.compile(r"(?:\[\s*)+")


def brackets_at_once(text: str) -> Iterator[tuple[int, int]]:
    """Yield the places of brackets that look like coordinates, by rules that see the whole text."""
    closing = pairs(text)
    place = text.find("[")
    while place >= 0:
        end = closing.get(place)
        if end is None:
            opening = OPENINGS.match(text, place)
            assert opening is not None
            later = text.find("[", opening.end())
            end = later if later >= 0 else len(text)
        if LIKE_COORDINATES.match(text, place, end):
            yield place, end
            place = text.find("[", end)
        else:
            place = text.find("[", place + 1)


WORDS = st.sampled_from(
    [
        "a dog",
        " ",
        ", ",
        ",",
        ".",
        " and ",
        "and",
        "a",
        ";",
        " & ",
        "[1, 2, 3, 4]",
        "[5,6,7,8]",
        "[1, 2]",
        "[9, 9, 1, 1]",
        "[",
        "]",
        "[x]",
        "[sic, ",
        "x, y]",
        "[ ",
        "[-.5",
        "1, [",
        "\n",
        "é",
        "7",
        "abcdefghi",
        "There is ",
    ]
)
TEXTS = (
    st.lists(WORDS, max_size=14).map("".join)
    | st.text("[]0123, .a\n", max_size=40)
    | st.text("[],a ", max_size=30)
    | st.text("[]x,- .+1\t", max_size=25)
)


def cut(text: str, places: list[int]) -> list[str]:
    """Return a text in pieces, cut at some places."""
    ends = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(ends)]


CUTS = st.lists(st.integers(0, 1000), max_size=8)


@given(text=TEXTS, cuts=CUTS | st.none())
@settings(max_examples=1500, deadline=None)
def test_brackets_are_those_of_the_whole_text(text: str, cuts: list[int] | None) -> None:
    reader = BracketReader()
    pieces = list(text) if cuts is None else cut(text, cuts)
    parts = [part for piece in pieces for part in reader.add(piece)] + reader.close()
    assert "".join(part.text for part in parts) == text
    assert [part.start for part in parts] == [
        sum(len(part.text) for part in parts[:number]) for number in range(len(parts))
    ]
    found = [(part.start, part.start + len(part.text)) for part in parts if part.coordinates]
    assert found == list(brackets_at_once(text))


@given(text=TEXTS, cuts=CUTS | st.none())
@settings(max_examples=1500, deadline=None)
def test_piece_by_piece_is_the_same_as_at_once(text: str, cuts: list[int] | None) -> None:
    reader = BoxedPhraseReader()
    pieces = list(text) if cuts is None else cut(text, cuts)
    said, seen = "", ""
    phrases: list[BoxedPhrase] = []
    for piece in pieces:
        seen += piece
        delta = reader.add(piece)
        said += delta.text
        phrases += delta.phrases
        if reader.opened is not None:
            assert seen[reader.opened] == "["
        # No later text may change what was said.
        for rest in ("", "]", " [1, 2, 3, 4]", ", 1]"):
            whole = read_answer(seen + rest).without_coordinates()
            assert whole.text.startswith(said) and list(whole.phrases[: len(phrases)]) == phrases
    delta = reader.close()
    said += delta.text
    phrases += delta.phrases
    whole = read_answer(text).without_coordinates()
    assert (said, tuple(phrases), reader.failures) == (whole.text, whole.phrases, whole.failures)
    assert reader.boxes == sum(len(phrase.boxes) for phrase in whole.phrases)
    assert reader.opened is None


def read(*pieces: str) -> tuple[list[str], list[list[str]], BoxedPhraseReader]:
    reader = BoxedPhraseReader()
    deltas = [reader.add(piece) for piece in pieces]
    return [delta.text for delta in deltas], [[p.phrase for p in delta.phrases] for delta in deltas], reader


def test_words_come_at_once_and_a_phrase_when_nothing_joins_it() -> None:
    texts, phrases, reader = read(
        "two men",
        " ",
        "[1, 2,",
        " 3, 4]",
        " an",
        "d ",
        "[5, 6, 7, 8]",
        " and",
        " a",
        " dog ",
        "[1, 2, 3, 4]",
        ".",
    )
    assert texts == ["two men", "", "", "", "", "", "", "", " and a", " dog", "", "."]
    assert phrases == [[], [], [], [], [], [], [], [], ["two men"], [], [], ["a dog"]]
    assert reader.boxes == 3
    rest = reader.close()
    assert rest.text == "" and rest.phrases == ()


def test_places_are_those_in_what_was_said() -> None:
    reader = BoxedPhraseReader()
    text = "a man [1, 2, 3, 4], then [5, 6, 7, 8]"
    first, rest = reader.add(text), reader.close()
    assert first.text + rest.text == "a man, then"
    found: list[BoxedPhrase] = [*first.phrases, *rest.phrases]
    assert [(one.start, one.end, one.boxes[0].start) for one in found] == [(0, 5, 6), (7, 11, 25)]


def test_a_bracket_is_open_once_it_looks_like_coordinates() -> None:
    reader = BoxedPhraseReader()
    opened = []
    for piece in ("see [sic] ", "[", "1", "2, 3", ", 40, 50", "]", " [see ", "[x, y, ", "z]"):
        reader.add(piece)
        opened.append(reader.opened)
    assert opened == [None, None, 10, 10, 10, None, None, 31, None]
    assert reader.boxes == 1


def test_words_in_brackets_are_not_held_back() -> None:
    texts, _, reader = read("a [see", " the", " cat [1, 2, 3, 4]", " there", "]", " x")
    assert texts == ["a", " [see the", " cat", " there", "]", " x"]
    assert reader.failures == ()


def test_an_unclosed_bracket_holds_back_what_may_be_in_it() -> None:
    texts, _, reader = read("a [1, 2", " and a dog", " [1, 2, 3, 4]", " here")
    assert texts == ["a", "", "", ""]
    rest = reader.close()
    assert rest.text == " [1, 2 and a dog here"
    assert [phrase.phrase for phrase in rest.phrases] == ["2 and a dog"]
    assert reader.failures == ("[1, 2 and a dog  is not closed",)


SENTENCE = "There is a man [100, 200, 300, 400] in it, "


@pytest.mark.parametrize(
    "text",
    [
        SENTENCE * 1_000,
        "[" * 40_000,
        "[x" * 20_000,
        "[" * 20_000 + "x" * 20_000,
        "[ " * 20_000 + "x",
        "[1, " * 10_000,
        "[1, " + "a dog [1, 2, 3, 4] " * 2_000,
        "a, " * 13_000,
        "[a" + " " * 40_000 + "," + " " * 1_000 + "b]",
        "dog [1, 2, 3, 4]" + " " * 40_000,
        "dog" + " [1, 2, 3, 4]" * 3_000,
        "[a, " * 10_000 + "]" * 10_000,
        "[" * 10_000 + "1" + "]" * 10_000,
    ],
    ids=lambda text: repr(text[:12]),
)
@pytest.mark.parametrize("whole", [True, False])
def test_long_answers_are_read_in_linear_time(text: str, whole: bool) -> None:
    reader = BoxedPhraseReader()
    started = time.process_time()
    for piece in [text] if whole else text:
        reader.add(piece)
    reader.close()
    assert time.process_time() - started < 4  # half a second alone; minutes if time grew with the square
