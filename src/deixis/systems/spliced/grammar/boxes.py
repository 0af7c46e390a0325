"""Boxes as text, character by character: four numbers in a bracket, x0 < x1 and y0 < y1.

    a man [100, 200, 300, 400] and a dog

A bracket that is opened is a box and is closed as one: no other kind of bracket can be written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

STEPS = 1000
HUNDREDTHS = 100
LONGEST = len("[0.00, 0.00, 1.00, 1.00]")  # characters; "[999, 999, 1000, 1000]" is shorter

Spelling = Literal["thousandths", "decimals"]


@dataclass(frozen=True)
class Outside:
    """Between boxes."""


@dataclass(frozen=True)
class Inside:
    """In a bracket. done: the values of its numbers so far. number: the one being written. spaced: a space
    stands before it.
    """

    done: tuple[int, ...] = ()
    number: str = ""
    spaced: bool = False


State = Outside | Inside
OUTSIDE = Outside()


@dataclass(frozen=True)
class BoxGrammar:
    """Which characters may follow each other.

    texts: the spellings of all coordinates, by value. least, most: the smallest and the largest value whose
    spelling begins with some characters.
    """

    texts: tuple[str, ...]
    least: dict[str, int] = field(default_factory=dict)
    most: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, spelling: Spelling) -> BoxGrammar:
        """Return the grammar of whole thousandths (0 to 1000), or of fractions with two decimals.

        >>> BoxGrammar.of("decimals").texts[7]
        '0.07'
        """
        if spelling == "thousandths":
            texts = tuple(str(value) for value in range(STEPS + 1))
        else:
            texts = tuple(f"{value / HUNDREDTHS:.2f}" for value in range(HUNDREDTHS + 1))
        grammar = cls(texts)
        for value, text in enumerate(texts):
            for end in range(1, len(text) + 1):
                grammar.least.setdefault(text[:end], value)
                grammar.most[text[:end]] = value
        return grammar

    @property
    def letters(self) -> frozenset[str]:
        """The characters that may stand in a bracket before it is closed."""
        return frozenset("".join(self.texts) + ", ")

    def after(self, state: State, text: str) -> State | None:
        """Return where a text leads to; None if it may not be written.

        >>> grammar = BoxGrammar.of("thousandths")
        >>> grammar.after(OUTSIDE, "a [5, 7, 12, 9]"), grammar.after(OUTSIDE, "[5, 7, 4")
        (Outside(), Inside(done=(5, 7), number='4', spaced=True))
        >>> grammar.after(OUTSIDE, "[5, 7, 4,"), grammar.after(OUTSIDE, "[sic]")
        (None, None)
        """
        found: State | None = state
        for character in text:
            if isinstance(found, Inside):
                found = self.inside(found, character)
            elif character == "[":
                found = Inside()
            if found is None:
                return None
        return found

    def inside(self, state: Inside, character: str) -> State | None:
        """Return where a character in a bracket leads to; None if it may not stand there."""
        if character == " ":
            free = state.done and not state.number and not state.spaced
            return Inside(state.done, "", True) if free else None
        if character in ",]":
            value = self.least.get(state.number)
            whole = value is not None and self.texts[value] == state.number and self.fits(state, value, value)
            if value is None or not whole or (character == "]") != (len(state.done) == 3):
                return None
            return OUTSIDE if character == "]" else Inside((*state.done, value))
        number = state.number + character
        if number not in self.least or not self.fits(state, self.least[number], self.most[number]):
            return None
        return Inside(state.done, number, state.spaced)

    def fits(self, state: Inside, least: int, most: int) -> bool:
        """Tell whether some value between two may be the next number: a box is wider and higher than 0."""
        if len(state.done) < 2:
            return least < len(self.texts) - 1
        return most > state.done[len(state.done) - 2]
