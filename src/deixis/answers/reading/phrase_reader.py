"""An answer of the Ferret family read while it is written: words, then each phrase with its boxes.

What is returned piece by piece is what ``read_answer(text).without_coordinates()`` says of the whole text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deixis.answers.reading.boxed_phrases import BoxedPhrase, WrittenBox, phrase_before, read_bracket
from deixis.answers.reading.brackets import BracketReader, Part

# What may stand between two boxes of one phrase, letter by letter: a comma, "and" and the like. White space
# is " " here. The states in which it may end are complete.
JOINING = {
    ("", " "): "",
    ("", ","): ",",
    ("", ";"): "end",
    ("", "&"): "end",
    ("", "a"): "a",
    (",", " "): ",",
    (",", "a"): "a",
    ("a", "n"): "an",
    ("an", "d"): "and",
    ("and", " "): "end",
    ("end", " "): "end",
}
COMPLETE = frozenset(("", ",", "and", "end"))


@dataclass(frozen=True)
class ReadDelta:
    """What became certain of an answer: text without coordinates, and phrases that no further box joins.

    Places of phrases are those in the answer's text without coordinates, places of boxes in the raw text.
    """

    text: str = ""
    phrases: tuple[BoxedPhrase, ...] = ()


NOTHING = ReadDelta()


class BoxedPhraseReader:
    """An answer that comes piece by piece, as words and phrases with boxes.

    reading: from a bracket and where it begins to its box, or to what is wrong with it; by default boxes are
    in thousandths. boxes: how many sound boxes were closed so far. Held back are white space, which a box
    takes with it, what may join two boxes, and everything behind an open bracket that may be coordinates.
    """

    def __init__(self, reading: Callable[[str, int], WrittenBox | str] = read_bracket) -> None:
        self.reading = reading
        self.brackets = BracketReader()
        self.boxes = 0
        self.faults: list[str] = []
        self.returned = 0  # characters of the text without coordinates
        self.saying: list[str] = []
        self.ended: list[BoxedPhrase] = []
        self.words: list[str] = []  # since the last bracket or its box
        self.blank: list[str] = []  # the white space at their end, which wasn't returned
        self.phrase: BoxedPhrase | None = None  # the last one, while further boxes may join it
        self.behind: list[WrittenBox] = []
        self.joint: list[str] = []
        self.state = ""

    @property
    def failures(self) -> tuple[str, ...]:
        """A sentence for everything malformed so far."""
        return tuple(self.faults)

    @property
    def opened(self) -> int | None:
        """Where in the raw text a bracket begins that is open and looks like coordinates, if one does."""
        return self.brackets.looking_so

    def add(self, text: str) -> ReadDelta:
        """Return what became certain by this text."""
        if self.brackets.passes(text):  # most text does
            self.take_plain(text)
        else:
            self.take(self.brackets.add(text))
        return self.delta() if self.saying or self.ended else NOTHING

    def drop(self) -> None:
        """Forget a bracket that is open, and all behind it."""
        self.brackets.clear()

    def close(self) -> ReadDelta:
        """Return the rest."""
        self.take(self.brackets.close())
        self.end_phrase()
        self.say(*self.blank)
        self.blank = []
        return self.delta()

    def delta(self) -> ReadDelta:
        """Return what was collected."""
        delta = ReadDelta("".join(self.saying), tuple(self.ended))
        self.saying, self.ended = [], []
        return delta

    def take(self, parts: Sequence[Part]) -> None:
        """Take parts of the text."""
        for part in parts:
            if part.coordinates:
                self.take_bracket(part.text, part.start)
            else:
                self.take_plain(part.text)

    def take_plain(self, text: str) -> None:
        """Take text without coordinates."""
        if self.phrase is not None:
            for place, character in enumerate(text):
                state = JOINING.get((self.state, " " if character.isspace() else character))
                if state is None:
                    self.joint.append(text[:place])
                    self.end_phrase()
                    text = text[place:]
                    break
                self.state = state
            else:
                self.joint.append(text)
                return
        self.say_words(text)

    def say_words(self, text: str) -> None:
        """Return text but for the white space at its end."""
        if bare := text.rstrip():
            self.say(*self.blank, bare)
            self.blank = []
        if len(bare) < len(text):
            self.blank.append(text[len(bare) :])
        if cut := max(text.rfind("["), text.rfind("]")) + 1:
            self.words = []
        self.words.append(text[cut:])

    def say(self, *parts: str) -> None:
        """Return parts of the text without coordinates."""
        for part in parts:
            self.saying.append(part)
            self.returned += len(part)

    def end_phrase(self) -> None:
        """End the last phrase: what stands behind its boxes joins it to nothing."""
        if self.phrase is None:
            return
        start, end, phrase = self.phrase.start, self.phrase.end, self.phrase.phrase
        self.ended.append(BoxedPhrase(start, end, phrase, tuple(self.behind)))
        joint = "".join(self.joint)
        self.phrase, self.behind, self.joint, self.state = None, [], [], ""
        if joint:
            self.say_words(joint)

    def take_bracket(self, written: str, start: int) -> None:
        """Take a bracket that looks like coordinates: a box of the phrase before it, or a fault."""
        box = self.reading(written, start)
        if isinstance(box, str):
            self.faults.append(box)
            self.take_plain(written)
            return
        self.boxes += 1
        if self.phrase is None or self.state not in COMPLETE:
            self.end_phrase()
            self.begin_phrase(written)
        # What stood between the boxes of one phrase only joined them.
        self.behind.append(box)
        self.joint, self.state = [], ""

    def begin_phrase(self, bracket: str) -> None:
        """Begin a phrase with the words before a bracket; without words, it is the bracket."""
        words = "".join(self.words)
        first, last = phrase_before(words, 0, len(words))
        if first == last:
            self.say(*self.blank)
            start = self.returned
            self.say(bracket)
            self.phrase = BoxedPhrase(start, self.returned, bracket, ())
        else:
            base = self.returned + sum(map(len, self.blank)) - len(words)
            self.phrase = BoxedPhrase(base + first, base + last, words[first:last], ())
        self.words, self.blank = [], []
