"""The one contract of all systems: encode pictures, build a prompt, embed it, decode by a policy, parse.

``ask`` and ``stream`` are the same for every system: they open the pictures, tie the regions to them, encode
each picture once, and let the one decoding loop (``engine``) answer all questions as one batch. What differs
from system to system are the methods that a system must write; docs/architecture.md shows how each published
system fills them.
"""

from __future__ import annotations

import hashlib
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, overload

import torch
from torch import Tensor, nn

from deixis.answers.grounded import Answer, Raw
from deixis.engine.decoder import Decoder
from deixis.engine.embedded import Embedded
from deixis.engine.loop import Decoding
from deixis.engine.policy import Completion, Policy, Request
from deixis.engine.prefixes import PrefixCache
from deixis.engine.settings import Settings
from deixis.errors import UsageError
from deixis.pictures.opening import Picture
from deixis.records.dialogue import Dialogue
from deixis.systems.encoded import Encoded, EncodedCache, EncoderInput
from deixis.systems.located_answers import LocatedAnswers
from deixis.systems.looks import Look
from deixis.systems.prompt import AnswerReader, Prepared, Prompt, Reading
from deixis.systems.questions import Question, checked_question, opened, regions_of_each
from deixis.systems.streaming import AnswerStream

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class System(LocatedAnswers, ABC):
    """A network together with its ways of writing and reading.

    paints: True for systems that paint regions on the picture; what they paint comes from the whole dialogue.
    looks_in_the_original: True for systems that find a region's content by its pixels of the original; the
    others carry regions to the frame of what the network is given. pictures_taken: how many pictures a
    dialogue may have, at least and at most. has_grammar: whether answers are, or can be, held to a grammar.
    region_token: the id that stands for one region in a prompt, if there is one. looked_at: what ``looks``
    shows, if it can say what an answer's places were chosen from.
    """

    name: str
    network: nn.Module
    decoder: Decoder
    paints = False
    looks_in_the_original = False
    pictures_taken: tuple[int, int] = (1, 1)
    has_grammar = False
    region_token: int | None
    looked_at: Literal["map", "proposals"] | None = None

    def __init__(self) -> None:
        self.encoded_pictures = EncodedCache()
        self.prefixes = PrefixCache()

    @abstractmethod
    def encode(self, inputs: Sequence[EncoderInput]) -> list[Encoded]:
        """Run all that doesn't depend on the words of a question, for several pictures as one batch."""

    @abstractmethod
    def build_prompt(self, question: Question, encoded: Sequence[Encoded]) -> Prompt:
        """Return the prompt of a question, its regions in the frame that the network looks for them in.

        encoded: what was made of each of the question's pictures, in their order.
        """

    @abstractmethod
    def embed(self, prompts: Sequence[Prompt]) -> list[Embedded]:
        """Return prompts as the decoder reads them, with the vectors of pictures and regions."""

    @abstractmethod
    def policy(self, prompt: Prompt, settings: Settings) -> Policy:
        """Return how one answer to a prompt is decoded."""

    @abstractmethod
    def reader(self, prompt: Prompt, settings: Settings) -> AnswerReader:
        """Return what reads the answer to a prompt while it is written."""

    @abstractmethod
    def write_dialogue(self, dialogue: Dialogue) -> Prompt:
        """Return a whole dialogue for training; only answers have labels."""

    @abstractmethod
    def losses(self, dialogues: Sequence[Dialogue], picture: Picture) -> dict[str, Tensor]:
        """Return the training losses ("total" among them) of dialogues in the frame of ``picture``."""

    @abstractmethod
    def save(self, folder: str | Path) -> None:
        """Write the folder that ``deixis.load`` opens."""

    @property
    def device(self) -> torch.device:
        """Where the network computes."""
        return next(self.network.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """The type of the network's numbers."""
        return next(self.network.parameters()).dtype

    @property
    def pretrained(self) -> PreTrainedModel:
        """The network as a model of ``transformers``: ``generate``, ``save_pretrained`` and the rest."""
        network: Any = self.network
        return network

    def to(self, device: torch.device | str) -> Self:
        """Move the network to a device, forget what was encoded on another one, and return the system."""
        self.network.to(device)
        self.encoded_pictures, self.prefixes = EncodedCache(), PrefixCache()
        return self

    def encoder_inputs(self, question: Question) -> list[EncoderInput]:
        """Return what the encoder sees of each picture of a question; systems that paint say what."""
        return [EncoderInput(picture) for picture in question.pictures]

    def painted(self, one: EncoderInput) -> Picture:
        """Return a picture with what is painted on it, in the pixels of the original."""
        return one.picture

    def paint_as(self, *, kind: str | None = None, style: str | None = None) -> None:
        """Paint regions as one kind of mark, in a style, from now on; None leaves it as it is.

        UsageError: no such kind or style, or a system that paints nothing.
        """
        raise UsageError(f"system {self.name!r} doesn't paint regions on the picture; leave --paint out")

    def seen(
        self,
        picture: Any,
        question: str,
        *,
        regions: Mapping[str, Any] | None = None,
        before: Sequence[Answer] = (),
        **named: Any,
    ) -> list[Picture]:
        """Return the pictures of a question as the system sees them: with its marks, if it paints.

        They are in pixels of the originals, as large as those. The arguments are those of ``ask``.
        """
        own = regions_of_each([question], regions, named)[0]
        asked = checked_question(question, own, self.pictures(picture), before=before)
        return [self.painted(one) for one in self.encoder_inputs(asked)]

    def looks(self, picture: Any, question: str, *, regions: Mapping[str, Any] | None = None) -> list[Look]:
        """Return what the places of the answer to a question were chosen from; see ``Look``.

        The arguments are those of ``ask``. UsageError: a system that can't say.
        """
        raise UsageError(f"system {self.name!r} can't say what its places were chosen from")

    def parse(self, completion: Completion, prompt: Prompt) -> Reading:
        """Turn tokens into text and places; what breaks the grammar is a parse failure, never a place."""
        reader = self.reader(prompt, completion.settings)
        reader.failures += self.faults(completion)
        missing = [math.nan] * (len(completion.ids) - len(completion.logprobs))
        likely = [*completion.logprobs, *missing][: len(completion.ids)]
        deltas = [
            reader.add(token, logprob, completion.places)
            for token, logprob in zip(completion.ids, likely, strict=True)
        ]
        deltas.append(reader.close(completion.finish))
        text = "".join(delta.text for delta in deltas)
        spans = tuple(span for delta in deltas for span in delta.spans)
        refused = any(delta.unanswerable for delta in deltas)
        return Reading(text, spans, tuple(reader.failures), reader.raw, unanswerable=refused)

    def faults(self, completion: Completion) -> list[str]:
        """Return what doesn't add up about a completion as a whole; nothing where everything does."""
        return []

    @overload
    def ask(
        self,
        picture: Any,
        question: str,
        *,
        regions: Mapping[str, Any] | None = None,
        before: Sequence[Answer] = (),
        **more: Any,
    ) -> Answer: ...

    @overload
    def ask(
        self,
        picture: Any,
        question: Sequence[str],
        *,
        regions: Mapping[str, Any] | Sequence[Mapping[str, Any] | None] | None = None,
        before: Sequence[Answer] = (),
        **more: Any,
    ) -> list[Answer]: ...

    def ask(
        self,
        picture: Any,
        question: str | Sequence[str],
        *,
        regions: Mapping[str, Any] | Sequence[Mapping[str, Any] | None] | None = None,
        before: Sequence[Answer] = (),
        **more: Any,
    ) -> Answer | list[Answer]:
        """Answer a question about pictures, or a list of questions as one batch with the same answers.

        picture: whatever ``open_picture`` takes; several in a list, or None, where the system can. ``{name}``
        in a question stands for the region of that name, given by keyword or in ``regions`` (for a list of
        questions also a list, one mapping each). Regions are in pixels of the picture unless their frame says
        otherwise; four numbers are a box, two a point, an array of booleans (H, W) a mask. One of several
        pictures is named by ``region.bind(picture.frame)``. before: earlier answers
        about these pictures, oldest first. more: the fields of ``Settings`` (temperature, top_p, seed, stop,
        max_new_tokens, logprobs, max_places, grammar), and regions by their names.
        """
        started = time.perf_counter()
        settings, named = self.settings_and_regions(more)
        pictures = self.pictures(picture)
        texts = [question] if isinstance(question, str) else list(question)
        questions = [
            checked_question(text, given, pictures, before=before)
            for text, given in zip(texts, regions_of_each(texts, regions, named), strict=True)
        ]
        prepared = self.prepare(questions, settings)
        completions = Decoding(
            self.decoder, [one.request for one in prepared], prefixes=self.prefixes
        ).completions()
        seconds = (time.perf_counter() - started) / max(len(texts), 1)
        answers = [
            self.answered(one, completion, seconds=seconds)
            for one, completion in zip(prepared, completions, strict=True)
        ]
        return answers[0] if isinstance(question, str) else answers

    def stream(
        self,
        picture: Any,
        question: str,
        *,
        regions: Mapping[str, Any] | None = None,
        before: Sequence[Answer] = (),
        **more: Any,
    ) -> AnswerStream:
        """Return an answer as it is written: an iterator of ``Delta``, text and places as they are decided.

        All deltas together are the answer that ``ask`` would give, which ``AnswerStream.answer`` is in the
        end. The arguments are those of ``ask``.
        """
        started = time.perf_counter()
        settings, named = self.settings_and_regions(more)
        own = regions_of_each([question], regions, named)[0]
        asked = checked_question(question, own, self.pictures(picture), before=before)
        (prepared,) = self.prepare([asked], settings)
        decoding = Decoding(self.decoder, [prepared.request], prefixes=self.prefixes)

        def finished(completion: Completion) -> Answer:
            return self.answered(prepared, completion, seconds=time.perf_counter() - started)

        return AnswerStream(decoding, finished)

    def settings_and_regions(self, more: Mapping[str, Any]) -> tuple[Settings, dict[str, Any]]:
        """Return the settings among the further arguments of ``ask``, and the regions by name."""
        known = {name: value for name, value in more.items() if name in Settings.names()}
        settings = Settings(**known)
        self.check_settings(settings)
        return settings, {name: value for name, value in more.items() if name not in known}

    def check_settings(self, settings: Settings) -> None:
        """Raise UsageError for settings that this system can't answer with."""
        if settings.grammar is not None and settings.grammar != self.has_grammar:
            can = "is always held to it" if self.has_grammar else "has none"
            raise UsageError(f"grammar is {settings.grammar}, but system {self.name!r} {can}; leave it out")

    def pictures(self, source: Any) -> tuple[Picture, ...]:
        """Return the opened pictures of a question; UsageError unless the system takes so many."""
        pictures = opened(source)
        self.check_pictures(pictures)
        return pictures

    def check_pictures(self, pictures: Sequence[Picture]) -> None:
        """Raise UsageError unless the system takes so many pictures at a time."""
        least, most = self.pictures_taken
        if not least <= len(pictures) <= most:
            taken = f"{least}" if least == most else f"{least} to {most}"
            raise UsageError(
                f"system {self.name!r} is asked about {taken} picture{'s' * (most > 1)} at a time; got "
                f"{len(pictures) or 'none'}"
            )

    def prepare(
        self, questions: Sequence[Question], settings: Settings | Sequence[Settings]
    ) -> list[Prepared]:
        """Return checked questions ready to be decoded: everything up to the decoding loop.

        New pictures are encoded as one batch, and so are regions where the system can. settings: those of
        all questions, or of each. UsageError for a question that can't be answered.
        """
        prompts = self.prompts(questions)
        requests = self.requests(prompts, settings)
        return [Prepared(*one) for one in zip(questions, prompts, requests, strict=True)]

    def answered(self, prepared: Prepared, completion: Completion, *, seconds: float) -> Answer:
        """Return what was written in answer to a prepared question, read back."""
        reading = self.parse(completion, prepared.prompt)
        return self.answer(prepared.question, reading, completion, seconds=seconds)

    def prompts(self, questions: Sequence[Question]) -> list[Prompt]:
        """Return the prompts of questions; each picture is encoded once, all new ones as one batch."""
        inputs = [self.encoder_inputs(question) for question in questions]
        every = [one for own in inputs for one in own]
        encoded = self.encoded_pictures.get(every, self.encode)
        prompts = []
        for question, own in zip(questions, inputs, strict=True):
            prompts.append(self.build_prompt(question, encoded[: len(own)]))
            encoded = encoded[len(own) :]
        return prompts

    def requests(self, prompts: Sequence[Prompt], settings: Settings | Sequence[Settings]) -> list[Request]:
        """Return prompts as the decoding loop takes them; UsageError for one too long to be answered.

        settings: those of all, or of each.
        """
        each = [settings] * len(prompts) if isinstance(settings, Settings) else settings
        embedded = self.embed(prompts)
        positions = self.decoder.positions
        for one, own in zip(embedded, each, strict=True):
            over = 0 if positions is None else len(one) + own.max_new_tokens - positions
            if over > 0:
                raise UsageError(
                    f"the question (with what was said before and its pictures) takes {len(one)} positions, "
                    f"its answer up to {own.max_new_tokens}, and the decoder has {positions}: {over} "
                    "too many. Ask for a shorter answer (max_new_tokens), or give fewer earlier answers"
                )
        return [
            Request(one, policy, own)
            for one, policy, own in zip(embedded, self.policies(prompts, each), each, strict=True)
        ]

    def policies(self, prompts: Sequence[Prompt], settings: Sequence[Settings]) -> list[Policy]:
        """Return how each of several prompts is answered; systems that can, share work between them."""
        return [self.policy(prompt, own) for prompt, own in zip(prompts, settings, strict=True)]

    def answer(
        self, question: Question, reading: Reading, completion: Completion, *, seconds: float
    ) -> Answer:
        """Return what was read as an answer to its question."""
        logprobs = completion.logprobs if completion.settings.logprobs else ()
        return Answer(
            text=reading.text,
            spans=reading.spans,
            pictures=question.pictures,
            system=self.name,
            seconds=seconds,
            parse_failures=reading.parse_failures,
            question=question.text,
            regions=question.regions,
            finish=completion.finish,
            raw=Raw(reading.raw, completion.ids, logprobs),
            unanswerable=reading.unanswerable,
        )

    def fingerprint(self) -> str:
        """Return a short digest of the network's weights, by which a report says what it measured."""
        digest = hashlib.blake2b(digest_size=8)
        for name, tensor in sorted(self.network.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()
