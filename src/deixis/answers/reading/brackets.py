"""Brackets that look like coordinates, found while the text around them is still being written.

A bracket looks like coordinates if a number begins it, or two short words with a comma behind each (or the
closing bracket behind the second). Brackets opened right before it, or after white space, change nothing. One
that holds others is taken whole. One that is never closed ends before the next bracket that doesn't follow at
once, or with the text: until it is closed, all behind it is open.
"""

from __future__ import annotations

import re
from typing import NamedTuple

BRACKET = re.compile(r"[\[\]]")
# Two words with a comma behind each, as states: the letters of the first so far, white space behind it, its
# comma; the letters of the second, white space behind it. Commas and brackets may be letters of a word.
LONGEST = 9
FIRST = (1 << LONGEST) - 1
SPACED, COMMA = 1 << LONGEST, 1 << LONGEST + 1
SECOND = FIRST << LONGEST + 2
SPACED_SECOND = 1 << 2 * LONGEST + 2
FULL = 1 << LONGEST - 1 | 1 << 2 * LONGEST + 1


class Part(NamedTuple):
    """A part of a text about which nothing is open any more. coordinates: it is a bracket that looks so."""

    text: str
    start: int
    coordinates: bool = False


class Run:
    """Brackets opened one behind the other, with at most white space between them.

    number: whether one begins behind them; None while that is open. later: where the next bracket opens that
    is none of them. pairs: where two words begin and where what makes coordinates of them ends.
    """

    def __init__(self) -> None:
        self.number: bool | None = None
        self.later: int | None = None
        self.pairs: list[tuple[int, int]] = []

    def looks_so(self, start: int, end: int) -> bool:
        """Tell whether a bracket of this run, opened at ``start``, looks like coordinates up to ``end``."""
        return self.number is True or any(first > start and last <= end for first, last in self.pairs)


class Opened:
    """An opened bracket. end: behind the one that closed it, None while it is open."""

    def __init__(self, start: int, run: Run) -> None:
        self.start, self.run = start, run
        self.end: int | None = None


class Words:
    """Two words that began at ``start`` behind brackets of a run; states: all that can be true of them."""

    def __init__(self, start: int, run: Run) -> None:
        self.start, self.run = start, run
        self.states = 1

    def add(self, character: str) -> bool:
        """Take a character; tell whether it makes coordinates of the words."""
        old = self.states
        if character.isspace():
            self.states = SPACED * bool(old & (FIRST | SPACED)) | old & COMMA
            self.states |= SPACED_SECOND * bool(old & (SECOND | SPACED_SECOND))
            return False
        self.states = (old & (FIRST | SECOND) & ~FULL) << 1 | (old & COMMA) << 1
        if character == ",":
            self.states |= COMMA * bool(old & (FIRST | SPACED))
        return character in ",]" and bool(old & (SECOND | SPACED_SECOND))


