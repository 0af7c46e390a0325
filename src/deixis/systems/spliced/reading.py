"""Reading an answer of the family: tokens to text, text to words and places, as they come."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from deixis.answers.grounded import Finish, Place, Span
from deixis.answers.reading.boxed_phrases import BoxedPhrase, WrittenBox
from deixis.engine.policy import Delta
from deixis.engine.settings import Settings
from deixis.engine.stopping import StopFilter
from deixis.regions.frames import Frame
from deixis.systems.spliced.dialect import PlaceText, ReadText
from deixis.systems.spliced.trimming import Trimmed
from deixis.text.prompt_tokens import TextCodec


class SplicedReader:
    """Reads one answer token by token; the score of a place is the likelihood of its numbers.

    White space at the ends of an answer isn't shown, as in the published programs; ``raw`` has it.
    ends: tokens that end an answer. frame: of the picture that places are in; None where there is none.
    """

    def __init__(
        self,
        codec: TextCodec,
        text: PlaceText,
        settings: Settings,
        *,
        ends: frozenset[int],
        frame: Frame | None,
    ) -> None:
        self.codec, self.text, self.settings = codec, text, settings
        self.ends, self.frame = ends, frame
        self.tokens, self.stop, self.trimmed = codec.reader(), StopFilter(settings.stop), Trimmed()
        self.failures: list[str] = []
        self.parts: list[str] = []
        self.offsets: list[int] = [0]  # characters written before each token, and by all of them
        self.logprobs: list[float] = []
        self.over = self.broken = self.full = self.begun = self.ruled_out = False

    @property
    def raw(self) -> str:
        """What was written, to the letter."""
        return "".join(self.parts)

    def add(self, token: int, logprob: float, places: Sequence[Any]) -> Delta:
        """Take the next token."""
        if not self.begun:
            self.begun, self.ruled_out = True, bool(self.failures)
        if self.broken or self.stop.hit or self.full:
            return Delta()
        if token in self.ends and not self.over:
            self.over = True
            return Delta(ended=True)
        if self.over or not 0 <= token < len(self.codec) or token == self.codec.region:
            self.failures.append(f"tokens that no answer has: [{token}]")
            self.broken = True
            return Delta()
        self.logprobs.append(logprob)
        return self.taken(self.tokens.add(token), token=True)

    def close(self, finish: Finish) -> Delta:
        """Return what is left."""
        if not (self.over or self.broken or self.stop.hit or self.full):
            why = "was cancelled before its end" if finish == "cancelled" else "stopped before its end"
            self.failures.append(f"the answer {why}; raise max_new_tokens")
        first = self.taken("" if self.broken else self.tokens.close(), token=False, last=True)
        rest = self.shown(self.text.close())
        self.failures += self.text.failures
        return Delta(first.text + rest.text, (*first.spans, *rest.spans), ended=True)

    def taken(self, text: str, *, token: bool, last: bool = False) -> Delta:
        """Return what became certain by more raw text. token: a further token wrote it."""
        self.parts.append(text)
        end = self.offsets[-1] + len(text)
        if token:
            self.offsets.append(end)
        else:  # what waited for a later token counts for the last one
            self.offsets[-1] = end
        passed = self.stop.add(text) + (self.stop.close() if last else "")
        if self.settings.max_places is None:
            return replace(self.shown(self.text.add(passed)), ended=self.stop.hit)
        return self.limited(passed)

    def limited(self, text: str) -> Delta:
        """Return what became certain by text, up to where one place too many would begin."""
        assert self.settings.max_places is not None
        words, spans = "", tuple[Span, ...]()
        for character in text:
            read = self.shown(self.text.add(character))
            words, spans = words + read.text, (*spans, *read.spans)
            if self.text.boxes >= self.settings.max_places and self.text.opened is not None:
                self.text.drop()
                self.full = True
                break
        return Delta(words, spans, ended=self.stop.hit or self.full)

    def shown(self, read: ReadText) -> Delta:
        """Return what became certain, in the answer without white space at its ends."""
        words = self.trimmed.add(read.text)
        moved = self.trimmed.dropped
        spans = self.spans(read)
        return Delta(
            words, tuple(replace(one, start=one.start - moved, end=one.end - moved) for one in spans)
        )

    def spans(self, read: ReadText) -> tuple[Span, ...]:
        """Return phrases as spans; none where likelihoods and tokens don't add up."""
        if self.ruled_out:
            return ()
        return tuple(span for phrase in read.phrases if (span := self.span(phrase)) is not None)

    def span(self, phrase: BoxedPhrase) -> Span | None:
        """Return the span of a phrase, its places in the original frame, the likeliest first."""
        if self.frame is None:
            self.failures.append(f"{phrase.phrase!r} has a place, but there is no picture")
            return None
        places = [
            Place(box=one.box.clipped(self.frame), score=likelihood(one, self.offsets, self.logprobs))
            for one in phrase.boxes
        ]
        return Span(
            start=phrase.start,
            end=phrase.end,
            phrase=phrase.phrase,
            places=tuple(sorted(places, key=lambda place: -place.score)),
        )


def likelihood(box: WrittenBox, offsets: Sequence[int], logprobs: Sequence[float]) -> float:
    """Return how likely the tokens were that wrote a box's numbers: their geometric mean, 0..1.

    offsets (T + 1,): the characters written before each token, and by all. logprobs (T,): of the tokens.

    >>> box = WrittenBox((1, 2, 3, 4), 0, 12, ((1, 2), (4, 5), (7, 8), (10, 11)))
    >>> round(likelihood(box, [0, 6, 12], [0.0, -0.2]), 3)
    0.905
    """
    tokens = sorted({token for start, end in box.numbers for token in tokens_over(offsets, start, end)})
    mean = sum(logprobs[token] for token in tokens) / max(len(tokens), 1)
    return min(float(torch.tensor(mean).exp()), 1.0)


def tokens_over(offsets: Sequence[int], start: int, end: int) -> range:
    """Return the tokens that wrote any of the characters [start, end).

    >>> list(tokens_over([0, 2, 2, 5, 6], 3, 6))
    [2, 3]
    """
    return range(bisect_right(offsets, start) - 1, bisect_left(offsets, end))
