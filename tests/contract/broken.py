"""Systems with one flaw each, of the kind that happens: proof that no promise is a test that can't fail."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import AddedToken
from torch import Tensor

from deixis.answers.grounded import Finish, Place, Span
from deixis.engine.embedded import Embedded
from deixis.engine.policy import Completion, Delta, Policy
from deixis.engine.settings import Settings
from deixis.pictures.opening import Picture, open_picture
from deixis.records.dialogue import Dialogue
from deixis.regions.shapes import Box, Region
from deixis.systems.encoded import Encoded, EncodedCache, EncoderInput
from deixis.systems.pointer.answering import PointerSystem
from deixis.systems.pointer.decoding.place_reading import PlaceReading
from deixis.systems.pointer.decoding.policy import PointerPolicy
from deixis.systems.pointer.decoding.reading import PointerReader
from deixis.systems.pointer.region_inputs import region_tensors
from deixis.systems.pointer.weights import load_network
from deixis.systems.prompt import Prompt, Reading
from deixis.systems.questions import Question
from deixis.text.tokenizers.word_pieces.vocabulary import SPECIAL, Vocabulary
from tests.contract import promises
from tests.contract.promises import Promise, Subject
from tests.contract.subjects import pointer
from tests.systems.pointer.tiny import saved_system


class PaddingForgotten(PointerSystem):
    """Its frame says that the picture was stretched, its pixels were letterboxed."""

    def encode(self, inputs: Sequence[EncoderInput]) -> list[Encoded]:
        encoded = []
        for seen in super().encode(inputs):
            frame = seen.original.resized(seen.view.width, seen.view.height)
            encoded.append(replace(seen, view=Picture(seen.view.pixels, frame)))
        return encoded


class RegionsLeftInPixels(PointerSystem):
    """It gives the network regions in pixels of the original picture."""

    def build_prompt(self, question: Question, encoded: Sequence[Encoded]) -> Prompt:
        prompt = super().build_prompt(question, encoded)
        return replace(prompt, regions=tuple(region.to(encoded[0].original) for region in prompt.regions))


class RegionsSorted(PointerSystem):
    """It orders regions by name, not by where the question speaks of them."""

    def build_prompt(self, question: Question, encoded: Sequence[Encoded]) -> Prompt:
        prompt = super().build_prompt(question, encoded)
        return replace(prompt, regions=tuple(sorted(prompt.regions, key=lambda r: r.bounds().as_tuple())))


class RegionsOnce(PointerSystem):
    """It keeps a region that is named twice once."""

    def build_prompt(self, question: Question, encoded: Sequence[Encoded]) -> Prompt:
        prompt = super().build_prompt(question, encoded)
        return replace(prompt, regions=tuple(dict.fromkeys(prompt.regions)))


class SpecialTokensInTheTokenizer(PointerSystem):
    """Its tokenizer was told of the special tokens, as the ecosystem's usually are."""

    def build_prompt(self, question: Question, encoded: Sequence[Encoded]) -> Prompt:
        honest = self.vocabulary
        tokenizer = copy.deepcopy(honest.tokenizer)
        tokenizer.add_special_tokens([AddedToken(token.text, special=True) for token in SPECIAL])
        self.vocabulary = Vocabulary(tokenizer)
        try:
            return super().build_prompt(question, encoded)
        finally:
            self.vocabulary = honest


class BatchSorted(PointerSystem):
    """It sorts prompts by length to save padding, and forgets to sort the answers back."""

    def embed(self, prompts: Sequence[Prompt]) -> list[Embedded]:
        return super().embed(sorted(prompts, key=lambda prompt: len(prompt.ids)))


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

    def write_dialogue(self, dialogue: Dialogue) -> Prompt:
        written = super().write_dialogue(dialogue)
        return replace(written, labels=written.ids)


class LastTurnOnly(PointerSystem):
    """It learns the last answer of a dialogue alone."""

    def write_dialogue(self, dialogue: Dialogue) -> Prompt:
        written = super().write_dialogue(dialogue)
        last = super().write_dialogue(replace(dialogue, turns=dialogue.turns[-1:]))
        earlier = len(written.ids) - len(last.ids)
        return replace(written, labels=(promises.IGNORED,) * earlier + last.labels)


class FailuresDropped(PointerSystem):
    """What it cannot read is an empty answer."""

    def parse(self, completion: Completion, prompt: Prompt) -> Reading:
        return replace(super().parse(completion, prompt), parse_failures=())


class WholePictureInstead(PointerSystem):
    """Where it cannot read a place it gives the whole picture."""

    def parse(self, completion: Completion, prompt: Prompt) -> Reading:
        reading = super().parse(completion, prompt)
        if not reading.parse_failures or not reading.text:
            return reading
        frame = prompt.encoded[0].original
        whole = Place(Box(0, 0, *frame.size, frame=frame), 1.0)
        return replace(reading, spans=(Span(0, len(reading.text), reading.text, (whole,), False, 0.0),))


