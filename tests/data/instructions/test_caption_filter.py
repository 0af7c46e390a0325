"""The caption filter: a caption for every reason, and captions that it must keep."""

from __future__ import annotations

import pytest

from deixis.data.instructions.caption_filter import CaptionFilter, loops, repeated_share
from deixis.errors import UsageError

GOOD = (
    "A brown dog with a red collar runs over wet sand; behind it, the sea is grey and two people walk along. "
    "The dog's mouth is open, and its tongue hangs out."
)


@pytest.mark.parametrize(
    "caption",
    [
        GOOD,
        "The sign says “STOP”, 24 hours a day!",
        "A very, very, very tall tree (about 30 m).",
        "Ein großer Hund läuft über den nassen Strand.",
        "The image is not a photo, but a drawing of a sorry-looking cat.",
        "A man looks sorry. He can see the ocean from a window that is available to him.",
        "A is left of B. B is left of C. C is left of D. D is left of E, and E is the last letter.",
    ],
)
def test_captions_that_are_kept(caption: str) -> None:
    assert CaptionFilter().reason(caption) is None


@pytest.mark.parametrize(
    ("caption", "reason"),
    [
        ("", "too short"),
        ("A small dog.", "too short"),
        (" ".join(f"word{n} and" for n in range(400)), "too long"),
        ("A red car, a red car, a red car, a red car, a red car.", "repeated words"),
        ("The dog the dog the dog the dog the dog runs", "repeated words"),
        ("a man in a hat and a man in a coat. " * 4, "repeated words"),
        ("▒▒▒▒ dog ████ cat ░░░░ bird ♪♪♪♪ fish ¤¤¤¤ cow", "no language"),
        ("The photo <b>shows</b> a brown dog on a beach.", "boilerplate"),
        ("A brown dog on a beach, see https://example.org/dog for more.", "boilerplate"),
        ("I'm sorry, but there is nothing that I can say about it.", "boilerplate"),
        ("As an AI language model, there is no way for me to look.", "boilerplate"),
        ("The image is no longer available on this server.", "boilerplate"),
        ("No image was provided, so please try that again.", "boilerplate"),
    ],
)
def test_captions_that_are_dropped(caption: str, reason: str) -> None:
    assert CaptionFilter().reason(caption) == reason


def test_every_rule_can_be_moved() -> None:
    loose = CaptionFilter(
        least_words=0,
        most_words=10_000,
        most_loops=100,
        most_repeated=1.0,
        least_language=0.0,
        boilerplate=False,
    )
    for caption in ("", "A dog.", "car " * 50, "▒▒▒▒ <b> ████ as an AI https://x"):
        assert loose.reason(caption) is None
    assert CaptionFilter(least_words=40).reason(GOOD) == "too short"
    assert CaptionFilter(most_words=10).reason(GOOD) == "too long"


def test_loops_and_shares() -> None:
    assert loops(["a"] * 4, limit=3) and not loops(["a"] * 3, limit=3)
    assert loops(["a", "b"] * 4, limit=3) and not loops(["a", "b"] * 3, limit=3)
    assert repeated_share(["a"] * 8) == 0, "too few parts to tell"
    assert repeated_share(["a"] * 102) == pytest.approx(0.99)
    assert repeated_share([str(n) for n in range(50)]) == 0


@pytest.mark.parametrize(
    "wrong",
    [{"least_words": -1}, {"least_words": 9, "most_words": 8}, {"most_repeated": 1.5}, {"most_loops": 0}],
)
def test_rules_that_are_none(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="caption filter"):
        CaptionFilter(**wrong)  # type: ignore[arg-type]
