"""Reading one answer of Groma: tokens to words, and links to places in the original picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from deixis.answers.grounded import Finish, Place, Span
from deixis.engine.policy import Delta
from deixis.engine.settings import Settings
from deixis.engine.stopping import StopFilter
from deixis.regions.shapes import Box, Mask
from deixis.systems.groma.dialect import GromaTokens
from deixis.systems.groma.hyperlinks import Link, LinkReader
from deixis.systems.spliced.trimming import Trimmed
from deixis.text.prompt_tokens import TextCodec

WORDLESS = "here"  # stands in an answer for a place without words

Score = Callable[[float, float], float]
"""How sure a place is, 0..1, by its objectness and by how likely the token was that named it."""


@dataclass(frozen=True)
class ListedPlace:
    """A place of a prompt's list. box: in pixels of the original; objectness: 0..1."""

    box: Box
    objectness: float
    mask: Mask | None = None


def product(objectness: float, likelihood: float) -> float:
    """Return the score of a place: that there is something, and that it is what the words say.

    >>> product(0.5, 0.5)
    0.25
    """
    return min(max(objectness * likelihood, 0.0), 1.0)


class GromaReader:
    """Reads one answer token by token.

    listed: the places of the prompt, in the order of their tokens. ends: tokens that end an answer. score:
    see ``Score``. Places that an answer names without any words are called by the phrase that was asked for
    (subject), where that is known. Else an answer that begins with a place is called by the words of its
    question (asked), and a place behind other words "here".
    """

    def __init__(
        self,
        codec: TextCodec,
        tokens: GromaTokens,
        listed: Sequence[ListedPlace],
        settings: Settings,
        *,
        ends: frozenset[int],
        subject: str = "",
        asked: str = "",
        score: Score = product,
    ) -> None:
        self.codec, self.tokens, self.listed, self.settings = codec, tokens, tuple(listed), settings
        self.ends, self.score = ends, score
        self.subject, self.asked = subject.strip(), asked.strip()
        self.letters, self.links = codec.reader(), LinkReader(tokens, count=len(self.listed))
        self.stop, self.trimmed = StopFilter(settings.stop), Trimmed()
        self.failures: list[str] = []
        self.parts: list[str] = []
        self.pending: list[Span] = []  # of text that isn't shown yet
        self.written = ""  # the text as it will be, stops and white space at its ends apart
        self.shown = 0  # characters of it
        self.named = 0  # places so far
        self.decided = math.nan  # how likely the last token was
        self.over = self.broken = self.full = self.begun = self.ruled_out = False

    @property
    def raw(self) -> str:
        """What was written, to the letter, marks included."""
        return "".join(self.parts)

    def add(self, token: int, logprob: float, places: Sequence[Any]) -> Delta:
        """Take the next token."""
        if not self.begun:
            self.begun, self.ruled_out = True, bool(self.failures)
        if self.broken or self.stop.hit or self.full:
            return Delta()
        self.decided = logprob if math.isnan(logprob) else math.exp(min(logprob, 0.0))
        if token in self.ends and not self.over:
            self.over = True
            return Delta(ended=True)
        if self.over or not self.sayable(token):
            self.failures.append(f"tokens that no answer has: [{token}]")
            self.broken = True
            return Delta()
        limit = self.settings.max_places
        if limit is not None and self.links.names_place(token) and self.links.named >= limit:
            self.full = True
            return self.certain(self.linked(self.links.full()), ended=True)
        text = self.letters.add(token)
        self.parts.append(text)
        if not self.links.is_mark(token):
            return self.certain(self.worded(text))
        words = text.removesuffix(self.codec.decode([token])).removesuffix(" ")
        return self.certain(self.worded(words) + self.linked(self.links.add_mark(token, self.decided)))

    def close(self, finish: Finish) -> Delta:
        """Return what is left."""
        if not (self.over or self.broken or self.stop.hit or self.full):
            why = "was cancelled before its end" if finish == "cancelled" else "stopped before its end"
            self.failures.append(f"the answer {why}; raise max_new_tokens")
        rest = "" if self.broken or self.full else self.letters.close()
        self.parts.append(rest)
        text = self.worded(rest)
        if not self.stop.hit and not self.full:
            text += self.linked(self.links.close(complete=self.over, likelihood=self.decided))
        delta = self.certain(text, last=True)
        self.failures += self.links.doubts
        return Delta(delta.text, delta.spans, ended=True)

    def sayable(self, token: int) -> bool:
        """Tell whether a token may stand in an answer: words, or a part of a link."""
        known = 0 <= token < len(self.codec)
        return known and (token < self.codec.words or self.links.is_mark(token)) and token not in self.silent

    @property
    def silent(self) -> frozenset[int]:
        """The tokens of the vocabulary that mean something to the tokenizer and are no words."""
        known = (self.codec.bos, self.codec.leading, self.codec.pad, self.codec.region)
        return frozenset(token for token in known if token is not None)

    def worded(self, words: str) -> str:
        """Return the text that words become."""
        text, links = self.links.add_words(words, self.decided)
        before = self.linked(links)  # they lie before these words
        self.written += text
        return before + text

    def linked(self, links: Sequence[Link]) -> str:
        """Take links that closed; return the text of those without words."""
        added = ""
        for link in links:
            start, end = link.start, link.end
            if start == end:
                text, _ = self.links.add_words(self.wordless())
                self.links.joint = True
                self.written += text
                added += text
                start, end = len(self.written) - len(text.lstrip()), len(self.written)
            self.pending += self.span(link, start, end)
        return added

    def wordless(self) -> str:
        """Return what a place without words is called."""
        begun = bool(self.written.strip())
        return self.subject or (WORDLESS if begun else self.asked) or WORDLESS

    def span(self, link: Link, start: int, end: int) -> list[Span]:
        """Return a link as a span, its places the surest first; none where likelihoods are missing."""
        first, self.named = self.named, self.named + len(link.indices)
        if self.ruled_out or any(math.isnan(one) for one in (*link.likelihoods, link.absence or 0.0)):
            return []
        named = zip(link.indices, link.likelihoods, strict=True)
        places = [self.place(*one, named=number) for number, one in enumerate(named, start=first)]
        return [
            Span(
                start=start,
                end=end,
                phrase=self.written[start:end],
                places=tuple(sorted(places, key=lambda place: -place.score)),
                nowhere=not places,
                nowhere_score=None if link.absence is None else min(link.absence, 1.0),
            )
        ]

    def place(self, index: int, likelihood: float, *, named: int) -> Place:
        """Return a place of the list with its score. named: as the how manyth it was named."""
        one = self.listed[index]
        return Place(one.box, self.score(one.objectness, likelihood), one.mask, named=named)

    def certain(self, text: str, *, last: bool = False, ended: bool = False) -> Delta:
        """Return what may be shown by more text, and the spans of all that is shown by now."""
        passed = self.stop.add(text) + (self.stop.close() if last else "")
        words = self.trimmed.add(passed)
        self.shown += len(words)
        moved = self.trimmed.dropped
        whole = [span for span in self.pending if span.end - moved <= self.shown]
        self.pending = [span for span in self.pending if span.end - moved > self.shown]
        spans = tuple(
            Span(
                span.start - moved,
                span.end - moved,
                span.phrase,
                span.places,
                span.nowhere,
                span.nowhere_score,
            )
            for span in whole
        )
        return Delta(words, spans, ended=ended or self.stop.hit)
