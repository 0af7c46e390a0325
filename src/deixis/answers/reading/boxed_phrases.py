"""An answer of the Ferret family read for its user: phrases, their boxes, and what could not be read.

    There is a man [100, 200, 300, 400] and a dog [1, 2, 3, 4] here.

A bracket counts only if it is closed and holds four whole numbers from 0 to 1000, x0 < x1 and y0 < y1. All
else that looks like coordinates is reported: a point, an inverted box, decimals. It stays in the text and is
never a box. Other brackets, such as "[sic]", are words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from deixis.answers.reading.brackets import BracketReader
from deixis.answers.reading.dialects import STEPS
from deixis.regions.frames import THOUSANDTHS
from deixis.regions.shapes import Box

NUMBERS = re.compile(r"\[\s*(\d{1,9})\s*,\s*(\d{1,9})\s*,\s*(\d{1,9})\s*,\s*(\d{1,9})\s*\]", re.ASCII)
BREAK = re.compile(r"[.,:;!?](?=\s|$)|\n")
BEGINS, ENDS = "\"'(“‘«", "\"')%”’»"  # beside letters and digits, what a phrase may begin and end with
BETWEEN_BOXES = re.compile(r"\s*(?:[,;&]|,?\s*\band\b)?\s*")
LEAD_IN = re.compile(
    r"(?:(?:and|or|but|so|then|also|with|while|yes|no|there|here|this|that|it|they|these|those|i|we|you|"
    r"is|are|was|were|see|sees|can|has|have|shows?|contains?)\b[\s,]*)+(?=\S)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class WrittenBox:
    """A box as it stands in an answer.

    steps: x0, y0, x1, y1 in thousandths. start, end: the characters of its bracket. numbers: the characters
    [start, end) of each number, for the likelihood of the tokens that wrote it.
    """

    steps: tuple[int, int, int, int]
    start: int
    end: int
    numbers: tuple[tuple[int, int], ...]

    @property
    def box(self) -> Box:
        """The box in thousandths, not bound to a picture; ``box.clipped(picture.frame)`` ties it to one."""
        x0, y0, x1, y1 = self.steps
        return Box(x0, y0, x1, y1, frame=THOUSANDTHS)


@dataclass(frozen=True)
class BoxedPhrase:
    """A phrase, ``text[start:end]``, and the boxes behind it. Without words, it is its first bracket."""

    start: int
    end: int
    phrase: str
    boxes: tuple[WrittenBox, ...]


@dataclass(frozen=True)
class ReadAnswer:
    """An answer's text, its phrases with boxes in order, and a sentence for everything malformed."""

    text: str
    phrases: tuple[BoxedPhrase, ...]
    failures: tuple[str, ...] = ()

    def without_coordinates(self) -> ReadAnswer:
        """Return the answer in words: brackets of phrases cut out, the phrases' places moved accordingly.

        The places of brackets and numbers (in ``WrittenBox``) still are those in the text as written. The
        bracket of a phrase without words stays, as do malformed ones.
        """
        text, end, phrases = "", 0, []
        for phrase in self.phrases:
            moved = len(text) - end
            phrases.append(replace(phrase, start=phrase.start + moved, end=phrase.end + moved))
            words_end = max(phrase.end, len(self.text[: phrase.boxes[0].start].rstrip()))
            text += self.text[end:words_end]
            # What stands between the brackets of one phrase only joined them.
            end = phrase.boxes[-1].end
        return ReadAnswer(text + self.text[end:], tuple(phrases), self.failures)


def read_boxes(text: str) -> tuple[list[WrittenBox], list[str]]:
    """Return the sound boxes of a text in order, and what is wrong with other coordinates.

    >>> boxes, failures = read_boxes("a [1, 2, 3, 4] b [10, 20] c [sic]")
    >>> boxes[0].steps, failures
    ((1, 2, 3, 4), ['[10, 20] has 2 numbers; a box has 4'])
    """
    boxes: list[WrittenBox] = []
    failures: list[str] = []
    reader = BracketReader()
    for part in [*reader.add(text), *reader.close()]:
        if part.coordinates:
            read = read_bracket(part.text, part.start)
            if isinstance(read, WrittenBox):
                boxes.append(read)
            else:
                failures.append(read)
    return boxes, failures


