"""How one answer of the pointer system is decoded: words, phrases, and places that the place head chooses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor

from deixis.answers.grounded import Finish
from deixis.engine.embedded import Embedded
from deixis.engine.policy import Delta, Probe, Start
from deixis.engine.sampling import Sampler
from deixis.engine.settings import Settings
from deixis.english.agreement import Agreement
from deixis.english.spelling import Spelling
from deixis.systems.pointer.core import PointerCore
from deixis.systems.pointer.decoding.claim_verdicts import (
    ClaimRule,
    Sort,
    VerdictWords,
    Weighing,
    judged,
    weigh,
)
from deixis.systems.pointer.decoding.learnt_opening import WHETHER, LearntOpening, learnt_opening
from deixis.systems.pointer.decoding.openings import (
    Choice,
    RegionNames,
    by_article,
    first_scores,
    name_opening,
    scores_behind,
    verdict_opening,
    word_opening,
)
from deixis.systems.pointer.decoding.place_grammar import (
    IN_OPENING,
    State,
    due,
    first_state,
    forbid,
    next_state,
    repetitions,
)
from deixis.systems.pointer.decoding.place_reading import PlaceReading, PlaceRule, picture_part, read_places
from deixis.systems.pointer.decoding.reading import PointerReader
from deixis.systems.pointer.prompts import verdict
from deixis.systems.prompt import Prompt
from deixis.text.tokenizers.word_pieces.vocabulary import FOUND, NOWHERE, PHRASE, PLACE, Vocabulary


class Pointer(Protocol):
    """What a policy asks of the system that it decodes for."""

    network: PointerCore
    vocabulary: Vocabulary
    rule: PlaceRule
    spelling: Spelling
    agreement: Agreement
    articles: tuple[int, ...]
    claim_rules: dict[Sort, ClaimRule]
    verdict_words: VerdictWords | None

    def reader(self, prompt: Prompt, settings: Settings) -> PointerReader:
        """Return what reads an answer."""
        ...

    def region_names(self, prompt: Prompt) -> RegionNames | None:
        """Return what the region classifier says of a prompt's region, if it is about one."""
        ...

    def judges(self, claims: Sequence[str], region_names: RegionNames) -> bool:
        """Tell whether what a question claims of its region could be judged."""
        ...

    def asides(self, prompt: Prompt, question: str) -> tuple[Embedded, Embedded]:
        """Return a question about {it} as prompts: about a prompt's region, and about all of the picture."""
        ...


def weighed_claims(system: Pointer, prompt: Prompt, claims: Sequence[str]) -> Weighing:
    """Return what the network makes of what a question claims; None unless it knows all of it."""
    return weigh(
        claims,
        system.vocabulary,
        system.network.region_namer,
        prompts=lambda question: system.asides(prompt, question),
        articles=system.articles,
    )


