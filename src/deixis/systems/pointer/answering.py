"""The pointer system: its network, vocabulary and rules, behind the contract."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from deixis.answers.grounded import Place
from deixis.devices import moved, pixel_tensor
from deixis.engine.decoders.causal import CausalDecoder
from deixis.engine.embedded import Embedded
from deixis.engine.policy import Completion, Policy
from deixis.engine.reading import Readings, read_prompts
from deixis.engine.settings import Settings
from deixis.english.agreement import Agreement
from deixis.english.claim_parser import claimed
from deixis.english.questions import presumes
from deixis.english.spelling import Spelling
from deixis.english.word_classes import ARTICLES_AND_SOME
from deixis.errors import BadWeights, UsageError
from deixis.layers.places.place_map import PlaceMap
from deixis.pictures.opening import Picture
from deixis.pictures.padding import letterbox
from deixis.records.dialogue import Dialogue, Example
from deixis.regions.carrying import carried
from deixis.regions.shapes import Box, Region
from deixis.systems.contract import System
from deixis.systems.encoded import Encoded, EncoderInput
from deixis.systems.located_answers import MOST_PROPOSED
from deixis.systems.looks import Look
from deixis.systems.pointer.core import PointerCore
from deixis.systems.pointer.decoding.claim_verdicts import SORTS, ClaimRule, VerdictWords
from deixis.systems.pointer.decoding.openings import RegionNames
from deixis.systems.pointer.decoding.place_reading import PlaceRule, picture_part
from deixis.systems.pointer.decoding.policy import PointerPolicy, verdicts
from deixis.systems.pointer.decoding.reading import PointerReader
from deixis.systems.pointer.earlier_answers import own_tokens, turn_of
from deixis.systems.pointer.prompts import AskedAbout, asks_about_one, dialogue_tokens, prompt_tokens
from deixis.systems.pointer.proposing import proposed_places
from deixis.systems.pointer.region_inputs import region_tensors
from deixis.systems.pointer.regions_together import NamesTogether, vectors_together
from deixis.systems.pointer.training.collate import PointerCollate
from deixis.systems.pointer.training.objective import ObjectiveWeights, PointerObjective
from deixis.systems.pointer.weights import load_core, save_network
from deixis.systems.prompt import Prompt
from deixis.systems.questions import Question, checked_question
from deixis.systems.registry import resolve
from deixis.text.packing import picture_weight
from deixis.text.tokenizers.word_pieces.vocabulary import REGION, Vocabulary

if TYPE_CHECKING:
    from transformers import PreTrainedModel

LOG = logging.getLogger("deixis")


@dataclass(frozen=True)
class EncodedPicture:
    """The tensors of an encoded picture: its place map, and the tokens (N, W) it is read as."""

    places: PlaceMap
    picture: Tensor


class PointerSystem(System):
    """The embedded default; see docs/pointer.md."""

    name = "pointer"
    region_token = REGION.id
    has_grammar = True
    looked_at = "map"

    def __init__(self, network: PointerCore, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.network: PointerCore = network.eval()
        self.decoder = CausalDecoder(
            body=network.decoder,
            head=network.words.logits,
            words=network.words,
            config=network.decoder.config,
        )
        self.vocabulary = vocabulary
        self.rule = PlaceRule(**network.config.place_rule)
        stored = network.config.claim_rules
        self.claim_rules = {sort: ClaimRule(**stored[sort]) for sort in SORTS if sort in stored}
        self.verdict_words = VerdictWords.of(vocabulary)
        self.spelling = Spelling(vocabulary.pieces)
        self.agreement = Agreement(vocabulary.pieces)
        self.articles = tuple(i for i, piece in enumerate(vocabulary.pieces) if piece in ARTICLES_AND_SOME)

    @torch.inference_mode()
    def encode(self, inputs: Sequence[EncoderInput]) -> list[Encoded]:
        """Letterbox each picture, run the tower once a size, and read its map as picture tokens."""
        return [self.encode_one(one) for one in inputs]

    def encode_one(self, given: EncoderInput) -> Encoded:
        """Encode one picture."""
        view = letterbox(given.picture, self.network.config.side)
        places = self.network.encode(pixel_tensor(view.pixels, device=self.device, dtype=torch.float32))
        return Encoded(
            given.key, given.picture.frame, view, EncodedPicture(places, self.network.reader(places)[0])
        )

    def build_prompt(self, question: Question, encoded: Sequence[Encoded]) -> Prompt:
        """Return the prompt, with regions carried into the frame of the view."""
        view = encoded[0].view.frame
        tokens = prompt_tokens(
            question.text,
            {name: carried(region, view) for name, region in question.regions},
            self.vocabulary,
            before=[turn_of(answer, encoded[0]) for answer in question.before],
            said=[own_tokens(answer, self.vocabulary, system=self.name) for answer in question.before],
            most_found=self.network.config.most_found,
        )
        if len(tokens.ids) > self.network.config.max_text:
            raise UsageError(
                f"the question (with what was said before) has {len(tokens.ids)} tokens; at most "
                f"{self.network.config.max_text}"
            )
        learnt = self.vocabulary.opening is not None  # then the network says what is asked
        asked = AskedAbout() if learnt else AskedAbout(presumes(question.text), claimed(question.text))
        return Prompt(tuple(tokens.ids), tuple(tokens.labels), tuple(tokens.regions), tuple(encoded), asked)

    @torch.inference_mode()
    def embed(self, prompts: Sequence[Prompt]) -> list[Embedded]:
        """Return the picture tokens of each prompt and its text, with what the picture holds at regions."""
        rows = []
        for prompt, vectors in zip(prompts, vectors_together(self, prompts), strict=True):
            (encoded,) = prompt.encoded
            seen: EncodedPicture = encoded.tensors
            ids = torch.tensor(prompt.ids, device=self.device)[None]
            text = self.network.embed(ids, regions=vectors)[0]
            count = len(seen.picture)
            regions = iter(prompt.regions)
            identity = [(encoded.key, next(regions)) if token == REGION.id else token for token in prompt.ids]
            bias = seen.picture.new_zeros(count + len(identity))
            bias[:count] = float(picture_weight(torch.tensor(count)))
            cells = [(encoded.key, cell) for cell in range(count)]
            rows.append(Embedded(torch.cat([seen.picture, text]), (*cells, *identity), count, bias))
        return rows

    def propose(self, picture: Any, *, most: int = MOST_PROPOSED) -> tuple[Place, ...]:
        """Return what many locations of the place map take for a thing; see ``System.propose``."""
        (opened,) = self.pictures(picture)
        (one,) = self.encoded_pictures.get([EncoderInput(opened)], self.encode)
        with torch.inference_mode():
            return proposed_places(
                one.tensors.places.boxes[0], view=one.view.frame, original=opened.frame, most=most
            )

    def read(self, prompts: Sequence[Prompt]) -> Readings:
        """Return prompts as the decoder read them: a store that goes on, and the last states (W,) of each.

        Whatever asks the decoder something reads by this, or by the loop of ``ask``, which does the same.
        """
        embedded = self.embed(prompts)
        return read_prompts(
            self.decoder, embedded, slots=max(map(len, embedded), default=0), prefixes=self.prefixes
        )

    def region_vectors(self, seen: Encoded, regions: Sequence[Region]) -> Tensor | None:
        """Return the vectors (R, W) of regions of a picture; None for none."""
        if not regions:
            return None
        tensors, places = self.region_tensors(regions), seen.tensors.places
        return self.network.encode_regions(
            places, tensors["region_masks"], tensors["region_geometry"], tensors["region_present"]
        )

    def region_tensors(self, regions: Sequence[Region]) -> dict[str, Tensor]:
        """Return regions of one picture as the network takes them."""
        return moved(region_tensors([regions], self.network.config), self.device)

    def asks_for_name(self, prompt: Prompt) -> bool:
        """Tell whether a prompt is about one region that the region classifier may name."""
        return bool(self.network.config.region_namer) and asks_about_one(prompt.ids)

    def region_names(self, prompt: Prompt) -> RegionNames | None:
        """Return what the region classifier says of a prompt's region; None unless it is about one."""
        if not self.asks_for_name(prompt):
            return None
        return self.named(prompt.encoded[0], prompt.regions[-1:])[0]

    def named(self, seen: Encoded, regions: Sequence[Region]) -> list[RegionNames]:
        """Return what the region classifier says of regions of a picture."""
        tensors = self.region_tensors(regions)
        pieces, likely = self.network.name_regions(
            seen.tensors.places, tensors["region_masks"], tensors["region_geometry"]
        )
        pieces, qualities = pieces.cpu(), self.network.region_namer.qualities.cpu()
        return [RegionNames(pieces, one, qualities, self.articles) for one in likely[0].float().cpu()]

    def judges(self, claims: Sequence[str], region_names: RegionNames) -> bool:
        """Tell whether what a question claims of its region could be judged."""
        able = self.verdict_words is not None and bool(self.claim_rules)
        return able and bool(claims) and len(region_names.pieces) > 1

    def asides(self, prompt: Prompt, question: str) -> tuple[Embedded, Embedded]:
        """Return a question about {it} as prompts: about a prompt's region, and about all of the picture."""
        encoded = prompt.encoded[0]
        view = encoded.view.frame
        whole = Box(*picture_part(view, encoded.original), frame=view)
        sequences = [
            prompt_tokens(question, {"it": region}, self.vocabulary) for region in (prompt.regions[-1], whole)
        ]
        about, around = self.embed(
            [
                Prompt(tuple(tokens.ids), tuple(tokens.labels), tuple(tokens.regions), prompt.encoded)
                for tokens in sequences
            ]
        )
        return about, around

    def policy(self, prompt: Prompt, settings: Settings) -> PointerPolicy:
        """Return how one answer is decoded."""
        return PointerPolicy(self, prompt, settings)

    def policies(self, prompts: Sequence[Prompt], settings: Sequence[Settings]) -> list[Policy]:
        """Return how each of several prompts is answered; their regions are named together."""
        names = NamesTogether(self, prompts)
        return [
            PointerPolicy(self, prompt, own, region_names=names.of)
            for prompt, own in zip(prompts, settings, strict=True)
        ]

    def reader(self, prompt: Prompt, settings: Settings) -> PointerReader:
        """Return what reads an answer."""
        return PointerReader(self.vocabulary, prompt.encoded[0], settings)

    def faults(self, completion: Completion) -> list[str]:
        """Return what doesn't add up: as many verdicts as readings of places."""
        given, wanted = len(completion.places), verdicts(completion.ids)
        return [] if given == wanted else [f"{wanted} verdicts came with {given} readings of places"]

    def looks(self, picture: Any, question: str, *, regions: Mapping[str, Any] | None = None) -> list[Look]:
        """Return the shares of the map's locations for each phrase of the answer, which is written again."""
        from deixis.systems.pointer.looking import looks_of

        asked = checked_question(question, dict(regions or {}), self.pictures(picture))
        return looks_of(self, self.prompts([asked])[0])

    @property
    def pretrained(self) -> PreTrainedModel:
        """The network as a model of ``transformers``; a copy, unless it was given as one."""
        network_class = resolve("deixis.systems.pointer.model:PointerNetwork")
        network = self.network
        return network if isinstance(network, network_class) else network_class.like(network)

    def write_dialogue(self, dialogue: Dialogue) -> Prompt:
        """Return a dialogue in the frame of a view, with labels on its answers."""
        tokens = dialogue_tokens(dialogue, self.vocabulary, most_found=self.network.config.most_found)
        return Prompt(tuple(tokens.ids), tuple(tokens.labels), tuple(tokens.regions))

    def losses(self, dialogues: Sequence[Dialogue], picture: Picture) -> dict[str, Tensor]:
        """Return the losses of dialogues about a square picture of the network's side."""
        collate = PointerCollate(self.network.config, self.vocabulary, phrase_rows={})
        objective = PointerObjective(self.network, weights=ObjectiveWeights(), phrase_vectors=None)
        return objective(moved(collate([Example(picture.name, (picture,), tuple(dialogues))]), self.device))

    def save(self, folder: str | Path) -> None:
        """Write config.json, safetensors, tokenizer.json and generation_config.json."""
        save_network(self.network, self.vocabulary, Path(folder))


def open_pointer(folder: Path, *, dtype: torch.dtype | None = torch.float32) -> PointerSystem:
    """Return the system saved in ``folder``, in ``dtype``; None is the one that it is stored in."""
    network, vocabulary = load_core(folder, dtype=dtype)
    if parts := network.unfitted_parts():
        LOG.warning("the model in %s was saved before these were fitted: %s", folder, "; ".join(parts))
    try:
        return PointerSystem(network, vocabulary)
    except TypeError as fault:
        raise BadWeights(
            f"the place_rule or one of the claim_rules in {folder / 'config.json'} is none: {fault}"
        ) from fault
