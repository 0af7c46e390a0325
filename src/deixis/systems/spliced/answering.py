"""A system of the family: network, tokenizer, templates and dialect, behind the contract."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from deixis.answers.boxed_phrases import BoxedPhrase, WrittenBox, read_answer
from deixis.answers.grounded import Place, Span
from deixis.data.dialogue import Dialogue, Example
from deixis.errors import BadWeights, FrameMismatch, UsageError
from deixis.language.prompt_tokens import TextCodec, prompt_ids, text_and_places, tokens_over
from deixis.language.splicing import IGNORED, padded
from deixis.language.supervision import supervised
from deixis.language.templates import TEMPLATES, Template
from deixis.layers.picture_features import PictureFeatures
from deixis.pictures.opening import Picture
from deixis.regions.pixels import RegionPixels
from deixis.regions.shapes import Region
from deixis.systems.contract import Completion, Perception, Question, Reading, System, Written
from deixis.systems.quiet import quiet_transformers
from deixis.systems.spliced.collate import SplicedCollate
from deixis.systems.spliced.dialect import Dialect
from deixis.systems.spliced.network import SplicedNetwork
from deixis.systems.spliced.objective import SplicedObjective
from deixis.systems.spliced.preparation import Preparation
from deixis.systems.spliced.prompts import asked, exchanges, requesting, turn_of, with_picture
from deixis.systems.spliced.regions import RegionSampling


class SplicedSystem(System):
    """A decoder of ``transformers`` that reads pictures and regions as vectors between its words.

    A member says how pictures are prepared, how places are written (``dialect``), and which points a
    region's vector is made of (``sampling``). request: what is added to a question that asks for boxes.
    """

    looks_in_the_original = True  # points are drawn among the original's pixels

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
        self.codec = codec
        self.preparation = preparation
        self.template: Template = template_of(network.config.template)
        self.region_token = codec.region

    @property
    def specials(self) -> tuple[str, ...]:
        """The texts that act as tokens, in the tokenizer or the template."""
        return (*self.codec.specials, *self.template.marks)

    @property
    def ends(self) -> frozenset[int]:
        """The tokens that end an answer: the tokenizer's, and those that the configuration lists besides."""
        listed = self.network.config.eos_token_id
        more = listed if isinstance(listed, list) else [] if listed is None else [listed]
        return frozenset([self.codec.eos, *more])

    @torch.inference_mode()
    def perceive(self, picture: Picture, regions: Sequence[Region] = ()) -> Perception:
        """Encode the picture once."""
        view, prepared = self.preparation.view(picture)
        pixels = self.preparation.stack([prepared])
        return Perception(picture, view, self.network.encode_pictures(pixels))

    def write(self, question: Question, perception: Perception) -> Written:
        """Return the prompt, its regions in pixels of the original picture.

        UsageError for a prompt that is too long, FrameMismatch where an earlier answer is about another
        picture.
        """
        for answer in question.before:
            if answer.picture.frame != perception.picture.frame:
                raise FrameMismatch(
                    f"an earlier answer is about {answer.picture.frame}, the question about "
                    f"{perception.picture.frame}: different pictures. Give earlier answers about this one"
                )
        earlier = [turn_of(answer) for answer in question.before]
        before, found = exchanges(earlier, dialect=self.dialect, specials=self.specials, request=self.request)
        words = requesting(question.text, self.request)
        text, own = asked(words, dict(question.regions), dialect=self.dialect, specials=self.specials)
        turns = [*before, (with_picture(text, first=not before), None)]
        found += own
        ids = prompt_ids(self.template.render(turns), self.codec, regions=len(found))
        limit = self.network.config.max_text
        if self.network.longest is not None:  # for text and picture together; more would be cut off
            limit = min(limit, self.network.longest - len(perception.tensors.tokens[0]) + 1)
        if len(ids) > limit:
            raise UsageError(
                f"the question (with what was said before) has {len(ids)} tokens; at most {limit}"
            )
        return Written(tuple(ids), (IGNORED,) * len(ids), tuple(region for region, _ in found))

    @torch.inference_mode()
    def complete(
        self, perception: Perception, prompts: Sequence[Written], *, max_new_tokens: int
    ) -> list[Completion]:
        """Answer all prompts greedily, as one batch; with each token goes its log-likelihood."""
        features: PictureFeatures = perception.tensors
        network = self.network
        drawn = self.sampling.draw([[self.pixels(region) for prompt in prompts for region in prompt.regions]])
        vectors = network.encode_regions(features.maps, drawn) if len(drawn.pictures) else None
        counts = [len(prompt.regions) for prompt in prompts]
        regions = None if vectors is None else list(vectors.split(counts))
        rows = [torch.tensor(prompt.ids) for prompt in prompts]
        merged = network.embed(
            padded(rows, fill=self.codec.pad, side="left"),
            attention_mask=padded([torch.ones_like(row) for row in rows], fill=0, side="left"),
            pictures=[features.tokens[0]] * len(prompts),
            regions=regions,
            padding="left",
        )
        with quiet_transformers():
            output = network.generate(
                inputs_embeds=merged.embeds,
                attention_mask=merged.attention_mask,
                max_new_tokens=max_new_tokens,
                output_logits=True,
                return_dict_in_generate=True,
            )
        tokens = output.sequences  # (B, new)
        said = torch.stack(output.logits, dim=1).float().log_softmax(dim=-1)  # (B, new, V)
        sure = said.gather(-1, tokens[..., None])[..., 0]
        return [self.cut(row, own) for row, own in zip(tokens.tolist(), sure.tolist(), strict=True)]

    def pixels(self, region: Region) -> RegionPixels:
        """Return the pixels that a region's vector is made of."""
        pixels = self.dialect.write_region(region).pixels
        assert pixels is not None, "a region without a vector has no token"
        return pixels

    def cut(self, ids: Sequence[int], sure: Sequence[float]) -> Completion:
        """Return an answer up to its end token, without the padding behind it; BadWeights for no numbers."""
        end = next((place for place, token in enumerate(ids, start=1) if token in self.ends), len(ids))
        if not all(math.isfinite(one) for one in sure[:end]):
            raise BadWeights("what the network says of the next word is not finite; its weights are damaged")
        return Completion(tuple(ids[:end]), tuple(sure[:end]))

    def read(self, completion: Completion, perception: Perception) -> Reading:
        """Turn text into words and places, whose score is the likelihood of their numbers."""
        failures: list[str] = []
        body = list(completion.ids)
        if body and body[-1] in self.ends:
            body.pop()
        else:
            failures.append("the answer stopped before its end; raise max_new_tokens")
        strange = [token for token in body if not 0 <= token < len(self.codec) or token == self.codec.region]
        strange += [token for token in body if token in self.ends]
        if strange:
            failures.append(f"tokens that no answer has: {strange}")
            return Reading("", (), tuple(failures))
        if len(completion.places) != len(completion.ids):
            failures.append(
                f"{len(completion.ids)} tokens came with {len(completion.places)} likelihoods; expected equal"
            )
            return Reading(self.codec.decode(body), (), tuple(failures))
        written, ranges = text_and_places(body, self.codec)
        raw = read_answer(written)
        failures += raw.failures
        answer = raw.without_coordinates()
        spans = tuple(
            self.span(answer.text, phrase, ranges, completion.places, perception) for phrase in answer.phrases
        )
        return Reading(answer.text, spans, tuple(failures))

    def span(
        self,
        text: str,
        phrase: BoxedPhrase,
        ranges: list[tuple[int, int]],
        sure: Sequence[float],
        perception: Perception,
    ) -> Span:
        """Return the span of a phrase, its places in the original frame, the likeliest first."""
        places = [
            Place(box=one.box.clipped(perception.picture.frame), score=likelihood(one, ranges, sure))
            for one in phrase.boxes
        ]
        return Span(
            start=phrase.start,
            end=phrase.end,
            phrase=text[phrase.start : phrase.end],
            places=tuple(sorted(places, key=lambda place: -place.score)),
        )

    def write_dialogue(self, dialogue: Dialogue) -> Written:
        """Return a dialogue about an original picture; its answers are learnt unless it says otherwise."""
        turns, found = exchanges(
            dialogue.turns,
            dialect=self.dialect,
            specials=self.specials,
            request=self.request,
            variant="train",
        )
        learnt = supervised(turns, self.template, self.codec)
        labels = learnt.labels if dialogue.words_learnt else (IGNORED,) * len(learnt.ids)
        return Written(learnt.ids, labels, tuple(region for region, _ in found))

    def losses(self, dialogues: Sequence[Dialogue], picture: Picture) -> dict[str, Tensor]:
        """Return the losses of dialogues about a picture."""
        examples = [Example(picture.name, picture, (d,)) for d in dialogues if d.words_learnt]
        return SplicedObjective(self.network)(self.collate()(examples))

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
        )

    def save(self, folder: str | Path) -> None:
        """Write config.json, safetensors, the tokenizer's files and generation_config.json."""
        save_system(self.network, self.codec, Path(folder))


def template_of(name: str) -> Template:
    """Return the template of that name; UsageError lists the known ones."""
    if name not in TEMPLATES:
        raise UsageError(f"there is no template {name!r}; known templates: {', '.join(TEMPLATES)}")
    return TEMPLATES[name]


def likelihood(box: WrittenBox, ranges: list[tuple[int, int]], sure: Sequence[float]) -> float:
    """Return how likely the tokens were that wrote a box's numbers: their geometric mean, 0..1.

    ranges: the characters that each token wrote; sure: its log-likelihood.
    """
    tokens = sorted({token for start, end in box.numbers for token in tokens_over(ranges, start, end)})
    mean = sum(sure[token] for token in tokens) / max(len(tokens), 1)
    return min(float(torch.tensor(mean).exp()), 1.0)


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
    codec.save(folder)
