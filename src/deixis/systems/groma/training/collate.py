"""Examples to batches: a picture a row, and everything that is said about it as one dialogue."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from deixis.data.groma.source import MarkedExample
from deixis.errors import RecordError
from deixis.pictures.opening import Picture
from deixis.records.dialogue import Example, Turn
from deixis.systems.groma.dialect import GromaTokens
from deixis.systems.groma.labels import supervised
from deixis.systems.groma.places import pointed_at, shares_of
from deixis.systems.groma.preparation import GromaPreparation, unit_boxes
from deixis.systems.groma.prompts import Written, written
from deixis.text.label_masking import Supervised
from deixis.text.prompt_tokens import TextCodec
from deixis.text.region_marks import GROUND_BOX, REFER_BOX
from deixis.text.splicing import padded
from deixis.text.templates import Template
from deixis.text.token_sequence import IGNORED
from deixis.training.batches import Batch

LOG = logging.getLogger("deixis")


class GromaCollate:
    """Turns a list of examples into the batch that the objective takes; travels to loader workers."""

    def __init__(
        self,
        *,
        codec: TextCodec,
        template: Template,
        tokens: GromaTokens,
        specials: Sequence[str],
        preparation: GromaPreparation,
        max_text: int,
        mask_side: int | None = None,
    ) -> None:
        self.codec, self.template, self.tokens = codec, template, tokens
        self.specials, self.preparation, self.max_text = tuple(specials), preparation, max_text
        self.mask_side = mask_side

    def __call__(self, examples: Sequence[Example | MarkedExample]) -> Batch:
        """Return input_ids, labels and attention_mask (B, T), pixel_values (B, 3, S, S), and boxes.

        refer_boxes, ground_boxes (n, 4): of all rows; refer_counts, ground_counts: how many each row has.
        refer_shares (n, s, s): how much of each bin of a box what is pointed at fills; only where some of it
        are masks, and the network pools them.
        """
        rows = [self.conversation(example) for example in examples]
        pictures = [example.picture for example in examples]
        refer = [pointed_at(own.refer, one) for (own, _), one in zip(rows, pictures, strict=True)]
        ground = [unit_boxes(own.ground, one) for (own, _), one in zip(rows, pictures, strict=True)]
        pairs = zip(rows, pictures, strict=True)
        shares = [shares_of(own.refer, one, side=self.mask_side) for (own, _), one in pairs]
        ids = [torch.tensor(learnt.ids) for _, learnt in rows]
        labels = [torch.tensor(learnt.labels) for _, learnt in rows]
        prepared = [self.preparation_of(one).view(one.picture)[1] for one in examples]
        return {
            "names": [example.name for example in examples],
            "pixel_values": self.preparation.stack(prepared),
            "input_ids": padded(ids, fill=self.tokens.pad, side="right"),
            "attention_mask": padded([torch.ones_like(row) for row in ids], fill=0, side="right"),
            "labels": padded(labels, fill=IGNORED, side="right"),
            "refer_boxes": torch.cat(refer),
            "refer_counts": [len(own) for own in refer],
            "ground_boxes": torch.cat(ground),
            "ground_counts": [len(own) for own in ground],
            **self.joined(shares, counts=[len(own) for own in refer]),
        }

    def joined(self, shares: Sequence[torch.Tensor | None], *, counts: Sequence[int]) -> Batch:
        """Return "refer_shares" of all rows; nothing where all regions are boxes."""
        if self.mask_side is None or all(own is None for own in shares):
            return {}
        whole = [
            torch.ones(count, self.mask_side, self.mask_side) if own is None else own
            for own, count in zip(shares, counts, strict=True)
        ]
        return {"refer_shares": torch.cat(whole)}

    def preparation_of(self, example: Example | MarkedExample) -> GromaPreparation:
        """Return how an example's picture is resized; Groma's data sets each have a way of their own."""
        if isinstance(example, MarkedExample):
            return replace(self.preparation, route="pillow" if example.by_pillow else "opencv")
        return self.preparation

    def conversation(self, example: Example | MarkedExample) -> tuple[Written, Supervised]:
        """Return the turns about a picture, dialogue by dialogue in an order of its own, as many as fit.

        RecordError: a single turn is too long.
        """
        if isinstance(example, MarkedExample):
            return self.fitting(Written(example.turns, example.refer, example.ground), example.name)
        dialogues = [one for one in example.dialogues if one.words_learnt]
        rng = np.random.default_rng(zlib.crc32(repr([d.turns[0].answer for d in dialogues]).encode()))
        turns = [turn for number in rng.permutation(len(dialogues)) for turn in dialogues[number].turns]
        while True:
            try:
                return self.learnt([sound(turn, example.picture) for turn in turns], example.name)
            except RecordError:
                if len(turns) <= 1:
                    raise
                turns = turns[: len(turns) // 2]

    def fitting(self, marked: Written, name: str) -> tuple[Written, Supervised]:
        """Return a dialogue of Groma's data sets, without its last turns where it is too long."""
        while True:
            try:
                return marked, self.ids_of(marked, name)
            except RecordError:
                if len(marked.turns) <= 1:
                    raise
                marked = without_last(marked)

    def learnt(self, turns: Sequence[Turn], name: str) -> tuple[Written, Supervised]:
        """Return turns as texts with marks, and as ids with labels."""
        own = written(turns, specials=self.specials)
        return own, self.ids_of(own, name)

    def ids_of(self, own: Written, name: str) -> Supervised:
        """Return texts with marks as ids with labels."""
        return supervised(
            own.turns,
            template=self.template,
            codec=self.codec,
            tokens=self.tokens,
            longest=self.max_text,
            name=name,
        )


def without_last(marked: Written) -> Written:
    """Return a dialogue without its last turn and the boxes that stand behind the marks of that.

    >>> from deixis.regions.shapes import Box
    >>> without_last(Written((("a", "b"), ("c", "<roi><ground_box></roi>")), (), (Box(0, 0, 1, 1),)))
    Written(turns=(('a', 'b'),), refer=(), ground=())
    """
    last = "".join(part or "" for part in marked.turns[-1])
    refer, ground = (last.count(mark) for mark in (REFER_BOX, GROUND_BOX))
    return Written(
        marked.turns[:-1],
        marked.refer[: len(marked.refer) - refer],
        marked.ground[: len(marked.ground) - ground],
    )


def sound(turn: Turn, picture: Picture) -> Turn:
    """Return a turn without boxes that have no width or height; the log says how many there were."""
    kept = tuple(
        type(mark)(
            mark.start, mark.end, tuple(box for box in mark.boxes if box.x1 > box.x0 and box.y1 > box.y0)
        )
        for mark in turn.marks
    )
    dropped = sum(len(mark.boxes) for mark in turn.marks) - sum(len(mark.boxes) for mark in kept)
    if not dropped:
        return turn
    LOG.warning("%s: %d boxes without any width or height are left out", picture.name, dropped)
    left = [mark for mark, before in zip(kept, turn.marks, strict=True) if mark.boxes or not before.boxes]
    return Turn(turn.question, turn.answer, tuple(left), turn.regions)
