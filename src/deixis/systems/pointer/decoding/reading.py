"""Reading an answer of the pointer system: tokens and what was said at places, to text and spans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deixis.answers.grounded import Finish, Span
from deixis.engine.policy import Delta
from deixis.engine.settings import Settings
from deixis.engine.stopping import StopFilter
from deixis.systems.encoded import Encoded
from deixis.systems.pointer.decoding.place_grammar import IN_OPENING, State, first_state, next_state
from deixis.systems.pointer.decoding.place_reading import SUREST, PlaceReading, places_in
from deixis.text.tokenizers.word_pieces.detokenise import Joiner
from deixis.text.tokenizers.word_pieces.opening_tokens import REFUSE
from deixis.text.tokenizers.word_pieces.vocabulary import (
    FOUND,
    NOWHERE,
    PHRASE,
    PHRASE_END,
    PLACE,
    SPECIAL,
    Vocabulary,
)


@dataclass(frozen=True)
class Pending:
    """A phrase, pieces ``first`` to ``last`` (not included), whose text is not certain yet."""

    first: int
    last: int
    reading: PlaceReading


class PointerReader:
    """Reads one answer token by token; behind the first token that breaks the grammar nothing is read."""

    def __init__(self, vocabulary: Vocabulary, encoded: Encoded, settings: Settings) -> None:
        self.vocabulary, self.encoded = vocabulary, encoded
        self.joiner, self.stop = Joiner(), StopFilter(settings.stop)
        self.failures: list[str] = []
        self.opening = vocabulary.opening
        self.state, self.previous = first_state(self.opening), -1
        self.pieces = self.start = self.end = self.read = 0
        self.pending: list[Pending] = []
        self.raw = ""
        self.shown = 0  # characters of the text that are certain
        self.broken = False

    def add(self, token: int, logprob: float, places: Sequence[PlaceReading]) -> Delta:
        """Take the next token."""
        if self.broken or self.stop.hit:
            return Delta()
        following = next_state(self.state, token, self.opening)
        if following is None:
            self.failures.append(f"token {self.token_name(token)} can't follow {self.state.value}")
            self.broken = True
            return Delta()
        before, self.state, text = self.state, following, ""
        if before in IN_OPENING:
            self.previous = token
            return Delta(unanswerable=self.opening is not None and self.opening.intent(token) == REFUSE)
        if token == PHRASE.id:
            self.start = self.pieces
        elif token == PHRASE_END.id:
            self.end = self.pieces
        elif token in (FOUND.id, NOWHERE.id) and self.previous == PLACE.id:
            if not self.failures:
                self.pending.append(Pending(self.start, self.end, places[self.read]))
            self.read += 1
        elif token >= len(SPECIAL):
            self.pieces += 1
            text = self.joiner.add(self.vocabulary.pieces[token])
        self.previous = token
        return self.shown_with(text)

    def token_name(self, token: int) -> str:
        """Return how a token is spoken of."""
        pieces = self.vocabulary.pieces
        return pieces[token] if 0 <= token < len(pieces) else str(token)

    def close(self, finish: Finish) -> Delta:
        """Return what is left."""
        if not (self.failures or self.stop.hit or self.state is State.ENDED):
            why = "was cancelled" if finish == "cancelled" else "stopped"
            self.failures.append(f"the answer {why} in {self.state.value}; raise max_new_tokens")
        text = self.joiner.close()
        return self.shown_with(text, last=True)

    def shown_with(self, text: str, *, last: bool = False) -> Delta:
        """Return a delta with text that may be shown by now, and the spans that lie in what is shown."""
        self.raw += text
        shown = self.stop.add(text) + (self.stop.close() if last else "")
        self.shown += len(shown)
        spans = []
        while self.pending and len(self.joiner.places) >= self.pending[0].last:
            phrase = self.pending[0]
            end = self.joiner.places[phrase.last - 1][1]
            if end > self.shown:
                break
            spans.append(self.span(self.joiner.places[phrase.first][0], end, phrase.reading))
            self.pending.pop(0)
        return Delta(shown, tuple(spans), ended=self.stop.hit)

    def span(self, start: int, end: int, reading: PlaceReading) -> Span:
        """Return the span of a phrase."""
        return Span(
            start=start,
            end=end,
            phrase=self.raw[start:end],
            places=places_in(reading, view=self.encoded.view.frame, original=self.encoded.original),
            nowhere=reading.nowhere,
            nowhere_score=min(max(reading.nowhere_share, 1 - SUREST), SUREST),
        )
