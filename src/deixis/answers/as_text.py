"""An answer as lines of text for a reader, the same ones wherever a command prints an answer."""

from __future__ import annotations

from deixis.answers.content import AnswerContent

LONGEST_PHRASE = 80  # characters of a phrase in the line of its place; the text has all of them


def describe(answer: AnswerContent) -> str:
    """Return an answer for a reader: its text, then a line for each phrase and place.

    Boxes are x0, y0, x1, y1 in pixels of the picture.
    """
    lines = [answer.text]
    for span in answer.spans:
        phrase = short(span.phrase)
        if span.nowhere:
            lines.append(f"  {phrase}: not in the picture (how likely: {span.nowhere_score:.2f})")
        for place in span.places:
            box = ", ".join(f"{edge:.1f}" for edge in place.box.as_tuple())
            lines.append(f"  {phrase}: box {box}, score {place.score:.2f}")
    lines += [f"  could not be read: {failure}" for failure in answer.parse_failures]
    return "\n".join(lines)


def short(phrase: str) -> str:
    """Return a phrase for a line of its own: without line ends, and cut where nobody would read on.

    >>> short("a\\ndog"), len(short("dog " * 1000))
    ('a dog', 80)
    """
    words = " ".join(phrase.split())
    return words if len(words) <= LONGEST_PHRASE else words[: LONGEST_PHRASE - 1] + "…"