class BracketReader:
    """A text that comes piece by piece, cut into brackets that look like coordinates and all that is not.

    Every character is looked at once; held back are those from the first bracket that is open on.
    """

    def __init__(self) -> None:
        self.at = 0  # how many characters were seen
        self.clear()

    def clear(self) -> None:
        """Forget brackets: nothing is open."""
        self.opened: list[Opened] = []  # since the first one that was open; that of the first ones is decided
        self.decided = 0
        self.unclosed: list[Opened] = []
        self.run: Run | None = None  # the last one, while nothing else stands behind it
        self.numbered: Run | None = None  # the last one, while a number may begin
        self.last: Run | None = None
        self.words: list[Words] = []
        self.sign = ""
        self.held: list[str] = []
        self.start = self.at

    @property
    def looking_so(self) -> int | None:
        """Where the bracket begins that is open and looks like coordinates by now, if there is one."""
        if not self.opened:
            return None
        first = self.opened[self.decided]
        return first.start if first.run.looks_so(first.start, self.at) else None

    def add(self, text: str) -> list[Part]:
        """Return the parts that became certain by this text."""
        if self.opened and self.settled and "[" not in text and "]" not in text:  # a piece of an open bracket
            self.held.append(text)
            self.at += len(text)
            return []
        parts: list[Part] = []
        place = 0
        while place < len(text):
            if not self.opened:
                end = text.find("[", place)
                end = len(text) if end < 0 else end
                if end > place:
                    parts.append(Part(text[place:end], self.at))
                    self.at += end - place
                self.start = self.at
            elif self.settled:
                found = BRACKET.search(text, place)
                end = len(text) if found is None else found.start()
                if end > place:
                    self.held.append(text[place:end])
                    self.at += end - place
            else:
                end = place
            if end < len(text):
                self.held.append(text[end])
                parts += self.take(text[end])
            place = end + 1
        return parts

    @property
    def settled(self) -> bool:
        """Whether only brackets matter from here on: what the open ones look like is known."""
        return self.run is None and self.numbered is None and not self.words

    def passes(self, text: str) -> bool:
        """Tell whether all of a text is certain at once, as one part without coordinates; take it if so."""
        if self.opened or "[" in text:
            return False
        self.at += len(text)
        return True

    def close(self) -> list[Part]:
        """Return the rest."""
        return self.decide(final=True)

    def take(self, character: str) -> list[Part]:
        """Return what became certain by one more character behind an opened bracket, or by this bracket."""
        at, self.at = self.at, self.at + 1
        news = self.continue_words(character)
        if self.numbered is not None and self.run is None:
            news |= self.continue_number(character)
        if character == "[":
            self.open(at)
        elif self.run is not None and not character.isspace():
            self.words.append(Words(at, self.run))
            self.run = None
            news |= self.continue_number(character)
        if character == "]" and self.unclosed:
            self.unclosed.pop().end = self.at
            news = True
        return self.decide() if news else []

    def open(self, at: int) -> None:
        """Take an opening bracket."""
        if self.run is None:
            self.run = self.numbered = Run()
            self.sign = ""
            if self.last is not None:
                self.last.later = at
            self.last = self.run
        else:
            self.words.append(Words(at, self.run))
        self.opened.append(Opened(at, self.run))
        self.unclosed.append(self.opened[-1])

    def continue_words(self, character: str) -> bool:
        """Take a character as one of words that began before it; tell whether any are words no more."""
        left = []
        for words in self.words:
            if words.add(character):
                words.run.pairs.append((words.start, self.at))
            elif words.states:
                left.append(words)
        fewer = len(left) < len(self.words)
        self.words = left
        return fewer

    def continue_number(self, character: str) -> bool:
        """Take a character as one of a number, ``[-+]?[.]?\\d``; tell whether there is none."""
        run = self.numbered
        assert run is not None
        if (character == "." and self.sign != ".") or (character in "+-" and not self.sign):
            self.sign = character
            return False
        run.number, self.numbered = character.isdecimal(), None
        if run.number:
            self.words = [words for words in self.words if words.run is not run]
        return not run.number

    def decide(self, *, final: bool = False) -> list[Part]:
        """Return the parts about which nothing is open, up to the first bracket that may still become any."""
        found: list[tuple[int, int]] = []
        decided = self.decided
        while decided < len(self.opened):
            first = self.opened[decided]
            run, end = first.run, first.end
            if end is None:
                if not final and self.may_look_so(first):
                    break
                end = self.at if run.later is None else run.later
            decided += 1
            if run.looks_so(first.start, end) or run is self.run:
                found.append((first.start, end))
                while decided < len(self.opened) and self.opened[decided].start < end:
                    decided += 1
        if decided == self.decided:
            return []
        self.decided = decided
        return self.release(found)

    def may_look_so(self, opened: Opened) -> bool:
        """Tell whether an open bracket may turn out to look like coordinates."""
        run, start = opened.run, opened.start
        if run is self.run or run.number is not False or any(first > start for first, _ in run.pairs):
            return True
        return any(words.run is run and words.start > start for words in self.words)

    def release(self, found: list[tuple[int, int]]) -> list[Part]:
        """Return what was held back up to the first bracket that isn't decided. found: coordinates in it."""
        done = self.decided == len(self.opened)
        until = self.at if done else self.opened[self.decided].start
        text, base = "".join(self.held), self.start
        parts, place = [], base
        for start, end in found:
            parts += [Part(text[place - base : start - base], place)] if start > place else []
            parts.append(Part(text[start - base : end - base], start, coordinates=True))
            place = end
        parts += [Part(text[place - base : until - base], place)] if until > place else []
        self.held, self.start = [text[until - base :]], until
        if done:
            self.clear()
        return parts
