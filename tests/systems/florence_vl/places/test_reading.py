"""What the decoder may write, and what is made of it: places, none, doubts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pytest

from deixis.systems.florence_vl.places.reading import WrittenPhrase, read_phrases
from deixis.systems.florence_vl.places.tasks import Form
from deixis.systems.florence_vl.places.tokens import Location, Mark, Piece, Words

BOX, OTHER = "<loc_1><loc_2><loc_3><loc_4>", "<loc_10><loc_20><loc_30><loc_40>"


def pieces(written: str) -> Iterator[Piece]:
    """Yield pieces as the tokens of a text have them; letters are words."""
    for at, part in enumerate(re.findall(r"<[^>]*>|[^<]+", written)):
        found = re.fullmatch(r"<loc_(\d+)>", part)
        if found:
            yield Location(int(found[1]), at)
        else:
            yield Mark(part) if part.startswith("<") else Words(part)


def shown(phrases: Sequence[WrittenPhrase]) -> list[tuple[str, list[tuple[tuple[int, ...], ...]]]]:
    return [(one.words, [place.bins for place in one.places]) for one in phrases]


A, B = ((1, 2, 3, 4),), ((10, 20, 30, 40),)


@pytest.mark.parametrize(
    ("form", "written", "expected"),
    [
        ("phrases", "", []),
        ("phrases", f"car{BOX}door handle{OTHER}", [("car", [A]), ("door handle", [B])]),
        ("phrases", f"cars{BOX}{OTHER}", [("cars", [A, B])]),
        ("phrases", f" a car {BOX} and a dog{OTHER}", [("a car", [A]), ("and a dog", [B])]),
        ("boxes", f"{BOX}{OTHER}", [("", [A, B])]),
        ("boxes", "", []),
        ("described", f"a red car{BOX}", [("a red car", [A])]),
        ("described", "a red car", [("a red car", [])]),
        ("words", "a car < 3", [("a car < 3", [])]),
        (
            "quads",
            "EXIT" + "".join(f"<loc_{one}>" for one in range(8)),
            [("EXIT", [((0, 1, 2, 3, 4, 5, 6, 7),)])],
        ),
        (
            "outlines",
            "<loc_1><loc_1><loc_9><loc_1><loc_9><loc_9><sep>" + "<loc_2><loc_2><loc_5><loc_2><loc_5><loc_5>",
            [("", [((1, 1, 9, 1, 9, 9), (2, 2, 5, 2, 5, 5))])],
        ),
        (
            "phrases or outlines",
            "leg<poly><loc_1><loc_1><loc_9><loc_1><loc_9><loc_9></poly>"
            "<poly><loc_2><loc_2><loc_5><loc_2><loc_5><loc_5></poly>",
            [("leg", [((1, 1, 9, 1, 9, 9),), ((2, 2, 5, 2, 5, 5),)])],
        ),
        ("phrases or outlines", f"leg{BOX}", [("leg", [A])]),
    ],
)
def test_sound_ones(
    form: Form, written: str, expected: list[tuple[str, list[tuple[tuple[int, ...], ...]]]]
) -> None:
    # "<" in words is a word to the network, too: of its tokens only special ones are in angle brackets.
    given = [Words(written)] if form == "words" else pieces(written)
    phrases, doubts = read_phrases(given, form)
    assert (shown(phrases), doubts) == (expected, [])


@pytest.mark.parametrize(
    ("form", "written", "kept", "doubt"),
    [
        ("phrases", "car<loc_1><loc_2><loc_3>", [], "'car' has 3 locations; expected groups of 4"),
        ("phrases", f"car{BOX}<loc_5>dog{OTHER}", [("dog", [B])], "'car' has 5 locations"),
        ("phrases", "car<loc_3><loc_2><loc_1><loc_4>", [], "x0 < x1 and y0 < y1"),
        ("phrases", "car<loc_3><loc_2><loc_3><loc_4>", [], "x0 < x1"),
        ("phrases", f"car{BOX}dog", [("car", [A])], "'dog' has no place"),
        ("phrases", f"{BOX}dog{OTHER}", [("dog", [B])], "a place has no words: <loc_1><loc_2>"),
        ("phrases", f"car<seg>{BOX}", [], "<seg>, which has no meaning here"),
        ("phrases", f"car<51280>{BOX}", [], "<51280>, which has no meaning"),
        ("boxes", f"car{BOX}", [("", [A])], "'car' stands among places"),
        ("quads", f"EXIT{BOX}", [], "'EXIT' has 4 locations; expected groups of 8"),
        ("words", f"a car{BOX}", [("a car", [])], "expected words only"),
        ("outlines", "<loc_1><loc_2><loc_3><loc_4>", [], "outline of 4 locations"),
        ("outlines", "<loc_1>" * 7, [], "outline of 7 locations"),
        ("phrases or outlines", "leg<poly>" + "<loc_1>" * 6, [], "isn't closed"),
        ("phrases or outlines", "leg<poly>" + "<loc_1>" * 6 + "</poly></poly>", None, "</poly> too many"),
        ("phrases or outlines", "leg<poly><od>" + "<loc_1>" * 6 + "</poly>", None, "<od>, which has no"),
    ],
)
def test_malformed_ones(
    form: Form, written: str, kept: list[tuple[str, list[tuple[tuple[int, ...], ...]]]] | None, doubt: str
) -> None:
    phrases, doubts = read_phrases(pieces(written), form)
    assert any(doubt in one for one in doubts), doubts
    if kept is not None:
        assert shown(phrases) == kept


def test_what_the_limit_cuts_is_no_fault_of_the_form() -> None:
    phrases, doubts = read_phrases(pieces(f"car{BOX}{OTHER}<loc_5>"), "phrases", cut=True)
    assert (shown(phrases), doubts) == ([("car", [A, B])], [])
    assert read_phrases(pieces(f"car{BOX}{OTHER}<loc_5>"), "phrases")[0] == []
