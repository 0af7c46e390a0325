"""A system of the family: network, tokenizer, templates and dialect, behind the contract."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn

from deixis.answers.grounded import Answer
from deixis.checkpoints.files.writing import share_like
from deixis.checkpoints.library_logging import quiet_transformers
from deixis.devices import moved
from deixis.engine.decoders.causal import CausalDecoder
from deixis.engine.embedded import Embedded
from deixis.engine.policy import Completion
from deixis.engine.settings import Settings
from deixis.errors import UsageError
from deixis.layers.picture_features import PictureFeatures
from deixis.pictures.opening import Picture
from deixis.records.dialogue import Dialogue, Example
from deixis.systems.contract import System
from deixis.systems.encoded import Encoded, EncoderInput
from deixis.systems.prompt import Prompt
from deixis.systems.questions import MOST_PICTURES, Question
from deixis.systems.spliced.dialect import Dialect
from deixis.systems.spliced.dialogue_text import DialogueText
from deixis.systems.spliced.grammar.boxes import BoxGrammar
from deixis.systems.spliced.grammar.tokens import BoxTokens, HeldToBoxes
from deixis.systems.spliced.marking import Marking, Unmarked
from deixis.systems.spliced.network import SplicedNetwork
from deixis.systems.spliced.policy import SplicedPolicy
from deixis.systems.spliced.preparation import Preparation
from deixis.systems.spliced.prompts import (
    asked,
    exchanges,
    picture_of,
    requesting,
    turn_of,
    with_pictures,
)
from deixis.systems.spliced.reading import SplicedReader
from deixis.systems.spliced.regions import RegionSampling
from deixis.systems.spliced.training.collate import SplicedCollate
from deixis.systems.spliced.training.objective import SplicedObjective
from deixis.text.label_masking import supervised
from deixis.text.prompt_tokens import TextCodec
from deixis.text.splicing import IGNORED, PICTURE_MARKER
from deixis.text.templates import TEMPLATES, Template


class SplicedSystem(System):
    """A decoder of ``transformers`` that reads pictures and regions as vectors between its words.

    A member says how pictures are prepared, how places are written (``dialect``), and which points a
    region's vector is made of (``sampling``). request: what is added to a question that asks for boxes.
    """

    has_grammar = True  # on request
    looks_in_the_original = True  # points are drawn among the original's pixels
    pictures_taken = (0, MOST_PICTURES)

    def __init__(
        self,
        network: SplicedNetwork,
        codec: TextCodec,
        preparation: Preparation,
        *,
        dialect: Dialect,
        sampling: RegionSampling,
        request: str = "",
    ) -> None:
        super().__init__()
        self.dialect, self.sampling, self.request = dialect, sampling, request
        self.network: SplicedNetwork = network.eval()
        self.decoder = CausalDecoder(network.language)
        self.codec = codec
        self.preparation = preparation
        self.template: Template = template_of(network.config.template)
        self.text = DialogueText(codec, self.template, ends=self.ends)
        self.region_token = codec.region

    @property
    def specials(self) -> tuple[str, ...]:
        """The texts that act as tokens, in the tokenizer or the template."""
        return self.text.specials

    @property
    def ends(self) -> frozenset[int]:
        """The tokens that end an answer: the tokenizer's, and those that the configuration lists besides."""
        listed = self.network.config.eos_token_id
        more = listed if isinstance(listed, list) else [] if listed is None else [listed]
        return frozenset([*self.codec.ends, *more])

    @torch.inference_mode()
    def encode(self, inputs: Sequence[EncoderInput]) -> list[Encoded]:
        """Prepare all pictures and encode them as one batch."""
        if not inputs:
            return []
        viewed = [self.preparation.view(one.picture) for one in inputs]
        pixels = self.preparation.stack([prepared for _, prepared in viewed])
        features = self.network.encode_pictures(pixels.to(self.device).to(self.dtype))
        parts = zip(features.tokens, features.maps, strict=True)
        return [
            Encoded(one.key, one.picture.frame, view, PictureFeatures(tokens=(tokens,), maps=(seen,)))
            for one, (view, _), (tokens, seen) in zip(inputs, viewed, parts, strict=True)
        ]

    def build_prompt(self, question: Question, encoded: Sequence[Encoded]) -> Prompt:
        """Return the prompt, its regions in pixels of the original pictures.

        UsageError for a prompt that is too long.
        """
        shown = question.shown()
        order = [encoded[number] for turn in shown for number in turn]
        counts = [len(turn) for turn in shown]
        dialect = self.dialect_for(question)
        turns, found = exchanges(
            [turn_of(answer) for answer in question.before],
            dialect=dialect,
            specials=self.specials,
            request=self.request,
            shown=counts[:-1],
        )
        words = requesting(question.text, self.request)
        text, own = asked(words, dict(question.regions), dialect=dialect, specials=self.specials)
        found += own
        said = [self.said(answer) for answer in question.before]
        ids = self.text.ids([*turns, (with_pictures(text, counts[-1]), None)], said)
        written = sum(token == self.codec.region for token in ids)
        if written != sum(one.pixels is not None for _, one in found):
            raise UsageError(f"the prompt has {written} region tokens for {len(found)} regions")
        self.check_length(ids, order)
        frames = [one.original for one in order]
        regions = tuple(
            (one.pixels, picture_of(region, frames)) for region, one in found if one.pixels is not None
        )
        return Prompt(
            tuple(ids),
            (IGNORED,) * len(ids),
            tuple(region for region, one in found if one.pixels is not None),
            tuple(order),
            regions,
        )

    def dialect_for(self, question: Question) -> Dialect:
        """Return the dialect that speaks of the regions of a question and of what was said before."""
        return self.dialect

    def check_length(self, ids: Sequence[int], encoded: Sequence[Encoded]) -> None:
        """Raise UsageError for a prompt that is longer than the network was made for."""
        limit = self.network.config.max_text
        if self.network.longest is not None:  # for text and pictures together; more would be cut off
            pictures = sum(len(one.tensors.tokens[0]) for one in encoded)
            limit = min(limit, self.network.longest - pictures + len(encoded))
        if len(ids) > limit:
            raise UsageError(
                f"the question (with what was said before) has {len(ids)} tokens; at most {limit}"
            )

    def said(self, answer: Answer) -> tuple[int, ...] | None:
        """Return what this system said in an earlier answer, without its end token.

        None where the answer isn't (quite) its own: its words and places are then written anew.
        """
        if answer.system != self.name or answer.raw is None:
            return None
        return self.text.said(answer.raw)

    @torch.inference_mode()
    def embed(self, prompts: Sequence[Prompt]) -> list[Embedded]:
        """Return prompts with the vectors of their pictures and regions."""
        network = self.network
        vectors = self.region_vectors(prompts)
        rows = []
        for prompt, own in zip(prompts, vectors, strict=True):
            pictures = [one.tensors.tokens[0] for one in prompt.encoded]
            merged = network.embed(
                torch.tensor(prompt.ids, device=self.device)[None],
                pictures=[pictures],
                slots=None if self.codec.region is None else {self.codec.region: [own]},
            )
            rows.append(Embedded(merged.embeds[0], tuple(self.identity(prompt))))
        return rows

    def identity(self, prompt: Prompt) -> Iterator[Hashable]:
        """Yield what each position of an embedded prompt stands for."""
        pictures, regions = iter(prompt.encoded), iter(prompt.own or ())
        for token in prompt.ids:
            if token == PICTURE_MARKER:
                picture = next(pictures)
                yield from ((picture.key, cell) for cell in range(len(picture.tensors.tokens[0])))
            elif token == self.codec.region:
                pixels, picture_number = next(regions)
                yield (prompt.encoded[picture_number].key, pixels.begins.tobytes(), pixels.ends.tobytes())
            else:
                yield token

    def region_vectors(self, prompts: Sequence[Prompt]) -> list[Tensor | None]:
        """Return the vectors (R, D) of each prompt's regions, all sampled as one batch; None for none."""
        encoded = list(dict.fromkeys(one.key for prompt in prompts for one in prompt.encoded))
        maps = {one.key: one.tensors.maps[0] for prompt in prompts for one in prompt.encoded}
        regions = [
            (pixels, encoded.index(prompt.encoded[number].key))
            for prompt in prompts
            for pixels, number in prompt.own or ()
        ]
        if not regions:
            return [None] * len(prompts)
        drawn = self.sampling.draw([pixels for pixels, _ in regions], [picture for _, picture in regions])
        vectors = self.network.encode_regions([maps[key] for key in encoded], drawn)
        return list(vectors.split([len(prompt.own or ()) for prompt in prompts]))

    def policy(self, prompt: Prompt, settings: Settings) -> SplicedPolicy:
        """Return how one answer is decoded."""
        held = None
        if settings.grammar:
            held = HeldToBoxes(self.box_tokens, most=settings.max_places, room=settings.max_new_tokens)
        return SplicedPolicy(self.reader(prompt, settings), held=held)

    @cached_property
    def box_tokens(self) -> BoxTokens:
        """Which tokens may stand where in a box; UsageError for a tokenizer that can't spell boxes."""
        return BoxTokens(self.codec, BoxGrammar.of(getattr(self.dialect, "numbers", "thousandths")))

    def check_settings(self, settings: Settings) -> None:
        """Raise UsageError for a grammar of boxes where answers have none."""
        if not settings.grammar:
            return
        if not getattr(self.dialect, "spells_boxes", False):
            raise UsageError(
                f"grammar is True, but this model of system {self.name!r} writes no boxes; leave it out"
            )
        _ = self.box_tokens

    def reader(self, prompt: Prompt, settings: Settings) -> SplicedReader:
        """Return what reads an answer.

        The dialect doesn't say which of several pictures a box is in: it is taken to be in the last one.
        """
        frame = prompt.encoded[-1].original if prompt.encoded else None
        return SplicedReader(self.codec, self.dialect.reader(), settings, ends=self.ends, frame=frame)

    def faults(self, completion: Completion) -> list[str]:
        """Return what doesn't add up: a log-probability for each token."""
        given, wanted = len(completion.logprobs), len(completion.ids)
        return [] if given == wanted else [f"{wanted} tokens came with {given} likelihoods; expected equal"]

    def write_dialogue(self, dialogue: Dialogue) -> Prompt:
        """Return a dialogue about an original picture; its answers are learnt unless it says otherwise.

        The picture comes with the first question, a turn's own pictures with that turn.
        """
        return self.written(dialogue, self.dialect)

    def written(self, dialogue: Dialogue, dialect: Dialect) -> Prompt:
        """Return the same in a dialect."""
        first = [1, *[0] * len(dialogue.turns)]
        shown = [own + len(turn.pictures) for own, turn in zip(first, dialogue.turns, strict=False)]
        turns, found = exchanges(
            dialogue.turns,
            dialect=dialect,
            specials=self.specials,
            request=self.request,
            variant="train",
            shown=shown,
        )
        learnt = supervised(turns, self.template, self.codec)
        labels = learnt.labels if dialogue.words_learnt else (IGNORED,) * len(learnt.ids)
        seen = tuple(region for region, one in found if one.pixels is not None)
        return Prompt(learnt.ids, labels, seen)

    def losses(self, dialogues: Sequence[Dialogue], picture: Picture) -> dict[str, Tensor]:
        """Return the losses of dialogues about a picture."""
        examples = [Example(picture.name, (picture,), (d,)) for d in dialogues if d.words_learnt]
        return SplicedObjective(self.network)(moved(self.collate()(examples), self.device))

    def collate(self) -> SplicedCollate:
        """Return what turns examples into batches for this network."""
        return SplicedCollate(
            codec=self.codec,
            template=self.template,
            specials=self.specials,
            dialect=self.dialect,
            preparation=self.preparation,
            sampling=self.sampling,
            max_text=self.network.config.max_text,
            request=self.request,
            marking=self.marking(),
        )

    def marking(self) -> Marking:
        """Return how regions are marked in training."""
        return Unmarked(self.dialect)

    def save(self, folder: str | Path) -> None:
        """Write config.json, safetensors, the tokenizer's files and generation_config.json."""
        save_system(self.network, self.codec, Path(folder))


def template_of(name: str) -> Template:
    """Return the template of that name; UsageError lists the known ones."""
    if name not in TEMPLATES:
        raise UsageError(f"there is no template {name!r}; known templates: {', '.join(TEMPLATES)}")
    return TEMPLATES[name]


def save_system(
    network: SplicedNetwork, codec: TextCodec, folder: Path, *, dtype: torch.dtype | None = None
) -> None:
    """Write a network with its tokenizer, in ``dtype`` if one is given, else as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    stored = network
    if dtype is not None:
        stored = copy.deepcopy(network)
        nn.Module.to(stored, dtype)
    with quiet_transformers():
        stored.save_pretrained(folder, max_shard_size="5GB")
    share_like(folder / "config.json")
    codec.save(folder)
