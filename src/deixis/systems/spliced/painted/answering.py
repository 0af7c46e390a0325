"""A system that paints regions on the picture before it looks, and speaks of the marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from deixis.painting.kinds import kind_of
from deixis.painting.painter import Style, style_of
from deixis.pictures.opening import Picture
from deixis.records.dialogue import Dialogue
from deixis.systems.encoded import Encoded, EncoderInput
from deixis.systems.prompt import Prompt
from deixis.systems.questions import Question
from deixis.systems.spliced.answering import SplicedSystem
from deixis.systems.spliced.dialect import Dialect
from deixis.systems.spliced.marking import Marking
from deixis.systems.spliced.network import SplicedNetwork
from deixis.systems.spliced.painted.dialect import PaintedDialect
from deixis.systems.spliced.painted.paint import Asked, Coat, Paint, TrainingPaint
from deixis.systems.spliced.preparation import Preparation
from deixis.systems.spliced.regions import NoSampling
from deixis.text.prompt_tokens import TextCodec


class PaintedSystem(SplicedSystem):
    """A member of the family without vectors of regions.

    spells_boxes: whether answers spell places. style: how regions are painted when nothing else is asked for.
    paint: how they are painted; another one may be set at any time.
    """

    paints = True

    def __init__(
        self,
        network: SplicedNetwork,
        codec: TextCodec,
        preparation: Preparation,
        *,
        spells_boxes: bool,
        style: Style,
    ) -> None:
        self.spells_boxes = spells_boxes
        dialect = PaintedDialect(spells_boxes=spells_boxes)
        super().__init__(network, codec, preparation, dialect=dialect, sampling=NoSampling())
        self.paint = Paint(style)
        self.region_token = None  # a tokenizer may have one; no prompt of such a system does

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
