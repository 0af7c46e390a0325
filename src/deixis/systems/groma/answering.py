"""The Groma system: places are found before anything is asked, and answers speak of them by tokens."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from deixis.answers.grounded import Answer, Place
from deixis.checkpoints.saved_network import open_network
from deixis.devices import moved
from deixis.engine.decoders.causal import CausalDecoder
from deixis.engine.embedded import Embedded
from deixis.engine.policy import Completion
from deixis.engine.settings import Settings
from deixis.errors import BadPicture, BadWeights, UsageError
from deixis.pictures.opening import Picture
from deixis.records.dialogue import Dialogue, Example
from deixis.regions.shapes import Region
from deixis.systems.contract import System
from deixis.systems.encoded import Encoded, EncoderInput
from deixis.systems.groma.config import check_codec, open_groma_codec
from deixis.systems.groma.detector.selection import ORDERS, Order, Selected, by_score
from deixis.systems.groma.labels import supervised
from deixis.systems.groma.model import GromaNetwork, PicturePerception
from deixis.systems.groma.placeholders import Chosen, Grown, grown
from deixis.systems.groma.places import (
    Perceived,
    PromptPlaces,
    RegionMemory,
    listed_places,
    pointed_at,
    proposed_places,
    shares_of,
)
from deixis.systems.groma.policy import ListedPlacesPolicy
from deixis.systems.groma.preparation import GromaPreparation, Route, unit_boxes
from deixis.systems.groma.prompts import (
    FIRST_EXCHANGE,
    Grounding,
    Written,
    asked,
    groma_template,
    phrase_asked,
    turn_of,
    words_asked,
    written,
)
from deixis.systems.groma.reading import GromaReader
from deixis.systems.groma.said import GromaText, carried
from deixis.systems.groma.training.collate import GromaCollate
from deixis.systems.groma.training.objective import GromaObjective
from deixis.systems.located_answers import MOST_PROPOSED
from deixis.systems.looks import Look
from deixis.systems.prompt import Prompt
from deixis.systems.questions import Question
from deixis.systems.spliced.answering import save_system
from deixis.text.prompt_tokens import TextCodec
from deixis.text.token_sequence import IGNORED

SHORTEST = 32  # tokens of a short question and its answer


class GromaSystem(System):
    """Groma (Ma et al., 2024).

    route: how pictures are resized, see ``preparation``. order: of the places of a prompt; None is what the
    network's settings say. grounding: which questions get ``[grounding]`` in front, see ``prompts``; "never"
    asks for words as they are. It may be set at any time, for the questions from then on.
    """

    name = "groma"
    looks_in_the_original = True
    pictures_taken = (1, 1)
    looked_at = "proposals"

    def __init__(
        self,
        network: GromaNetwork,
        codec: TextCodec,
        *,
        route: Route = "pillow",
        order: Order | None = None,
        grounding: Grounding = "auto",
    ) -> None:
        super().__init__()
        self.network: GromaNetwork = network.eval()
        self.decoder, self.codec, self.tokens = CausalDecoder(network.language), codec, network.tokens
        self.template = groma_template(network.config.template)
        self.text = GromaText(codec, self.template, ends=self.ends, tokens=self.tokens)
        self.preparation = GromaPreparation(network.config.side, route, network.perceiver.tower.normalisation)
        self.order = ORDERS[network.config.region_order] if order is None else order
        self.region_token = self.tokens.refer_feat
        self.grounding = grounding

    @property
    def specials(self) -> tuple[str, ...]:
        """The texts that act as tokens, in the tokenizer or the template."""
        return self.text.specials

    @property
    def ends(self) -> frozenset[int]:
        """The tokens that end an answer."""
        listed = self.network.config.eos_token_id
        more = listed if isinstance(listed, list) else [] if listed is None else [listed]
        return frozenset([*self.codec.ends, *more])

    @torch.inference_mode()
    def encode(self, inputs: Sequence[EncoderInput]) -> list[Encoded]:
        """Find what there is in all pictures, as one batch."""
        if not inputs:
            return []
        viewed = [self.preparation.view(one.picture) for one in inputs]
        pixels = self.preparation.stack([prepared for _, prepared in viewed])
        found = self.network.perceive(pixels.to(self.device).to(self.dtype))
        return [
            Encoded(one.key, one.picture.frame, view, Perceived(perception, RegionMemory()))
            for one, (view, _), perception in zip(inputs, viewed, found, strict=True)
        ]

    @torch.inference_mode()
    def build_prompt(self, question: Question, encoded: Sequence[Encoded]) -> Prompt:
        """Return the prompt, its places chosen from the proposals and what the question points at.

        UsageError for a prompt that is too long.
        """
        if len(encoded) != 1:
            raise BadPicture(f"Groma answers about one picture at a time; got {len(encoded)}")
        picture, one = question.pictures[0], encoded[0]
        turns, refer, ground, said = self.earlier(question.before, picture, one.tensors.perception)
        text, own = asked(
            question.text, dict(question.regions), specials=self.specials, grounding=self.grounding
        )
        refer = [*refer, *own]
        selected = self.chosen(one.tensors.perception, refer, ground, picture)
        known = [
            None if ids is None else carried(ids, before, selected, tokens=self.tokens)
            for ids, before in said
        ]
        ids = self.text.ids([FIRST_EXCHANGE, *turns, (text, None)], [None, *known])
        if len(ids) > self.network.config.max_text:
            raise UsageError(
                f"the question (with what was said before) has {len(ids)} tokens; at most "
                f"{self.network.config.max_text}"
            )
        row = grown(
            ids,
            Chosen(len(selected.boxes), selected.refer, selected.ground),
            tokens=self.tokens,
            picture_tokens=len(one.tensors.perception.tokens),
            name="the question",
        )
        listed = listed_places(selected, one.tensors.perception, picture.frame)
        subject, words = phrase_asked(question.text) or "", words_asked(question.text)
        places = PromptPlaces(selected, listed, row.features, subject, words)
        return Prompt(row.ids, row.labels, tuple(refer), tuple(encoded), places)

    def chosen(
        self,
        perception: PicturePerception,
        refer: Sequence[Region],
        ground: Sequence[Region],
        picture: Picture,
    ) -> Selected:
        """Return the places of a prompt that points at some regions, and speaks of others."""
        return self.network.select(
            perception,
            refer=pointed_at(refer, picture),
            ground=unit_boxes(ground, picture),
            order=self.order,
            shares=shares_of(refer, picture, side=self.network.mask_side),
        )

    def earlier(
        self, before: Sequence[Answer], picture: Picture, perception: PicturePerception
    ) -> tuple[
        list[tuple[str, str | None]],
        list[Region],
        list[Region],
        list[tuple[tuple[int, ...] | None, Selected]],
    ]:
        """Return earlier turns as texts, the regions and boxes behind their marks, and what was said.

        The last is, for each answer, its ids to the letter where they are this system's own, and the places
        of the prompt that it answered.
        """
        texts: list[tuple[str, str | None]] = []
        refer: list[Region] = []
        ground: list[Region] = []
        said = []
        for answer in before:
            own = written([turn_of(answer)], specials=self.specials, grounding=self.grounding)
            refer += own.refer
            places = self.chosen(perception, refer, ground, picture)
            ids = self.said(answer)
            if ids is None:
                ground += own.ground
            texts += own.turns
            said.append((ids, places))
        return texts, refer, ground, said

    def said(self, answer: Answer) -> tuple[int, ...] | None:
        """Return what this system said in an earlier answer, without its end token.

        None where the answer isn't its own, or the order of its places can't be known any more.
        """
        if answer.system != self.name or answer.raw is None or self.order is not by_score:
            return None
        return self.text.said(answer.raw)

    @torch.inference_mode()
    def embed(self, prompts: Sequence[Prompt]) -> list[Embedded]:
        """Return prompts with the vectors of their pictures and places; places known before are not read."""
        rows = []
        for prompt in prompts:
            known, own = prompt.encoded[0].tensors, places_of(prompt)
            vectors = known.memory.get(own.selected, self.encoder_of(known.perception))
            merged = self.network.embed_rows(
                [Grown(prompt.ids, prompt.labels, own.features)],
                pictures=[known.perception.tokens],
                places=[vectors],
            )
            rows.append(Embedded(merged.embeds[0], tuple(self.identity(prompt))))
        return rows

    def propose(self, picture: Any, *, most: int = MOST_PROPOSED) -> tuple[Place, ...]:
        """Return the proposals of a picture; see ``System.propose``."""
        (opened,) = self.pictures(picture)
        (one,) = self.encoded_pictures.get([EncoderInput(opened)], self.encode)
        return proposed_places(one.tensors.perception, opened.frame, rules=self.network.rules, most=most)

    def in_words(self) -> GromaSystem:
        """Return the same without ``[grounding]`` in front of questions; see ``System.in_words``."""
        if self.grounding == "never":
            return self
        words = GromaSystem(
            self.network, self.codec, route=self.preparation.route, order=self.order, grounding="never"
        )
        words.encoded_pictures, words.prefixes = self.encoded_pictures, self.prefixes
        return words

    def looks(self, picture: Any, question: str, *, regions: Mapping[str, Any] | None = None) -> list[Look]:
        """Return the proposals, which are there before anything is asked."""
        return [Look("", places=self.propose(picture))]

    def encoder_of(self, perception: PicturePerception) -> Callable[[Tensor, Tensor | None], Tensor]:
        """Return what turns boxes (K, 4) in a picture, and how they are filled, into vectors (K, D)."""
        return lambda boxes, shares: self.network.region_vectors([perception], [boxes], [shares])

    def identity(self, prompt: Prompt) -> Iterator[Hashable]:
        """Yield what each position of an embedded prompt stands for."""
        key, own = prompt.encoded[0].key, places_of(prompt)
        boxes, features, cells = iter(own.keys), iter(own.features), 0
        for token in prompt.ids:
            if token == self.tokens.image:
                yield (key, cells)
                cells += 1
            elif token == self.tokens.region:
                yield (key, next(boxes))
            elif token == self.tokens.refer_feat:
                yield (key, own.keys[next(features)])
            else:
                yield token

    def policy(self, prompt: Prompt, settings: Settings) -> ListedPlacesPolicy:
        """Return how one answer is decoded."""
        return ListedPlacesPolicy(
            self.reader(prompt, settings), self.tokens, count=len(places_of(prompt).listed)
        )

    def reader(self, prompt: Prompt, settings: Settings) -> GromaReader:
        """Return what reads an answer."""
        own = places_of(prompt)
        return GromaReader(
            self.codec,
            self.tokens,
            own.listed,
            settings,
            ends=self.ends,
            subject=own.subject,
            asked=own.asked,
        )

    def faults(self, completion: Completion) -> list[str]:
        """Return what doesn't add up: a log-probability for each token."""
        given, wanted = len(completion.logprobs), len(completion.ids)
        return [] if given == wanted else [f"{wanted} tokens came with {given} likelihoods; expected equal"]

    def write_dialogue(self, dialogue: Dialogue) -> Prompt:
        """Return a dialogue about a picture that is not at hand: its marks haven't grown yet."""
        own: Written = written(dialogue.turns, specials=self.specials)
        learnt = supervised(own.turns, template=self.template, codec=self.codec, tokens=self.tokens)
        labels = learnt.labels if dialogue.words_learnt else (IGNORED,) * len(learnt.ids)
        return Prompt(learnt.ids, labels, own.refer)

    def losses(self, dialogues: Sequence[Dialogue], picture: Picture) -> dict[str, Tensor]:
        """Return the losses of dialogues about a picture."""
        examples = [Example(picture.name, (picture,), (d,)) for d in dialogues if d.words_learnt]
        return GromaObjective(self.network)(moved(self.collate()(examples), self.device))

    def collate(self) -> GromaCollate:
        """Return what turns examples into batches for this network."""
        return GromaCollate(
            codec=self.codec,
            template=self.template,
            tokens=self.tokens,
            specials=self.specials,
            preparation=self.preparation,
            mask_side=self.network.mask_side,
            max_text=self.network.config.max_text,
        )

    def save(self, folder: str | Path) -> None:
        """Write config.json, safetensors, the tokenizer's files and generation_config.json."""
        save_system(self.network, self.codec, Path(folder))


