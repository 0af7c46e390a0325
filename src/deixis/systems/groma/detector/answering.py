"""The proposer alone, asked what things there are: places without words."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor

from deixis.answers.grounded import Answer, Place, Span
from deixis.checkpoints.files.writing import share_like
from deixis.checkpoints.library_logging import quiet_transformers
from deixis.checkpoints.saved_network import open_network
from deixis.engine.policy import Delta
from deixis.engine.settings import Settings
from deixis.errors import UsageError
from deixis.layers.proposals.proposing import Proposals
from deixis.pictures.opening import Picture
from deixis.records.dialogue import Dialogue
from deixis.systems.contract import System
from deixis.systems.encoded import Encoded, EncoderInput
from deixis.systems.groma.detector.network import GromaProposerNetwork
from deixis.systems.groma.detector.selection import select
from deixis.systems.groma.model import PicturePerception
from deixis.systems.groma.places import listed_places, proposed_places
from deixis.systems.groma.preparation import GromaPreparation
from deixis.systems.groma.reading import WORDLESS
from deixis.systems.located_answers import MOST_PROPOSED
from deixis.systems.prompt import Prompt
from deixis.systems.questions import Question, checked_question, regions_of_each
from deixis.systems.streaming import AnswerStream


class GromaProposerSystem(System):
    """A detector of whatever there is, in Groma's first stage; it reads no question and says no words.

    Every answer is one word that stands for all places, the surest first.
    """

    name = "groma_proposer"
    looks_in_the_original = True

    def __init__(self, network: GromaProposerNetwork) -> None:
        super().__init__()
        self.network: GromaProposerNetwork = network.eval()
        self.preparation = GromaPreparation(
            network.config.side, normalisation=network.perceiver.tower.normalisation
        )
        self.region_token = None

    @torch.inference_mode()
    def encode(self, inputs: Sequence[EncoderInput]) -> list[Encoded]:
        """Find what there is in all pictures, as one batch."""
        if not inputs:
            return []
        viewed = [self.preparation.view(one.picture) for one in inputs]
        pixels = self.preparation.stack([prepared for _, prepared in viewed]).to(self.device)
        found = self.network.propose(pixels.to(self.dtype))
        return [
            Encoded(one.key, one.picture.frame, view, of_picture(found, number))
            for number, (one, (view, _)) in enumerate(zip(inputs, viewed, strict=True))
        ]

    def ask(self, picture: Any, question: Any = "", **more: Any) -> Any:
        """Return the places of things in a picture, once for each question; see ``System.ask``."""
        texts = [question] if isinstance(question, str) else list(question)
        regions, before = more.pop("regions", None), more.pop("before", ())
        settings, named = self.settings_and_regions(more)
        pictures = self.pictures(picture)
        each: list[Mapping[str, Any]] = list(regions_of_each(texts, regions, named))
        answers = [
            self.found(checked_question(text, own, pictures, before=before), settings)
            for text, own in zip(texts, each, strict=True)
        ]
        return answers[0] if isinstance(question, str) else answers

    def stream(self, picture: Any, question: str, **more: Any) -> AnswerStream:
        """Return the same answer as a stream of one delta."""
        return FoundAtOnce(self.ask(picture, question, **more))

    def propose(self, picture: Any, *, most: int = MOST_PROPOSED) -> tuple[Place, ...]:
        """Return the proposals of a picture, unsure ones too; see ``System.propose``."""
        (opened,) = self.pictures(picture)
        (one,) = self.encoded_pictures.get([EncoderInput(opened)], self.encode)
        return proposed_places(one.tensors, opened.frame, rules=self.network.rules, most=most)

    @torch.inference_mode()
    def found(self, question: Question, settings: Settings) -> Answer:
        """Return the answer to one question; UsageError for one that points at regions."""
        started = time.perf_counter()
        if question.regions:
            raise UsageError(
                "Groma's proposer alone finds things by itself and can't be asked about regions; ask a whole "
                "Groma, or leave them out"
            )
        picture = question.pictures[0]
        perception: PicturePerception = self.encoded_pictures.get(self.encoder_inputs(question), self.encode)[
            0
        ].tensors
        chosen = select(perception.boxes, perception.scores, rules=self.network.rules)
        listed = listed_places(chosen, perception, picture.frame)[: settings.max_places]
        sure = chosen.order is not None
        places = tuple(Place(one.box, one.objectness, one.mask) for one in listed) if sure else ()
        nowhere = None if sure else 1 - float(chosen.scores.max())
        span = Span(0, len(WORDLESS), WORDLESS, places, nowhere=not sure, nowhere_score=nowhere)
        return Answer(
            text=WORDLESS,
            spans=(span,),
            pictures=question.pictures,
            system=self.name,
            seconds=time.perf_counter() - started,
            question=question.text,
        )

    def build_prompt(self, question: Question, encoded: Sequence[Encoded]) -> Prompt:
        """Raise UsageError: there are no prompts."""
        self.wordless()

    def embed(self, prompts: Sequence[Prompt]) -> NoReturn:
        """Raise UsageError: there are no prompts."""
        self.wordless()

    def policy(self, prompt: Prompt, settings: Settings) -> NoReturn:
        """Raise UsageError: nothing is decoded."""
        self.wordless()

    def reader(self, prompt: Prompt, settings: Settings) -> NoReturn:
        """Raise UsageError: nothing is decoded."""
        self.wordless()

    def write_dialogue(self, dialogue: Dialogue) -> Prompt:
        """Raise UsageError: it learns from boxes."""
        self.wordless()

    def losses(self, dialogues: Sequence[Dialogue], picture: Picture) -> dict[str, Tensor]:
        """Raise UsageError: it learns from boxes."""
        self.wordless()

    def wordless(self) -> NoReturn:
        """Raise UsageError."""
        raise UsageError("Groma's proposer alone neither reads nor writes words; expected a whole Groma")

    def save(self, folder: str | Path) -> None:
        """Write config.json and safetensors."""
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        with quiet_transformers():
            self.network.save_pretrained(place, max_shard_size="5GB")
        share_like(place / "config.json")


class FoundAtOnce(AnswerStream):
    """A stream of one delta: all places at once."""

    def __init__(self, answer: Answer) -> None:
        self._answer, self._events = answer, iter([Delta(answer.text, answer.spans, ended=True)])

    def __iter__(self) -> Iterator[Delta]:
        return self

    def cancel(self) -> None:
        """Do nothing: the answer is there already."""


def of_picture(found: Proposals, number: int) -> PicturePerception:
    """Return what was found in one picture of a batch."""
    none = found.boxes.new_zeros(0, 1)
    masks = None if found.masks is None else found.masks[number]
    return PicturePerception(none, (), found.boxes[number].float(), found.scores()[number], masks)


def open_groma_proposer(folder: Path, *, dtype: torch.dtype | None = torch.float32) -> GromaProposerSystem:
    """Return the proposer saved in ``folder``, in ``dtype``; None is the one that it is stored in."""
    return GromaProposerSystem(open_network(GromaProposerNetwork, folder, dtype=dtype))
