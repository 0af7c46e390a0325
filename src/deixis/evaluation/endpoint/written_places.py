"""Places read from the words of a reply, strictly and leniently; the two are never mixed.

strict: what the prompt asked for and nothing else: ``[x0, y0, x1, y1]`` inside the picture, edges in order.
All other brackets with numbers are malformed, and a reply that has one can't be read.
lenient: any four numbers in brackets, parentheses or a box of JSON or of common tags; edges are put in order
and cut at the picture's, and what has no size then is passed over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from deixis.answers.grounded import Place, Raw, Span
from deixis.errors import UsageError
from deixis.evaluation.endpoint.written_frames import WrittenFrame
from deixis.pictures.opening import Picture
from deixis.regions.shapes import Box

Reading = Literal["strict", "lenient"]
READINGS: tuple[Reading, ...] = get_args(Reading)
NUMBER = r"-?\d{1,7}(?:\.\d{1,9})?"
BETWEEN = r"\s{0,4},\s{0,4}"
STRICT = re.compile(r"\[\s{0,4}" + BETWEEN.join([f"({NUMBER})"] * 4) + r"\s{0,4}\]")
BRACKET = re.compile(r"\[[^\[\]\n]{0,200}\]")
ALONE = rf"(?<![\w.])({NUMBER})(?!\w|\.\d)"
KEY = r"(?:(?:x|y|left|top|right|bottom|width|height)[_a-z]{0,4}\d?[\s\"':=]{1,4})?"
APART = r"[\s,;()\[\]<>|/\"':=]{1,12}?" + KEY
LENIENT = re.compile(r"[\[(<{][^\d\[(<{]{0,24}?" + KEY + APART.join([ALONE] * 4) + r"(?:\s{0,4}[\])}>])?")
NOWHERE_STRICT = re.compile(r"\s*nowhere[.!]?\s*", re.IGNORECASE)
NOWHERE_LENIENT = re.compile(
    r"\b(?:nowhere|none|not (?:there|present|visible|in the (?:picture|image))|no such)\b", re.IGNORECASE
)
SURE = 1.0  # words say no score
PHRASE = re.compile(r"[\w'’ -]{2,80}$")


@dataclass(frozen=True)
class ReadPlaces:
    """Spans of a reply's words with their places in pixels of the picture, and what could not be read."""

    spans: tuple[Span, ...]
    failures: tuple[str, ...] = ()


def check_reading(reading: str) -> None:
    """Raise UsageError for a reading that doesn't exist."""
    if reading not in READINGS:
        raise UsageError(f"the reading is {reading!r}; expected one of {', '.join(READINGS)}")


def read_places(text: str, picture: Picture, frame: WrittenFrame, *, reading: Reading) -> ReadPlaces:
    """Return the places of a reply about a picture, each a span of its own in the order of the text.

    A reply that says nothing but "nowhere" (leniently: one without places that says so among others) has one
    span that is nowhere. Places have score 1: words say none.
    """
    check_reading(reading)
    found = list((STRICT if reading == "strict" else LENIENT).finditer(text))
    spans, failures = [], []
    for match in found:
        numbers = frame.in_pixels([float(number) for number in match.groups()], picture.frame.size)
        box = sound_box(numbers, picture, reading=reading)
        if box is None:
            if reading == "strict":
                failures.append(f"{match[0][:60]} is no box inside the picture, in {frame.words}")
            continue
        spans.append(Span(match.start(), match.end(), match[0], (Place(box, SURE),)))
    if reading == "strict":
        failures += malformed(text, found)
    if not spans and not failures and (nowhere := nowhere_span(text, reading)):
        spans.append(nowhere)
    return ReadPlaces(tuple(spans), tuple(failures))


def malformed(text: str, found: list[re.Match[str]]) -> list[str]:
    """Return a sentence for each bracket with digits that is no box."""
    boxes = {match.start() for match in found}
    return [
        f"{match[0][:60]} is no box of four numbers"
        for match in BRACKET.finditer(text)
        if match.start() not in boxes and any(letter.isdigit() for letter in match[0])
    ]


def sound_box(numbers: list[float], picture: Picture, *, reading: Reading) -> Box | None:
    """Return the box of x0 y0 x1 y1 in pixels, None where there is none by this reading."""
    x0, y0, x1, y1 = numbers
    width, height = picture.frame.size
    if reading == "lenient":
        (x0, x1), (y0, y1) = sorted((x0, x1)), sorted((y0, y1))
        x0, x1 = (min(max(x, 0.0), width) for x in (x0, x1))
        y0, y1 = (min(max(y, 0.0), height) for y in (y0, y1))
    if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
        return None
    return Box(x0, y0, x1, y1, frame=picture.frame)


def nowhere_span(text: str, reading: Reading) -> Span | None:
    """Return the span of a reply that says that nothing is there; None for any other."""
    match = NOWHERE_STRICT.fullmatch(text) if reading == "strict" else NOWHERE_LENIENT.search(text)
    if match is None:
        return None
    start = match.start() + len(match[0]) - len(match[0].lstrip())
    phrase = match[0].strip()
    return Span(start, start + len(phrase), phrase, nowhere=True, nowhere_score=SURE)


def without_coordinates(text: str, places: ReadPlaces) -> tuple[str, tuple[Span, ...]]:
    """Return a reply in words: the brackets of its places cut out, each place's phrase the words before it.

    A place without words before it keeps its bracket.
    """
    words, end, spans = "", 0, list[Span]()
    for span in places.spans:
        if span.nowhere:
            return text, places.spans
        free = spans[-1].end if spans else 0
        before = (words + text[end : span.start]).rstrip()
        phrase = PHRASE.search(before, free)
        if phrase is None or not phrase[0].strip():
            moved = len(words) - end
            words += text[end : span.end]
            spans.append(Span(span.start + moved, span.end + moved, span.phrase, span.places))
        else:
            start = phrase.start() + len(phrase[0]) - len(phrase[0].lstrip())
            words = before
            spans.append(Span(start, len(words), words[start:], span.places))
        end = span.end
    return words + text[end:], tuple(spans)


def raw_of(text: str) -> Raw:
    """Return the reply to the letter, for what is asked after it."""
    return Raw(text, ())