class PointerPolicy:
    """Decodes one answer.

    places: what each place token said. settings.max_places: so many places are kept, and no phrase is opened
    once there are so many. region_names: what the region classifier says of a prompt's region; the system's.
    """

    def __init__(
        self,
        system: Pointer,
        prompt: Prompt,
        settings: Settings,
        *,
        region_names: Callable[[Prompt], RegionNames | None] | None = None,
    ) -> None:
        self.system, self.prompt, self.settings = system, prompt, settings
        self.region_names = system.region_names if region_names is None else region_names
        self.encoded = prompt.encoded[0]
        self.rule = system.rule if prompt.own.presumes else system.rule.open_minded()
        self.asked = system.spelling.words(prompt.ids)
        self.reader = system.reader(prompt, settings)
        self.opening = system.vocabulary.opening
        self.state = first_state(self.opening)
        self.ids: list[int] = []
        self.opened = 0  # tokens of the opening
        self.places: list[PlaceReading] = []

    def start(self, logits: Tensor) -> Start:
        """Choose the first words: by a verdict, a name by decoder and classifier, or the first two together.

        With a temperature they are drawn, by the same evidence.
        """
        choose = Sampler(self.settings).choose
        if self.opening is not None:
            learnt = yield from learnt_opening(logits, self.opening, self.system, self.asked, choose)
            self.rule = self.system.rule.open_minded() if learnt.intent == WHETHER else self.system.rule
            (logits,) = yield [Probe(learnt.ids)]
            return [*learnt.ids, *(yield from self.first_words(logits, learnt, choose))]
        read = LearntOpening((), None, self.prompt.own.claims)
        return (yield from self.first_words(logits, read, choose))

    def first_words(self, logits: Tensor, read: LearntOpening, choose: Choice) -> Start:
        """Choose the first words behind an opening, if there is one, given the logits (V,) of the first."""
        before, opening = read.ids, self.opening
        if self.left() == 0:
            logits = logits.index_fill(0, torch.tensor([PHRASE.id], device=logits.device), float("-inf"))
        scores = first_scores(logits, opening)
        system, prompt = self.system, self.prompt
        region_names = self.region_names(prompt) if read.may_name else None
        if region_names is not None and system.judges(read.claims, region_names):
            weighed = yield from weighed_claims(system, prompt, read.claims)
            if weighed is not None and weighed.sort in system.claim_rules:
                assert system.verdict_words is not None
                claimed = judged(weighed, system.claim_rules, names=region_names, words=system.verdict_words)
                said = verdict_opening(scores, claimed)
                if said is not None:
                    return said
        if region_names is not None:
            behind = yield from scores_behind(system.articles, before=before, opening=opening)
            said = name_opening(by_article(scores, behind, system.articles), region_names, choose)
            if said is not None:
                return said
        return (yield from word_opening(scores, choose, before=before, opening=opening))

    def forced(self, hidden: Tensor) -> Sequence[int]:
        """Return the verdict on a place, which is the place head's, not the words'."""
        if self.state is not State.PLACE:
            return ()
        reading = self.decide(hidden)
        self.places.append(reading)
        count = 0 if reading.nowhere else len(reading.boxes)
        return verdict(count, most_found=self.system.network.config.most_found)

    def decide(self, hidden: Tensor) -> PlaceReading:
        """Return what the hidden state (W,) at a place token says."""
        seen, encoded = self.encoded.tensors, self.encoded
        pointed = self.system.network.point(hidden[None, None], seen.places)
        quality = None if pointed.quality is None else pointed.quality[0, 0].float().cpu()
        reading = read_places(
            pointed.scores[0, 0].float().cpu(),
            pointed.nowhere[0, 0].float().cpu(),
            pointed.boxes[0, 0].float().cpu(),
            inside=picture_part(encoded.view.frame, encoded.original),
            rule=self.rule,
            quality=quality,
        )
        left = self.left()
        return reading if left is None else first_places(reading, left)

    def left(self) -> int | None:
        """Return how many further places the answer may have; None for any number."""
        if self.settings.max_places is None:
            return None
        given = sum(len(reading.boxes) for reading in self.places if not reading.nowhere)
        return max(self.settings.max_places - given, 0)

    def constrain(self, logits: Tensor) -> Tensor:
        """Return logits that keep to the grammar, say nothing twice, spell and bend words right."""
        allowed, said = forbid(logits[None], [self.state], self.opening)[0], self.ids[self.opened :]
        end = due(said)
        if end is not None:
            return torch.full_like(allowed, float("-inf")).index_fill(
                0, torch.tensor([end], device=allowed.device), 0.0
            )
        again = sorted(repetitions(said))
        if self.left() == 0:
            again.append(PHRASE.id)
        if again:
            allowed[torch.tensor(again, device=allowed.device)] = float("-inf")
        if self.state is State.IN_PHRASE:
            begun = len(said) - said[::-1].index(PHRASE.id)
            return self.system.spelling.kept(allowed, self.asked, said[begun:])
        return self.system.agreement.kept(allowed, said)

    def accept(self, token: int, logprob: float) -> Delta:
        """Take the next token."""
        following = next_state(self.state, token, self.opening)
        assert following is not None, f"{self.state} was followed by token {token}"
        self.opened += self.state in IN_OPENING
        self.state = following
        self.ids.append(token)
        delta = self.reader.add(token, logprob, self.places)
        return replace(delta, ended=True) if following is State.ENDED else delta

    def close(self, finish: Finish) -> Delta:
        """Return what is left."""
        return self.reader.close(finish)


def first_places(reading: PlaceReading, count: int) -> PlaceReading:
    """Return a reading with at most so many places, the best ones."""
    return replace(
        reading,
        boxes=reading.boxes[:count],
        masses=reading.masses[:count],
        scores=None if reading.scores is None else reading.scores[:count],
        quality=None if reading.quality is None else reading.quality[:count],
    )


def verdicts(ids: Sequence[int]) -> int:
    """Return how many place tokens got their verdict; an answer may be cut right behind a place token."""
    return sum(before == PLACE.id and token in (FOUND.id, NOWHERE.id) for before, token in pairwise(ids))
