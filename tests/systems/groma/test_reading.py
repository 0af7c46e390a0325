"""Answers read token by token: words, links, places, and what is wrong with them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from deixis.answers.grounded import Answer, Finish, Place, Span
from deixis.engine.settings import Settings
from deixis.pictures.opening import Picture, open_picture
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box
from deixis.systems.groma.dialect import GromaTokens, groma_codec
from deixis.systems.groma.reading import GromaReader, ListedPlace
from deixis.text.prompt_tokens import TextCodec
from tests.systems.groma.words import groma_tokens, groma_words
from tests.text.tokenizers.made_codecs import piece_codec

CODEC, TOKENS = groma_words(), groma_tokens()
FRAME = Frame.original(100, 50)
LISTED = tuple(ListedPlace(Box(10 * i, 0, 10 * i + 10, 20, frame=FRAME), 1 / (1 + i)) for i in range(4))
HALF = math.log(0.5)


def read(
    answer: str | list[int],
    *,
    codec: TextCodec = CODEC,
    tokens: GromaTokens = TOKENS,
    end: bool = True,
    logprob: float = HALF,
    listed: tuple[ListedPlace, ...] = LISTED,
    finish: Finish = "stop",
    faults: tuple[str, ...] = (),
    subject: str = "",
    asked: str = "",
    **settings: Any,
) -> tuple[str, tuple[Span, ...], list[str]]:
    """Return text, spans and failures of an answer; and check that it can be an Answer."""
    ids = codec.encode(answer, begin=False) if isinstance(answer, str) else answer
    ids = [*ids, codec.eos] if end else ids
    ends = frozenset(codec.ends)
    reader = GromaReader(codec, tokens, listed, Settings(**settings), ends=ends, subject=subject, asked=asked)
    reader.failures += faults
    deltas = [reader.add(token, logprob, ()) for token in ids]
    deltas.append(reader.close(finish))
    text, spans = "", tuple[Span, ...]()
    for delta in deltas:
        text += delta.text
        assert all(span.end <= len(text) for span in delta.spans), "a span before its words"
        spans += delta.spans
    Answer(text=text, spans=spans, pictures=(picture(),), system="groma", seconds=0)
    return text, spans, reader.failures


def picture() -> Picture:
    import numpy as np

    return open_picture(np.zeros((50, 100, 3), dtype=np.uint8))


def phrases(spans: tuple[Span, ...]) -> list[tuple[str, list[int]]]:
    """Return phrases with the numbers of their places."""
    return [(span.phrase, [round(place.box.x0 / 10) for place in span.places]) for span in spans]


@pytest.mark.parametrize(
    ("answer", "text", "expected"),
    [
        (
            "<p>a man</p><roi><r2></roi> is near <p>two dogs</p> <roi><r3><r1></roi>.",
            "A man is near two dogs.",
            [("A man", [2]), ("two dogs", [1, 3])],
        ),
        ("a man.", "A man.", []),
        ("<p>the car</p><roi><r1><r1></roi>", "The car", [("The car", [1])]),
        ("<roi><r0></roi>", "here", [("here", [0])]),
        ("it is <roi><r0><r3></roi>, sure", "It is here, sure", [("here", [0, 3])]),
    ],
)
def test_links(answer: str, text: str, expected: list[tuple[str, list[int]]]) -> None:
    assert (read(answer)[0], phrases(read(answer)[1]), read(answer)[2]) == (text, expected, [])


def test_a_place_is_as_sure_as_its_object_and_its_token() -> None:
    (span,) = read("<p>dogs</p><roi><r3><r1></roi>")[1]
    assert [place.score for place in span.places] == [0.25, 0.125]
    assert span.places[0] == Place(LISTED[1].box, 0.25)


def test_a_place_without_words_is_called_what_was_asked_for() -> None:
    assert phrases(read("<roi><r1></roi>", subject=" the red car ")[1]) == [("the red car", [1])]


def test_an_answer_that_is_only_a_place_says_what_was_asked() -> None:
    """Whatever the wording: without a known phrase it is the question's own words."""
    text, spans, failures = read("<roi><r2><r1></roi>", asked="où est le chien")
    assert (text, phrases(spans), failures) == ("où est le chien", [("où est le chien", [1, 2])], [])
    more = read("<roi><r1></roi> <roi><r2></roi>", asked="where is the dog")
    assert phrases(more[1]) == [("where is the dog", [1]), ("here", [2])]
    behind = read("a dog <roi><r1></roi>", asked="where is the dog")
    assert phrases(behind[1]) == [("here", [1])], "the answer has words of its own"
    assert phrases(read("<roi><r1></roi>", subject="the dog", asked="Locate it")[1]) == [("the dog", [1])]
    assert phrases(read("<roi><r1></roi>")[1]) == [("here", [1])]


def test_places_know_the_order_in_which_they_were_named() -> None:
    _, spans, _ = read("<p>dogs</p><roi><r3><r1></roi> near <p>a cat</p><roi><r0></roi>")
    named = [[(round(place.box.x0 / 10), place.named) for place in span.places] for span in spans]
    assert named == [[(1, 1), (3, 0)], [(0, 2)]]


