"""Phrases that were located, as spans of a text: of the caption they come from, or of one made of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from deixis.answers.grounded import Place, Span

BETWEEN = ", "


@dataclass(frozen=True)
class PlacedPhrase:
    """Words with their places in the original picture; none where all of them were malformed."""

    words: str
    places: tuple[Place, ...]


def listed(phrases: Sequence[PlacedPhrase], *, nameless: str) -> tuple[str, tuple[Span, ...]]:
    """Return phrases as one text, and the spans of those with places.

    nameless: how places without words are called; all of them are one phrase.

    >>> listed([PlacedPhrase("a dog", ()), PlacedPhrase("a ball", ())], nameless="regions")[0]
    'a dog, a ball'
    """
    named = [one for one in phrases if one.words]
    bare = tuple(place for one in phrases if not one.words for place in one.places)
    if bare:
        named.append(PlacedPhrase(nameless, bare))
    text, spans = "", []
    for one in named:
        start = len(text) + len(BETWEEN) * bool(text)
        text += BETWEEN * bool(text) + one.words
        if one.places:
            spans.append(Span(start, len(text), one.words, best_first(one.places)))
    return text, tuple(spans)


def attached(
    text: str, phrases: Sequence[PlacedPhrase], *, before: Sequence[Span] = ()
) -> tuple[tuple[Span, ...], list[str]]:
    """Return spans for phrases of a text, and a doubt for each phrase that doesn't stand in it.

    Case and white space don't count; a phrase that stands there twice is found behind the one before it
    first. before: spans that the text has already; no other one overlaps them.
    """
    spans, doubts = list(before), []
    behind = 0
    for phrase in phrases:
        if not phrase.places:
            continue
        found = [
            (one.start(), one.end())
            for one in pattern_of(phrase.words).finditer(text)
            if not any(one.start() < span.end and span.start < one.end() for span in spans)
        ]
        if not found:
            doubts.append(f"{phrase.words!r:.80} has places, but stands nowhere else in the text")
            continue
        start, end = next((place for place in found if place[0] >= behind), found[0])
        spans.append(Span(start, end, text[start:end], best_first(phrase.places)))
        behind = end
    return tuple(sorted(spans, key=lambda span: span.start)), doubts


def pattern_of(words: str) -> re.Pattern[str]:
    """Return what finds words in a text, as whole words.

    >>> pattern_of("a  dog").search("A\\ndog.").span()
    (0, 5)
    """
    inside = r"\s+".join(map(re.escape, words.split()))
    begins = r"(?<!\w)" if words[:1].isalnum() else ""
    ends = r"(?!\w)" if words[-1:].isalnum() else ""
    return re.compile(begins + inside + ends, re.IGNORECASE)


def best_first(places: Sequence[Place]) -> tuple[Place, ...]:
    """Return places, the likeliest first."""
    return tuple(sorted(places, key=lambda place: -place.score))
