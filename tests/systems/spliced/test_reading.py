"""An answer read while it is written: stops, as many places as were asked for, and what it costs."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest

from deixis.engine.policy import Completion, Delta
from deixis.engine.settings import Settings
from deixis.pictures.opening import Picture
from deixis.systems.ferret.dialect import FerretDialect
from deixis.systems.prompt import Reading
from deixis.systems.questions import checked_question
from deixis.systems.spliced.answering import SplicedSystem
from deixis.systems.spliced.policy import SplicedPolicy
from deixis.systems.spliced.reading import SplicedReader
from deixis.text.prompt_tokens import TextCodec
from tests.contract.promises import prompt_of
from tests.systems.ferret.tiny import fresh_ferret, tiny_codec
from tests.systems.pointer.tiny import noise_picture
from tests.text.tokenizers.made_codecs import header_codec, piece_codec

PICTURE = noise_picture(100, 50)
CODECS: dict[str, Callable[[Path], TextCodec]] = {
    "words": lambda folder: tiny_codec(),
    "pieces": piece_codec,
    "bytes": header_codec,
}
TWO = "the dog [10, 20, 30, 40] and the hat [0, 0, 1000, 1000] are."


@pytest.fixture(params=CODECS)
def codec(request: pytest.FixtureRequest, tmp_path: Path) -> TextCodec:
    return CODECS[request.param](tmp_path)


def reader(codec: TextCodec, *, picture: Picture | None = PICTURE, **settings: Any) -> SplicedReader:
    frame = None if picture is None else picture.frame
    return SplicedReader(
        codec, FerretDialect().reader(), Settings(**settings), ends=frozenset(codec.ends), frame=frame
    )


def read(
    codec: TextCodec, text: str, *, end: bool = True, **settings: Any
) -> tuple[Reading, list[Delta], int]:
    """Read an answer as the loop does, up to where it ends: the reading, its deltas, and its tokens."""
    ids = [*codec.encode(text, begin=False), *([codec.eos] if end else [])]
    policy = SplicedPolicy(reader(codec, **settings))
    deltas = []
    for token in ids:
        deltas.append(policy.accept(token, -0.1))
        if deltas[-1].ended:
            break
    count = len(deltas)
    deltas.append(policy.close("stop" if deltas[-1].ended else "length"))
    reading = Reading(
        "".join(delta.text for delta in deltas),
        tuple(span for delta in deltas for span in delta.spans),
        tuple(policy.reader.failures),
        policy.reader.raw,
    )
    return reading, deltas, count


def boxes(reading: Reading) -> list[tuple[float, ...]]:
    return [place.box.as_tuple() for span in reading.spans for place in span.places]


@pytest.mark.parametrize("end", [True, False])
@pytest.mark.parametrize("most", [None, 5])
@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("a dog.\n", "a dog."),
        ("a dog [10, 20, 30, 40]. \n \n", "a dog."),
        ("\n a dog [10, 20, 30, 40]\nand a hat [0, 0, 1000, 1000].\n", "a dog\nand a hat."),
        ("a dog [10, 20, 30, 40] \n", "a dog"),
        (" \n", ""),
    ],
)
def test_white_space_at_the_ends_is_not_shown(
    written: str, shown: str, most: int | None, end: bool, tmp_path: Path
) -> None:
    """Nor is it in any delta: what could be the last of it waits."""
    codec = header_codec(tmp_path)
    reading, deltas, _ = read(codec, written, end=end, max_places=most)
    assert reading.text == shown
    assert "".join(delta.text for delta in deltas) == shown
    assert reading.raw == written
    for span in reading.spans:
        assert reading.text[span.start : span.end] == span.phrase
    assert len(reading.spans) == written.count("[")


# Stops.


@pytest.mark.parametrize("stop", ["20, 30", "[", "]", "0, 30, 4", "10", ", "])
def test_a_stop_inside_coordinates_leaves_no_place(codec: TextCodec, stop: str) -> None:
    reading, deltas, count = read(codec, "the dog [10, 20, 30, 40] is here.", stop=stop)
    assert deltas[count - 1].ended and count < len(codec.encode(TWO, begin=False))
    assert boxes(reading) == [] and stop not in reading.text and stop in reading.raw
    assert not any("max_new_tokens" in failure for failure in reading.parse_failures)
    # What was begun of the coordinates is no place, and is said to be broken; nothing was begun of "[".
    assert len(reading.parse_failures) == (stop != "[")
    assert reading.text.lower().startswith("the dog")


def test_a_stop_behind_coordinates_keeps_their_place(codec: TextCodec) -> None:
    reading, _, _ = read(codec, TWO, stop="and the hat")
    assert boxes(reading) == [(1, 1, 3, 2)] and reading.parse_failures == ()
    assert reading.text.lower().strip() == "the dog" and "hat" not in reading.text


def test_of_several_stops_the_first_to_come_counts(codec: TextCodec) -> None:
    reading, _, _ = read(codec, TWO, stop=("are", "hat", "never"))
    assert reading.text.lower().endswith("and the") and len(boxes(reading)) == 1


def test_a_stop_that_never_comes_changes_nothing(codec: TextCodec) -> None:
    plain, _, count = read(codec, TWO)
    stopped, _, same = read(codec, TWO, stop=("are!", "[0, 0, 1000, 1001"))
    assert (stopped, same) == (plain, count) and plain.parse_failures == ()


# As many places as were asked for.


@pytest.mark.parametrize(("most", "found"), [(0, 0), (1, 1), (2, 2), (3, 2), (None, 2)])
def test_an_answer_ends_before_one_place_too_many(codec: TextCodec, most: int | None, found: int) -> None:
    reading, deltas, count = read(codec, TWO, max_places=most)
    assert len(boxes(reading)) == found and reading.parse_failures == ()
    said = ["the dog", "the dog and the hat", "the dog and the hat are."][found]
    assert reading.text.lower() == said
    assert deltas[count - 1].ended
    assert ("are" in reading.raw) == (found == 2)
    whole, _, longest = read(codec, TWO)
    assert whole.raw.startswith(reading.raw) and (count < longest) == (found < 2)
    assert "0, 0, 1000" not in reading.raw or found == 2, "nothing is written of a place too many"


def test_places_of_one_phrase_are_counted_one_by_one(codec: TextCodec) -> None:
    text = "the dogs [1, 2, 3, 4] [5, 6, 7, 8][9, 10, 11, 12] are."
    for most in range(5):
        reading, _, _ = read(codec, text, max_places=most)
        assert len(boxes(reading)) == min(most, 3) and reading.parse_failures == ()
        assert len(reading.spans) == (most > 0)


def test_brackets_that_are_no_places_end_nothing(codec: TextCodec) -> None:
    text = "the dog [so] is [10, 20, 30, 40] here [so to say]."
    reading, _, _ = read(codec, text, max_places=1)
    assert reading.text.lower() == "the dog [so] is here [so to say]." and len(boxes(reading)) == 1
    assert reading.parse_failures == ()
    none, _, _ = read(codec, text, max_places=0)
    assert none.text.lower() == "the dog [so] is" and none.spans == () and none.parse_failures == ()


def test_what_is_malformed_is_no_place(codec: TextCodec) -> None:
    text = "the dog [40, 20, 30, 10] and the hat [0, 0, 1000, 1000] are."
    reading, _, _ = read(codec, text, max_places=1)
    assert boxes(reading) == [(0, 0, 100, 50)] and len(reading.parse_failures) == 1
    assert reading.raw.lower().endswith("are.")


def test_a_stop_and_too_many_places(codec: TextCodec) -> None:
    reading, _, _ = read(codec, TWO, max_places=1, stop="hat")
    assert len(boxes(reading)) == 1 and reading.text.lower().endswith("and the")
    reading, _, _ = read(codec, TWO, max_places=1, stop="are")
    assert len(boxes(reading)) == 1 and reading.text.lower().endswith("the hat")


# Ends.


def test_without_an_end_an_answer_was_cut(codec: TextCodec) -> None:
    reading, _, _ = read(codec, "the dog [10, 20, 30, 40] is", end=False)
    assert len(boxes(reading)) == 1
    assert reading.parse_failures == ("the answer stopped before its end; raise max_new_tokens",)
    half, _, _ = read(codec, "the dog [10, 20,", end=False)
    assert boxes(half) == [] and len(half.parse_failures) == 2


def test_a_cancelled_answer_says_so(codec: TextCodec) -> None:
    one = reader(codec)
    for token in codec.encode("the dog is", begin=False):
        one.add(token, -0.1, ())
    one.close("cancelled")
    assert one.failures == ["the answer was cancelled before its end; raise max_new_tokens"]


def test_a_place_without_a_picture_is_a_failure(codec: TextCodec) -> None:
    reading, _, _ = read(codec, TWO, picture=None)
    assert reading.spans == () and len(reading.parse_failures) == 2
    assert all("there is no picture" in failure for failure in reading.parse_failures)
    assert reading.text.lower() == "the dog and the hat are."


# Token by token.


@pytest.mark.parametrize(
    "settings", [{}, {"max_places": 1}, {"stop": ("hat",)}, {"max_places": 9, "stop": ("are!",)}]
)
def test_deltas_are_what_is_parsed(settings: dict[str, Any]) -> None:
    system = fresh_ferret()
    reading, deltas, count = read(system.codec, TWO, **settings)
    ids = (*system.codec.encode(TWO, begin=False), system.codec.eos)[:count]
    completion = Completion(ids, (-0.1,) * len(ids), settings=Settings(**settings))
    assert system.parse(completion, prompt(system)) == reading
    assert sum(bool(delta.text) for delta in deltas) > 2, "it comes in parts"


def prompt(system: SplicedSystem) -> Any:
    return prompt_of(system, checked_question("where?", {}, PICTURE))


SENTENCE = (
    "there is a man [100, 200, 300, 400] with two dogs [12, 345, 67, 890][5, 6, 77, 888], in the park. "
)
COSTS: dict[str, tuple[str, dict[str, Any]]] = {
    "with places": (SENTENCE, {}),
    "with stops": (SENTENCE, {"stop": ("###", "the park!", "[[")}),
    "with a limit": (SENTENCE, {"max_places": 1000}),
    "an open bracket": ("[1, ", {}),
    "words": ("it is red, and big, and far away. ", {}),
}


@pytest.mark.parametrize("kind", COSTS)
def test_a_thousand_tokens_are_read_in_no_time(codec: TextCodec, kind: str) -> None:
    """20 ms is the aim; three times that leaves room for a busy machine."""
    sentence, settings = COSTS[kind]
    ids = list(islice(cycle(codec.encode(sentence, begin=False)), 1024))
    best = float("inf")
    for _ in range(5):
        one = reader(codec, **settings)
        started = time.process_time()
        for token in ids:
            one.add(token, -0.1, ())
        one.close("length")
        best = min(best, time.process_time() - started)
    assert len(one.logprobs) == 1024
    assert best < 0.06, f"{1000 * best:.0f} ms"
