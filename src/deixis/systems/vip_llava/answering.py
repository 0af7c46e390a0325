"""The ViP-LLaVA system: regions are painted on the picture, and words say which mark means what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from deixis.painting.kinds import kind_of
from deixis.painting.painter import style_of
from deixis.pictures.opening import Picture
from deixis.records.dialogue import Dialogue
from deixis.systems.contract import Prompt
from deixis.systems.encoded import Encoded, EncoderInput
from deixis.systems.questions import Question
from deixis.systems.spliced.answering import SplicedSystem
from deixis.systems.spliced.dialect import Dialect
from deixis.systems.spliced.marking import Marking
from deixis.systems.spliced.network import SplicedNetwork
from deixis.systems.spliced.opening import open_member
from deixis.systems.spliced.preparation import SquareView
from deixis.systems.spliced.regions import NoSampling
from deixis.systems.vip_llava.dialect import PaintedDialect
from deixis.systems.vip_llava.model import VipLlavaNetwork
from deixis.systems.vip_llava.painting import Asked, Coat, Paint, TrainingPaint
from deixis.text.prompt_tokens import TextCodec


class VipLlavaSystem(SplicedSystem):
    """ViP-LLaVA (Cai et al., 2024). paint: how regions are painted; another one may be set at any time."""

    name = "vip_llava"
    paints = True

    def __init__(self, network: VipLlavaNetwork, codec: TextCodec) -> None:
        config = network.config
        self.spells_boxes = config.boxes != "none"
        super().__init__(
            network,
            codec,
            SquareView(config.side, network.tower.normalisation, config.aspect),
            dialect=PaintedDialect(spells_boxes=self.spells_boxes),
            sampling=NoSampling(),
        )
        self.paint = Paint(config.paint_style)
        self.region_token = None  # a tokenizer may have one; no prompt of this system does

    def encoder_inputs(self, question: Question) -> list[EncoderInput]:
        """Return each picture with the marks of all regions of the dialogue."""
        signs = self.paint.signs(asked_turns(question), question.pictures)
        coats = [self.paint.coat(picture, signs) for picture in question.pictures]
        return [
            EncoderInput(picture, () if coat is None else (coat,))
            for picture, coat in zip(question.pictures, coats, strict=True)
        ]

    def paint_as(self, *, kind: str | None = None, style: str | None = None) -> None:
        """Paint regions as one kind of mark, in a style, from now on; None leaves it as it is."""
        paint = self.paint
        self.paint = Paint(
            paint.style if style is None else style_of(style), paint.kind if kind is None else kind_of(kind)
        )

    def painted(self, one: EncoderInput) -> Picture:
        """Return a picture with its marks painted on it."""
        picture = one.picture
        for coat in one.painted:
            assert isinstance(coat, Coat)
            picture = coat.laid(picture)
        return picture

    def encode(self, inputs: Sequence[EncoderInput]) -> list[Encoded]:
        """Paint, and encode all pictures as one batch."""
        encoded = super().encode([EncoderInput(self.painted(one)) for one in inputs])
        return [replace(made, key=one.key) for made, one in zip(encoded, inputs, strict=True)]

    def dialect_for(self, question: Question) -> Dialect:
        """Return the words for the marks of a dialogue."""
        signs = self.paint.signs(asked_turns(question), question.pictures)
        return PaintedDialect(signs, self.spells_boxes)

    def write_dialogue(self, dialogue: Dialogue) -> Prompt:
        """Return a dialogue about a picture that is not at hand: the marks are those of training."""
        _, dialect = self.marking().marked(dialogue.turns, ())
        return self.written(dialogue, dialect)

    def marking(self) -> Marking:
        """Return how regions are painted in training."""
        return TrainingPaint(self.spells_boxes)


def asked_turns(question: Question) -> list[Asked]:
    """Return the questions of a dialogue with their regions, the last one last."""
    before = [(answer.question, answer.regions) for answer in question.before]
    return [*before, (question.text, question.regions)]


def vip_llava_system(network: SplicedNetwork, codec: TextCodec) -> VipLlavaSystem:
    """Return the system of a network and its tokenizer."""
    assert isinstance(network, VipLlavaNetwork)
    return VipLlavaSystem(network, codec)


def open_vip_llava(folder: Path, *, dtype: torch.dtype | None = torch.float32) -> VipLlavaSystem:
    """Return the system saved in ``folder``, in ``dtype``; None is the one that it is stored in."""
    return open_member(VipLlavaNetwork, folder, make=vip_llava_system, dtype=dtype)