class Unseeded(PointerSystem):
    """It draws from a source of chance that no seed reaches."""

    def parse(self, completion: Completion, prompt: Prompt) -> Reading:
        reading = super().parse(completion, prompt)
        return replace(reading, text=reading.text + os.urandom(8).hex())


class Forgetful(EncodedCache):
    """It remembers nothing."""

    def get(
        self, inputs: Sequence[EncoderInput], encode: Callable[[Sequence[EncoderInput]], list[Encoded]]
    ) -> list[Encoded]:
        return encode(inputs)


class PictureForgotten(PointerSystem):
    """It encodes the picture again for every call."""

    def prompts(self, questions: Sequence[Question]) -> list[Prompt]:
        self.encoded_pictures = EncodedCache()
        return super().prompts(questions)


class QuestionByQuestion(PointerSystem):
    """It encodes the picture again for every question of a batch."""

    def prompts(self, questions: Sequence[Question]) -> list[Prompt]:
        self.encoded_pictures = Forgetful()
        return super().prompts(questions)


class PicturesBySize(PointerSystem):
    """It takes pictures of one size for the same."""

    def ask(self, picture: Any, question: Any, **more: Any) -> Any:
        opened = open_picture(picture)
        return super().ask(replace(opened, frame=replace(opened.frame, content="")), question, **more)


class PictureInvented(PointerSystem):
    """Asked about no picture, it looks at a grey one."""

    def pictures(self, source: Any) -> tuple[Picture, ...]:
        return super().pictures(np.full((90, 120, 3), 128, np.uint8) if source is None else source)


class SharedChance(PointerSystem):
    """All answers draw from one source of chance, as ``generate`` does."""

    def policies(self, prompts: Sequence[Prompt], settings: Sequence[Settings]) -> list[Policy]:
        return [self.policy(prompt, own) for prompt, own in zip(prompts, settings, strict=True)]

    def policy(self, prompt: Prompt, settings: Settings) -> PointerPolicy:
        policy = super().policy(prompt, settings)
        constrain = policy.constrain
        policy.constrain = lambda logits: constrain(logits) + torch.rand(logits.shape)  # type: ignore[method-assign]
        return policy


class StopIsAFailure(PointerSystem):
    """It takes an answer that was stopped for one that was cut."""

    def parse(self, completion: Completion, prompt: Prompt) -> Reading:
        reading = super().parse(completion, prompt)
        if not completion.settings.stop:
            return reading
        return replace(reading, parse_failures=("the answer stopped; raise max_new_tokens",))


class LateReader(PointerReader):
    """It keeps the last words to itself."""

    def close(self, finish: Finish) -> Delta:
        return Delta(ended=True)

    def add(self, token: int, logprob: float, places: Sequence[PlaceReading]) -> Delta:
        return replace(super().add(token, logprob, places), text="")


class StreamWithoutWords(PointerSystem):
    """Its stream holds places only."""

    def policies(self, prompts: Sequence[Prompt], settings: Sequence[Settings]) -> list[Policy]:
        return [self.policy(prompt, own) for prompt, own in zip(prompts, settings, strict=True)]

    def policy(self, prompt: Prompt, settings: Settings) -> PointerPolicy:
        policy = super().policy(prompt, settings)
        policy.reader = LateReader(self.vocabulary, prompt.encoded[0], settings)
        return policy


class HistoryRespelt(PointerSystem):
    """It writes earlier answers anew from their words."""

    def build_prompt(self, question: Question, encoded: Sequence[Encoded]) -> Prompt:
        before = tuple(replace(answer, raw=None) for answer in question.before)
        return super().build_prompt(replace(question, before=before), encoded)


class RegionsOnTheCPU(PointerSystem):
    """It forgets to move regions to where the network is."""

    def region_tensors(self, regions: Sequence[Region]) -> dict[str, Tensor]:
        return region_tensors([regions], self.network.config)


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
    (promises.pictures_are_told_apart, PicturesBySize, "another picture of the same size was accepted"),
    (promises.a_question_needs_no_picture, PictureInvented, "was taken by a system that needs one"),
    (promises.a_seed_is_its_own, SharedChance, "became"),
    (promises.a_stop_is_no_failure, StopIsAFailure, "max_new_tokens"),
    (promises.a_stream_is_the_answer, StreamWithoutWords, "streamed ''"),
    (promises.what_was_said_comes_back, HistoryRespelt, "came back otherwise"),
    (promises.nothing_mixes_devices, RegionsOnTheCPU, r"mixed: \w+\(cpu .*device .* at src/deixis/"),
)


def broken_subject(flaw: type[PointerSystem]) -> Subject:
    """Return the tiny pointer with a flaw."""

    def reopen(folder: Path) -> PointerSystem:
        return flaw(*load_network(folder))

    def make(folder: Path) -> PointerSystem:
        saved_system(folder)
        return reopen(folder)

    return replace(pointer(), make=make, reopen=reopen)
