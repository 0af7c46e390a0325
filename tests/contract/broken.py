"""Systems with one flaw each, of the kind that happens: proof that no promise is a test that can't fail."""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from tokenizers import AddedToken
from torch import Tensor

from deixis.answers.grounded import Place, Span
from deixis.data.dialogue import Dialogue
from deixis.language.vocabulary import SPECIAL, Vocabulary
from deixis.pictures.opening import Picture
from deixis.regions.shapes import Box, Region
from deixis.systems.contract import Completion, Perception, Question, Reading, Written
from deixis.systems.pointer.answering import PointerSystem
from deixis.systems.pointer.weights import load_network
from tests.contract import promises
from tests.contract.promises import Promise, Subject
from tests.contract.subjects import pointer
from tests.systems.pointer.tiny import saved_system


class PaddingForgotten(PointerSystem):
    """Its frame says that the picture was stretched, its pixels were letterboxed."""

    def perceive(self, picture: Picture, regions: Sequence[Region] = ()) -> Perception:
        seen = super().perceive(picture, regions)
        view = Picture(seen.view.pixels, picture.frame.resized(seen.view.width, seen.view.height))
        return replace(seen, view=view)


class RegionsLeftInPixels(PointerSystem):
    """It gives the network regions in pixels of the original picture."""

    def write(self, question: Question, perception: Perception) -> Written:
        written = super().write(question, perception)
        return replace(
            written, regions=tuple(region.to(perception.picture.frame) for region in written.regions)
        )


class RegionsSorted(PointerSystem):
    """It orders regions by name, not by where the question speaks of them."""

    def write(self, question: Question, perception: Perception) -> Written:
        written = super().write(question, perception)
        return replace(written, regions=tuple(sorted(written.regions, key=lambda r: r.bounds().as_tuple())))


class RegionsOnce(PointerSystem):
    """It keeps a region that is named twice once."""

    def write(self, question: Question, perception: Perception) -> Written:
        written = super().write(question, perception)
        return replace(written, regions=tuple(dict.fromkeys(written.regions)))


class SpecialTokensInTheTokenizer(PointerSystem):
    """Its tokenizer was told of the special tokens, as the ecosystem's usually are."""

    def write(self, question: Question, perception: Perception) -> Written:
        honest = self.vocabulary
        tokenizer = copy.deepcopy(honest.tokenizer)
        tokenizer.add_special_tokens([AddedToken(token.text, special=True) for token in SPECIAL])
        self.vocabulary = Vocabulary(tokenizer)
        try:
            return super().write(question, perception)
        finally:
            self.vocabulary = honest


class BatchSorted(PointerSystem):
    """It sorts prompts by length to save padding, and forgets to sort the answers back."""

    def complete(
        self, perception: Perception, prompts: Sequence[Written], *, max_new_tokens: int
    ) -> list[Completion]:
        ordered = sorted(prompts, key=lambda prompt: len(prompt.ids))
        return super().complete(perception, ordered, max_new_tokens=max_new_tokens)


class PartNotSaved(PointerSystem):
    """It forgets a part of the network when saving."""

    def save(self, folder: str | Path) -> None:
        whole = self.network
        self.network = copy.deepcopy(whole)
        with torch.no_grad():
            self.network.words.bias.zero_()
        super().save(folder)
        self.network = whole


class TimeSaved(PointerSystem):
    """It writes something into the folder that differs from time to time."""

    def save(self, folder: str | Path) -> None:
        self.network.config.saved_by = os.urandom(8).hex()
        super().save(folder)


class RegionsDetached(PointerSystem):
    """Its losses never reach the region encoder."""

    def losses(self, dialogues: Sequence[Dialogue], picture: Picture) -> dict[str, Tensor]:
        encoder = self.network.region_encoder
        hook = encoder.register_forward_hook(lambda module, arguments, output: output.detach())
        try:
            return super().losses(dialogues, picture)
        finally:
            hook.remove()


class QuestionsLearnt(PointerSystem):
    """It learns every token of a dialogue."""

    def write_dialogue(self, dialogue: Dialogue) -> Written:
        written = super().write_dialogue(dialogue)
        return replace(written, labels=written.ids)