def read_bracket(written: str, start: int) -> WrittenBox | str:
    """Return the box of a bracket that begins at ``start`` of a text, or what is wrong with it."""
    match = NUMBERS.fullmatch(written)
    fault = fault_of(written, match)
    if match is None or fault is not None:
        return f"{written[:60]} {fault}"
    a, b, c, d = (int(number) for number in match.groups())
    places = tuple((start + match.start(k), start + match.end(k)) for k in range(1, 5))
    return WrittenBox((a, b, c, d), start, start + len(written), places)


def pairs(text: str) -> dict[int, int]:
    """Return where each closed bracket ends, by where it begins.

    >>> pairs("[a [b]")
    {3: 6}
    """
    found: dict[int, int] = {}
    opened: list[int] = []
    for place, character in enumerate(text):
        if character == "[":
            opened.append(place)
        elif character == "]" and opened:
            found[opened.pop()] = place + 1
    return found


def fault_of(written: str, numbers: re.Match[str] | None) -> str | None:
    """Return what keeps a bracket from being a box; None for a sound one."""
    if numbers is not None:
        x0, y0, x1, y1 = (int(number) for number in numbers.groups())
        if max(x0, y0, x1, y1) > STEPS:
            return f"leaves the scale of 0 to {STEPS}"
        if x1 <= x0 or y1 <= y0:
            return "needs x0 < x1 and y0 < y1"
        return None
    if pairs(written).get(0) != len(written):
        return "is not closed"
    if "[" in written[1:]:
        return "has a bracket within a bracket"
    parts = [part.strip() for part in written[1:-1].split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        return "holds something else than whole numbers"
    # Four numbers that NUMBERS didn't take are too long.
    return (
        f"leaves the scale of 0 to {STEPS}" if len(parts) == 4 else f"has {len(parts)} numbers; a box has 4"
    )


def read_answer(text: str) -> ReadAnswer:
    """Return the phrases of an answer with their boxes.

    A phrase is the words before a box, back to the bracket or punctuation before them, without a lead-in such
    as "and" or "there is". Boxes with nothing but a comma or "and" between them share a phrase.

    >>> read_answer("There is a man [100, 200, 300, 400] and a dog [1, 2, 3, 4].").phrases[1].phrase
    'a dog'
    """
    boxes, failures = read_boxes(text)
    phrases: list[BoxedPhrase] = []
    for number, box in enumerate(boxes):
        if number and BETWEEN_BOXES.fullmatch(text, boxes[number - 1].end, box.start):
            last = phrases[-1]
            phrases[-1] = replace(last, boxes=(*last.boxes, box))
            continue
        free = 1 + max(text.rfind("[", 0, box.start), text.rfind("]", 0, box.start))
        start, end = phrase_before(text, free, box.start)
        if start == end:
            start, end = box.start, box.end
        phrases.append(BoxedPhrase(start, end, text[start:end], (box,)))
    return ReadAnswer(text, tuple(phrases), tuple(failures))


def phrase_before(text: str, free: int, end: int) -> tuple[int, int]:
    """Return the characters of the phrase in ``text[free:end]`` that ends there; empty where no words are."""
    last = next((place for place in range(end - 1, free - 1, -1) if text[place].isalnum()), None)
    if last is None:
        return end, end
    start = max((match.end() for match in BREAK.finditer(text, free, last + 1)), default=free)
    while not (text[end - 1].isalnum() or text[end - 1] in ENDS):
        end -= 1
    while not (text[start].isalnum() or text[start] in BEGINS):
        start += 1
    lead_in = LEAD_IN.match(text, start, end)
    return (lead_in.end() if lead_in and lead_in.end() < end else start), end
