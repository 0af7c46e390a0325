"""Links between phrases of an answer and places, read token by token.

    <p>A man</p><roi><r4></roi> near <p>two dogs</p> <roi><r7><r9></roi>

A phrase and what its link names come out as one ``Link``. Nothing that breaks this form becomes one: a place
that the prompt doesn't list, words inside ``<roi>``, a mark without its partner are doubts, each a sentence.
A link that names no place at all says that its phrase is not in the picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from deixis.systems.groma.dialect import GromaTokens

State = Literal["words", "phrase", "linking", "places"]
TIGHT = frozenset(".,;:!?%)]}'\N{RIGHT SINGLE QUOTATION MARK}")  # no space before these
OPENING = frozenset("([{")  # and none behind these


@dataclass(frozen=True)
class Link:
    """``text[start:end]`` of an answer and its places.

    start == end for places without words. indices: which of the prompt's list, each once, in the order in
    which they were named; none: the phrase is not in the picture. likelihoods: of the token that named each.
    absence: how likely the token was by which it was decided that there is no place.
    """

    start: int
    end: int
    indices: tuple[int, ...]
    likelihoods: tuple[float, ...] = ()
    absence: float | None = None


@dataclass
class Opened:
    """A link under construction. start, end: its phrase; no phrase is None. tried: a place was named."""

    start: int | None = None
    end: int | None = None
    places: dict[int, float] = field(default_factory=dict)
    tried: bool = False


class LinkReader:
    """Takes the tokens of one answer and gives text without marks, and links as they close.

    count: how many places the prompt lists. Text keeps the spaces that English has between words: tokens say
    nothing of white space beside a mark.
    """

    def __init__(self, tokens: GromaTokens, *, count: int) -> None:
        self.tokens, self.count = tokens, count
        self.state: State = "words"
        self.opened = Opened()
        self.doubts: list[str] = []
        self.length = self.solid = 0  # characters given out so far, and up to the last that is no white space
        self.last = ""  # the last of them
        self.joint = True  # whether the next words stand behind a mark, or at the beginning
        self.linked = 0  # places of the links so far
        self.marks = frozenset(
            (tokens.phrase, tokens.phrase_end, tokens.roi, tokens.roi_end, *tokens.proxies)
        )

    @property
    def named(self) -> int:
        """How many places were named so far, those of an open link too."""
        return self.linked + len(self.opened.places)

    def is_mark(self, token: int) -> bool:
        """Tell whether a token is no words but part of a link."""
        return token in self.marks

    def names_place(self, token: int) -> bool:
        """Tell whether a token would name one more place."""
        index = self.tokens.index(token)
        return self.state == "places" and index is not None and index not in self.opened.places

    def add_words(self, words: str, likelihood: float = math.nan) -> tuple[str, list[Link]]:
        """Return text that became certain by words, and links. likelihood: of the token that wrote them."""
        if not words:
            return "", []
        links: list[Link] = []
        if words.strip():
            if self.state == "linking":  # the phrase got no link at all
                links = self.finished(likelihood)
            elif self.state == "places":
                self.doubt("words inside <roi>")
                self.reset()
        elif self.state in ("linking", "places"):
            return "", []
        if self.joint:
            words = self.spaced(words)
            self.joint = self.joint and not words.strip()
        if self.state == "phrase" and self.opened.start is None and words.strip():
            self.opened.start = self.length + len(words) - len(words.lstrip())
        return self.given(words), links

    def add_mark(self, token: int, likelihood: float) -> list[Link]:
        """Return the links that a mark closed. likelihood: of this token, 0..1."""
        self.joint = True
        if token == self.tokens.phrase:
            links = self.interrupted("<p>", likelihood)
            self.state, self.opened = "phrase", Opened()
            return links
        if token == self.tokens.phrase_end:
            return self.phrase_ended(likelihood)
        if token == self.tokens.roi:
            return self.places_opened()
        if token == self.tokens.roi_end:
            return self.places_ended(likelihood)
        self.add_place(self.tokens.proxies.index(token), likelihood)
        return []

    def close(self, *, complete: bool, likelihood: float = math.nan) -> list[Link]:
        """Return what is left. complete: nothing was cut off. likelihood: of the token that ended it."""
        if self.state == "linking" and complete:
            return self.finished(likelihood)
        if self.state != "words":
            self.doubt(f"{'<roi>' if self.state == 'places' else '<p>'} is never closed")
        self.reset()
        return []

    def full(self) -> list[Link]:
        """Return the open link, where an answer is ended because it would name one place too many."""
        return self.finished(math.nan) if self.state == "places" and self.opened.places else []

    def phrase_ended(self, likelihood: float) -> list[Link]:
        """Take ``</p>``."""
        if self.state != "phrase":
            links = self.interrupted("</p>", likelihood)
            self.doubt("</p> without <p>")
            return links
        if self.opened.start is None:
            self.doubt("<p> and </p> without words between them")
            self.reset()
            return []
        self.opened.end = self.solid
        self.state = "linking"
        return []

    def places_opened(self) -> list[Link]:
        """Take ``<roi>``."""
        if self.state == "phrase":
            self.doubt("<roi> inside a phrase")
        elif self.state == "places":
            self.doubt("<roi> inside <roi>")
        if self.state != "linking":
            self.opened = Opened()
        self.state = "places"
        return []

    def places_ended(self, likelihood: float) -> list[Link]:
        """Take ``</roi>``."""
        if self.state != "places":
            links = self.interrupted("</roi>", likelihood)
            self.doubt("</roi> without <roi>")
            return links
        if not self.opened.places and self.opened.tried:
            self.reset()  # all it named were doubts
            return []
        return self.finished(likelihood)

    def add_place(self, index: int, likelihood: float) -> None:
        """Take ``<rN>``."""
        if self.state != "places":
            self.doubt(f"<r{index}> outside <roi>")
            return
        self.opened.tried = True
        if index >= self.count:
            self.doubt(f"<r{index}>, but the prompt lists {self.count} places")
        elif index not in self.opened.places:
            self.opened.places[index] = likelihood

    def interrupted(self, mark: str, likelihood: float) -> list[Link]:
        """Return what a mark that belongs to nothing open leaves of what is."""
        if self.state == "linking":
            return self.finished(likelihood)
        if self.state != "words":
            self.doubt(f"{mark} inside {'a phrase' if self.state == 'phrase' else '<roi>'}")
        self.reset()
        return []

    def finished(self, likelihood: float) -> list[Link]:
        """Return the open link as it is. likelihood: of the token that decided that no place follows."""
        one, places = self.opened, self.opened.places
        self.linked += len(places)
        self.reset()
        if one.start is None or one.end is None:
            if not places:
                self.doubt("<roi> and </roi> without places between them, and without a phrase")
                return []
            return [Link(self.length, self.length, tuple(places), tuple(places.values()))]
        absence = None if places else likelihood
        return [Link(one.start, one.end, tuple(places), tuple(places.values()), absence)]

    def spaced(self, words: str) -> str:
        """Return words behind a mark with the space that English has there."""
        bare = words.lstrip(" ")
        if not bare or not self.length:
            return bare
        close = bare[0].isspace() or bare[0] in TIGHT or self.last.isspace() or self.last in OPENING
        return bare if close else f" {bare}"

    def given(self, words: str) -> str:
        """Return words, counted."""
        if words.strip():
            self.solid = self.length + len(words.rstrip())
        self.length += len(words)
        self.last = words[-1:] or self.last
        return words

    def doubt(self, what: str) -> None:
        """Note what is malformed."""
        self.doubts.append(f"at character {self.length} of the answer: {what}")

    def reset(self) -> None:
        """Go on with words."""
        self.state, self.opened = "words", Opened()