@pytest.mark.parametrize("answer", ["<p>a cat</p><roi></roi>", "<p>a cat</p> is", "<p>a cat</p>"])
def test_a_phrase_without_places_is_nowhere(answer: str) -> None:
    _, (span,), failures = read(answer)
    assert (span.phrase, span.nowhere, span.nowhere_score, failures) == ("A cat", True, 0.5, [])


@pytest.mark.parametrize(
    ("answer", "doubt"),
    [
        ("<p>a dog</p><roi><r4></roi>", "<r4>, but the prompt lists 4 places"),
        ("<roi><r99></roi>", "<r99>, but the prompt lists 4 places"),
        ("a dog <r1>", "<r1> outside <roi>"),
        ("<p>a dog<roi><r1>", "<roi> inside a phrase"),
        ("<p>a dog</p><roi><r1> near", "words inside <roi>"),
        ("<p>a dog</p><roi><r1>", "<roi> is never closed"),
        ("<p>a dog", "<p> is never closed"),
        ("a dog</p>", "</p> without <p>"),
        ("a dog</roi>", "</roi> without <roi>"),
        ("<p></p><roi><r1></roi>", "<p> and </p> without words"),
        ("<roi></roi>", "without places between them"),
        ("<p>a <p>dog</p>", "<p> inside a phrase"),
        ("<p>a dog</p><roi><r1><p>the</p><roi><r9></roi>", "<p> inside <roi>"),
    ],
)
def test_what_breaks_the_form_is_a_doubt_and_no_wrong_place(answer: str, doubt: str) -> None:
    _, spans, failures = read(answer)
    assert any(doubt in failure for failure in failures), failures
    good = [places for phrase, places in phrases(spans) if phrase not in ("here", "Dog", "dog")]
    assert all(not places for places in good), spans


def test_a_known_place_beside_an_unknown_one_stays() -> None:
    _, spans, failures = read("<p>dogs</p><roi><r1><r50></roi>")
    assert phrases(spans) == [("Dogs", [1])]
    assert "<r50>, but the prompt lists 4 places" in failures[0]


@pytest.mark.parametrize("end", ["<p>a", "<p>a dog</p>", "<p>a dog</p><roi>", "<p>a dog</p><roi><r1>"])
def test_an_answer_that_was_cut_has_no_unfinished_place(end: str) -> None:
    _, spans, failures = read(f"<p>the man</p><roi><r0></roi> and {end}", end=False, finish="length")
    assert phrases(spans) == [("The man", [0])]
    assert "raise max_new_tokens" in failures[0]


def test_no_place_where_likelihoods_are_missing() -> None:
    assert read("<p>dogs</p><roi><r1></roi>", logprob=math.nan)[1] == ()
    assert read("<p>dogs</p><roi><r1></roi>", faults=("tokens and likelihoods",))[1] == ()
    assert read("<p>dogs</p><roi><r1></roi>", logprob=-math.inf)[1][0].places[0].score == 0


def test_tokens_that_no_answer_has_end_the_reading() -> None:
    ids = CODEC.encode("a dog", begin=False)
    for wrong in (TOKENS.region, TOKENS.pad, TOKENS.refer_box, TOKENS.grounding, -200, len(CODEC), CODEC.bos):
        assert wrong is not None
        text, _, failures = read([*ids, wrong, *ids])
        assert text == "A dog"
        assert failures == [f"tokens that no answer has: [{wrong}]"]


def test_an_answer_ends_before_a_stop_and_before_one_place_too_many() -> None:
    answer = "<p>the man</p><roi><r0><r1></roi> and <p>dogs</p><roi><r2></roi>."
    text, spans, failures = read(answer, stop=[" and"])
    assert (text, phrases(spans), failures) == ("The man", [("The man", [0, 1])], [])
    assert read(answer, stop=["man"])[1] == ()
    text, spans, failures = read(answer, max_places=1)
    assert (text, phrases(spans), failures) == ("The man", [("The man", [0])], [])
    text, spans, failures = read(answer, max_places=2)
    assert (text, phrases(spans), failures) == ("The man and dogs", [("The man", [0, 1])], [])


@pytest.mark.parametrize("legacy", [True, False])
def test_pieces_of_a_published_tokenizer(tmp_path, legacy: bool) -> None:  # type: ignore[no-untyped-def]
    plain = piece_codec(tmp_path)
    assert plain.pieces.processor is not None
    codec = groma_codec(tmp_path / "tokenizer.model", legacy=legacy)
    tokens = GromaTokens.of(codec)
    answer = "<p>A dög</p> <roi><r1></roi> near <p>a man</p><roi><r0><r2></roi>!"
    text, spans, failures = read(answer, codec=codec, tokens=tokens)
    assert failures == []
    assert text == "A dög near a man!"
    assert phrases(spans) == [("A dög", [1]), ("a man", [0, 2])]
