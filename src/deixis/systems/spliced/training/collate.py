"""Examples to batches for the family.

All dialogues about a picture are one conversation of many turns, as in the published training data: the
picture is read once for all of them.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import torch

from deixis.errors import RecordError
from deixis.pictures.opening import Picture
from deixis.records.dialogue import Example, Turn
from deixis.regions.pixels import RegionPixels
from deixis.regions.shapes import Region
from deixis.systems.spliced.dialect import Dialect
from deixis.systems.spliced.marking import Marking, Unmarked
from deixis.systems.spliced.preparation import Preparation
from deixis.systems.spliced.prompts import exchanges, located
from deixis.systems.spliced.regions import RegionSampling
from deixis.text.label_masking import Masking, supervised
from deixis.text.prompt_tokens import TextCodec
from deixis.text.splicing import padded
from deixis.text.templates import Template
from deixis.text.token_sequence import IGNORED
from deixis.training.batches import Batch


@dataclass(frozen=True)
class Conversation:
    """Everything about an example's pictures as ids and labels, and the regions of its region tokens.

    pictures: in the order of their markers. regions: with the number of the picture that each is in.
    """

    ids: tuple[int, ...]
    labels: tuple[int, ...]
    pictures: tuple[Picture, ...]
    regions: tuple[tuple[RegionPixels, int], ...]


class SplicedCollate:
    """Turns a list of examples into the batch that the objective takes."""

    def __init__(
        self,
        *,
        codec: TextCodec,
        template: Template,
        specials: Sequence[str],
        dialect: Dialect,
        preparation: Preparation,
        sampling: RegionSampling,
        max_text: int,
        request: str = "",
        strict_masking: Masking = "corrected",
        marking: Marking | None = None,
    ) -> None:
        self.codec, self.template, self.specials = codec, template, tuple(specials)
        self.preparation, self.sampling = preparation, sampling
        self.marking = Unmarked(dialect) if marking is None else marking
        self.max_text, self.request, self.strict_masking = max_text, request, strict_masking

    def __call__(self, examples: Sequence[Example]) -> Batch:
        """Return input_ids, labels and attention_mask (B, T), the pictures of all rows, and drawn regions.

        picture_counts: how many of the pictures each row has; pixel_values is None where there are none.
        """
        rows = [self.conversation(example) for example in examples]
        firsts = [0, *accumulate(len(row.pictures) for row in rows)]
        drawn = self.sampling.draw(
            [pixels for row in rows for pixels, _ in row.regions],
            [first + own for first, row in zip(firsts, rows, strict=False) for _, own in row.regions],
        )
        ids = [torch.tensor(row.ids) for row in rows]
        prepared = [self.preparation.view(picture)[1] for row in rows for picture in row.pictures]
        return {
            "names": [example.name for example in examples],
            "pixel_values": self.preparation.stack(prepared) if prepared else None,
            "picture_counts": [len(row.pictures) for row in rows],
            "input_ids": padded(ids, fill=self.codec.pad, side="right"),
            "attention_mask": padded([torch.ones_like(row) for row in ids], fill=0, side="right"),
            "labels": padded([torch.tensor(row.labels) for row in rows], fill=IGNORED, side="right"),
            "region_points": drawn.points,
            "region_pictures": drawn.pictures,
            "region_starts": drawn.starts,
        }

    def conversation(self, example: Example) -> Conversation:
        """Return the dialogues of an example one behind the other, in an order of its own, as many as fit.

        A single dialogue that is too long loses its last turns. RecordError: a single turn is too long.
        """
        dialogues = [d for d in example.dialogues if d.words_learnt]
        rng = np.random.default_rng(zlib.crc32(repr([d.turns[0].answer for d in dialogues]).encode()))
        parts = [dialogues[index].turns for index in rng.permutation(len(dialogues)).tolist()]
        if self.marking.most_regions is not None:
            parts = with_few_regions(parts, most=self.marking.most_regions)
        while True:
            kept = self.written([turn for turns in parts for turn in turns], example.pictures)
            if len(kept.ids) <= self.max_text:
                return kept
            if len(parts) == 1:
                parts = [(turn,) for turn in parts[0]]
            if len(parts) <= 1:
                raise RecordError(
                    f"a turn about {example.name} has {len(kept.ids)} tokens; at most {self.max_text}"
                )
            parts = parts[: len(parts) * self.max_text // len(kept.ids)] or parts[:1]

    def written(self, turns: Sequence[Turn], pictures: tuple[Picture, ...]) -> Conversation:
        """Return turns as ids and labels. pictures: those that come before the first question."""
        first = [len(pictures), *[0] * len(turns)]
        shown = [own + len(turn.pictures) for own, turn in zip(first, turns, strict=False)]
        every = (*pictures, *(picture for turn in turns for picture in turn.pictures))
        seen, dialect = self.marking.marked(turns, every)
        texts, found = exchanges(
            turns,
            dialect=dialect,
            specials=self.specials,
            request=self.request,
            variant="train",
            shown=shown,
        )
        learnt = supervised(
            texts, self.template, self.codec, strict_masking=self.strict_masking, picture=bool(every)
        )
        return Conversation(learnt.ids, learnt.labels, seen, located(found, every))


def with_few_regions(parts: Sequence[Sequence[Turn]], *, most: int) -> list[Sequence[Turn]]:
    """Return dialogues in their order without those that would bring too many regions; at least one."""
    kept: list[Sequence[Turn]] = []
    regions: set[Region] = set()
    for turns in parts:
        more = regions | {region for turn in turns for _, region in turn.regions}
        if not kept or len(more) <= most:
            kept.append(turns)
            regions = more
    return kept