def places_of(prompt: Prompt) -> PromptPlaces:
    """Return the places of a prompt about a picture; UsageError for a dialogue without one."""
    if not isinstance(prompt.own, PromptPlaces):
        raise UsageError("this prompt has no picture at hand; build_prompt makes one that has")
    return prompt.own


def open_groma(folder: Path, *, dtype: torch.dtype | None = torch.float32) -> GromaSystem:
    """Return the system saved in ``folder``, in ``dtype``; None is the one that it is stored in.

    BadWeights where parts of the folder don't fit each other.
    """
    network: GromaNetwork = open_network(GromaNetwork, folder, dtype=dtype)
    codec = open_groma_codec(network.config, folder)
    try:
        system = GromaSystem(network, codec)
    except UsageError as fault:  # settings that are sound one by one
        raise BadWeights(f"{folder / 'config.json'}: {fault}") from fault
    opening = len(system.text.ids([FIRST_EXCHANGE, ("a", None)], [None])) + SHORTEST
    longest = network.config.get_text_config().max_position_embeddings
    needed = opening + network.least_tokens() + 2 * network.config.max_region_num
    if opening > network.config.max_text or needed > longest:
        raise BadWeights(
            f"{folder / 'config.json'}: max_text is {network.config.max_text} and max_position_embeddings "
            f"{longest}; expected at least {opening} and {needed} for a picture, its places and a short "
            "question"
        )
    return system


def groma_system(network: GromaNetwork, codec: TextCodec) -> GromaSystem:
    """Return the system of a network and its tokenizer; BadWeights where they don't fit."""
    check_codec(codec, network.config, where="the given tokenizer")
    return GromaSystem(network, codec)