class LastTurnOnly(PointerSystem):
    """It learns the last answer of a dialogue alone."""

    def write_dialogue(self, dialogue: Dialogue) -> Written:
        written = super().write_dialogue(dialogue)
        last = super().write_dialogue(replace(dialogue, turns=dialogue.turns[-1:]))
        earlier = len(written.ids) - len(last.ids)
        return replace(written, labels=(promises.IGNORED,) * earlier + last.labels)


class FailuresDropped(PointerSystem):
    """What it cannot read is an empty answer."""

    def read(self, completion: Completion, perception: Perception) -> Reading:
        return replace(super().read(completion, perception), parse_failures=())


class WholePictureInstead(PointerSystem):
    """Where it cannot read a place it gives the whole picture."""

    def read(self, completion: Completion, perception: Perception) -> Reading:
        reading = super().read(completion, perception)
        if not reading.parse_failures or not reading.text:
            return reading
        frame = perception.picture.frame
        whole = Place(Box(0, 0, *frame.size, frame=frame), 1.0)
        return replace(reading, spans=(Span(0, len(reading.text), reading.text, (whole,), False, 0.0),))


class Unseeded(PointerSystem):
    """It draws from a source of chance that no seed reaches."""

    def read(self, completion: Completion, perception: Perception) -> Reading:
        reading = super().read(completion, perception)
        return replace(reading, text=reading.text + os.urandom(8).hex())


class PictureForgotten(PointerSystem):
    """It encodes the picture again for every call."""

    def perception_of(self, picture: Picture, regions: Sequence[Region] = ()) -> Perception:
        return self.perceive(picture, regions)


class QuestionByQuestion(PointerSystem):
    """It encodes the picture again for every question of a batch."""

    def _answer(
        self, picture: Picture, questions: Sequence[Question], *, max_new_tokens: int
    ) -> list[Reading]:
        readings = []
        for question in questions:
            self._seen.clear()
            readings += super()._answer(picture, [question], max_new_tokens=max_new_tokens)
        return readings


# The promise, a flaw that breaks it, and how the complaint reads.
FLAWS: tuple[tuple[Promise, type[PointerSystem], str], ...] = (
    (promises.frames_survive_the_round_trip, PaddingForgotten, "not that of its pixels"),
    (promises.frames_survive_the_round_trip, RegionsLeftInPixels, "the network sees"),
    (promises.region_tokens_match_regions, RegionsSorted, "was pointed at"),
    (promises.region_tokens_match_regions, RegionsOnce, "5 region tokens, 3 regions"),
    (promises.typed_special_tokens_never_act, SpecialTokensInTheTokenizer, "wrote special tokens"),
    (promises.batch_equals_single, BatchSorted, "became"),
    (promises.saving_changes_nothing, PartNotSaved, "loading what was saved changed the logits"),
    (promises.saving_changes_nothing, TimeSaved, "changed .'config.json'"),
    (promises.gradient_reaches_every_trained_part, RegionsDetached, "no gradient reaches"),
    (promises.labels_cover_answers_only, QuestionsLearnt, "name teaches"),
    (promises.labels_cover_answers_only, LastTurnOnly, "two_turns teaches"),
    (promises.malformed_is_a_parse_failure, FailuresDropped, "was read as"),
    (promises.malformed_is_a_parse_failure, WholePictureInstead, "became .Place"),
    (promises.same_seed_same_answer, Unseeded, "became"),
    (promises.picture_is_encoded_once, PictureForgotten, "encoded the picture again"),
    (promises.picture_is_encoded_once, QuestionByQuestion, "encoded the picture 3 times"),
)


def broken_subject(flaw: type[PointerSystem]) -> Subject:
    """Return the tiny pointer with a flaw."""

    def reopen(folder: Path) -> PointerSystem:
        return flaw(*load_network(folder))

    def make(folder: Path) -> PointerSystem:
        saved_system(folder)
        return reopen(folder)

    return replace(pointer(), make=make, reopen=reopen)
