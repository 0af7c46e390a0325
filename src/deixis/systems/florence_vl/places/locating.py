"""Tasks of Florence-2 about a picture, answered with places by its own decoder."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from deixis.answers.grounded import Answer, Raw
from deixis.errors import UsageError
from deixis.layers.towers.florence_prompts import BEGIN, END
from deixis.pictures.opening import Picture
from deixis.regions.frames import Frame
from deixis.regions.given import region_of
from deixis.regions.names import escaped
from deixis.regions.shapes import Region
from deixis.systems.encoded import Encoded, EncodedCache, EncoderInput
from deixis.systems.florence_vl.places.attaching import PlacedPhrase, attached, listed
from deixis.systems.florence_vl.places.decoder import FlorenceDecoder, PlaceDecoding, WrittenIds
from deixis.systems.florence_vl.places.framing import bins_of, place_of
from deixis.systems.florence_vl.places.reading import WrittenPhrase, WrittenPlace, read_phrases
from deixis.systems.florence_vl.places.tasks import GROUNDING, INPUT, FlorenceTask, find_task
from deixis.systems.florence_vl.places.tokens import FlorenceTokens
from deixis.systems.questions import MOST_CHARACTERS, opened, require_characters
from deixis.systems.spliced.preparation import SquareView

SYSTEM = "florence_2"
REGION = "it"
NAMELESS = {"boxes": "regions", "outlines": "region"}
BUDGET = 64 << 20  # bytes of visual tokens that are kept


@dataclass(frozen=True)
class Asked:
    """A task about a picture: its tokens, and how it reads with {it} for the region."""

    task: FlorenceTask
    ids: tuple[int, ...]
    question: str
    regions: tuple[tuple[str, Region], ...] = ()


@dataclass(frozen=True)
class Found:
    """What was written to a task about a picture, and what it says; ``doubts``: what was malformed."""

    picture: Picture
    asked: Asked
    written: WrittenIds
    phrases: list[PlacedPhrase]
    doubts: list[str]


class FlorencePlaces:
    """Florence-2's tasks. preparation: how it sees a picture; as published, squashed to a square."""

    def __init__(self, decoder: FlorenceDecoder, tokens: FlorenceTokens, preparation: SquareView) -> None:
        self.decoder, self.tokens, self.preparation = decoder, tokens, preparation
        self.visual = EncodedCache(budget=BUDGET)

    def locate(
        self,
        picture: Any,
        task: str,
        *,
        text: str | None = None,
        region: Any = None,
        decoding: PlaceDecoding,
    ) -> Answer:
        """Return what a task finds, see ``System.locate``."""
        started, chosen = time.perf_counter(), find_task(task)
        found = self.find(picture, chosen, text=text, region=region, decoding=decoding)
        doubts = found.doubts
        if chosen is GROUNDING:
            said = checked_text(text)
            spans, more = attached(said, found.phrases)
            doubts = [*doubts, *more]
        else:
            said, spans = listed(found.phrases, nameless=NAMELESS.get(chosen.writes, "region"))
        return Answer(
            text=said,
            spans=spans,
            pictures=(found.picture,),
            system=SYSTEM,
            seconds=time.perf_counter() - started,
            parse_failures=tuple(doubts),
            question=found.asked.question,
            regions=found.asked.regions,
            finish="stop" if found.written.ended else "length",
            raw=Raw(self.tokens.text(found.written.ids), found.written.ids),
        )

    def ground(self, answer: Answer, *, decoding: PlaceDecoding) -> Answer:
        """Return an answer with places of its phrases, see ``System.ground``."""
        started = time.perf_counter()
        if not answer.text.strip():
            raise UsageError("the answer has no words, so nothing of it can be located")
        found = self.find(list(answer.pictures) or None, GROUNDING, text=answer.text, decoding=decoding)
        spans, doubts = attached(answer.text, found.phrases, before=answer.spans)
        return replace(
            answer,
            spans=spans,
            seconds=answer.seconds + time.perf_counter() - started,
            parse_failures=(*answer.parse_failures, *found.doubts, *doubts),
        )

    def find(
        self,
        source: Any,
        task: FlorenceTask,
        *,
        text: str | None = None,
        region: Any = None,
        decoding: PlaceDecoding,
    ) -> Found:
        """Return what is written to a task about a picture, read as phrases with places."""
        picture = self.picture(source)
        (encoded,) = self.visual.get([EncoderInput(picture)], self.encode)
        view = encoded.view.frame
        asked = self.asked(task, text=text, region=region, picture=picture, view=view)
        written = self.decoder.write(encoded.tensors, asked.ids, decoding)
        phrases, doubts = self.read(written, task, view=view, original=picture.frame)
        return Found(picture, asked, written, phrases, doubts)

    def picture(self, source: Any) -> Picture:
        """Return the picture of a task; UsageError unless it is one."""
        pictures = opened(source)
        if len(pictures) != 1:
            raise UsageError(f"a task of Florence-2 is about one picture; got {len(pictures) or 'none'}")
        return pictures[0]

    def encode(self, inputs: Sequence[EncoderInput]) -> list[Encoded]:
        """Return the visual tokens (N, D) of pictures, as one batch."""
        viewed = [self.preparation.view(one.picture) for one in inputs]
        visual = self.decoder.visual_tokens(self.preparation.stack([pixels for _, pixels in viewed]))
        return [
            Encoded(one.key, one.picture.frame, view, tokens)
            for one, (view, _), tokens in zip(inputs, viewed, visual, strict=True)
        ]

    def asked(
        self, task: FlorenceTask, *, text: str | None, region: Any, picture: Picture, view: Frame
    ) -> Asked:
        """Return a task's prompt; UsageError where it isn't given exactly what it takes."""
        for kind, given in (("text", text), ("region", region)):
            if (given is not None) != (task.takes == kind):
                raise UsageError(
                    f"task {task.name!r} takes {task.takes}"
                    + (f", but a {kind} was given; leave it out" if given is not None else "; give it")
                )
        before, _, behind = task.sentence.partition(INPUT)
        if task.takes == "region":
            it = region_of(region, name=REGION).clipped(picture.frame)
            numbers = self.tokens.locations(bins_of(it, view))
            middle = [*self.tokens.encode(before), *numbers, *self.tokens.encode(behind)]
            return Asked(
                task,
                (BEGIN, *middle, END),
                task.sentence.replace(INPUT, f"{{{REGION}}}"),
                ((REGION, it),),
            )
        sentence = task.sentence
        if task.takes == "text":
            sentence = sentence.replace(INPUT, checked_text(text))
        return Asked(task, (BEGIN, *self.tokens.encode(sentence), END), escaped(sentence))

    def read(
        self, written: WrittenIds, task: FlorenceTask, *, view: Frame, original: Frame
    ) -> tuple[list[PlacedPhrase], list[str]]:
        """Return what was written as phrases with places in the original, and what is doubtful about it."""
        pieces = self.tokens.pieces(written.ids)
        phrases, doubts = read_phrases(pieces, task.writes, cut=not written.ended)
        if not written.ended:
            doubts.append("the answer stopped before its end; raise max_new_tokens")
        placed = []
        for phrase in phrases:
            places = []
            for one in phrase.places:
                place = place_of(one, view=view, original=original, score=likelihood(one, written))
                if place is None:
                    doubts.append(f"{named(phrase)} has a place outside of the picture")
                else:
                    places.append(place)
            placed.append(PlacedPhrase(phrase.words, tuple(places)))
        return placed, doubts


def checked_text(text: str | None) -> str:
    """Return a text that a task takes; UsageError for none, or one that is too long."""
    if not isinstance(text, str) or not text.strip():
        raise UsageError(f"the text of a task needs words; got {text!r:.60}")
    if len(text) > MOST_CHARACTERS:
        raise UsageError(f"the text of a task has {len(text)} characters; at most {MOST_CHARACTERS}")
    require_characters(text, what="the text")
    return text.strip()


def named(phrase: WrittenPhrase) -> str:
    """Return a phrase for a doubt."""
    return f"{phrase.words!r:.80}" if phrase.words else "the answer"


def likelihood(place: WrittenPlace, written: WrittenIds) -> float:
    """Return how likely the numbers of a place were: their geometric mean, 0..1."""
    mean = sum(written.logprobs[token] for token in place.tokens) / len(place.tokens)
    return min(math.exp(mean), 1.0)
