"""Examples to tensors: one row a picture, all of its dialogues behind it, padded to the longest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from deixis.records.dialogue import Example
from deixis.regions.shapes import Box, Region
from deixis.systems.pointer.options import PointerOptions
from deixis.systems.pointer.prompts import dialogue_tokens
from deixis.systems.pointer.region_inputs import region_tensors
from deixis.text.packing import PADDING_SEGMENT, PICTURE_SEGMENT
from deixis.text.token_sequence import IGNORED, TokenSequence
from deixis.text.tokenizers.word_pieces.vocabulary import PAD, PICTURE, PLACE, Vocabulary


@dataclass(frozen=True)
class RowLayout:
    """One row of a batch before padding."""

    ids: list[int]
    labels: list[int]
    segments: list[int]
    positions: list[int]
    regions: list[Region]
    region_names: list[str | None]
    places: list[tuple[str, tuple[Box, ...]]]


def lay_out(dialogues: Sequence[TokenSequence], picture_tokens: int) -> RowLayout:
    """Put a picture's dialogues behind its tokens; every dialogue's positions start after the picture."""
    ids, labels = [PICTURE.id] * picture_tokens, [IGNORED] * picture_tokens
    segments, positions = [PICTURE_SEGMENT] * picture_tokens, list(range(picture_tokens))
    regions: list[Region] = []
    region_names: list[str | None] = []
    places: list[tuple[str, tuple[Box, ...]]] = []
    for number, tokens in enumerate(dialogues, start=1):
        ids += tokens.ids
        labels += tokens.labels
        segments += [number] * len(tokens.ids)
        positions += range(picture_tokens, picture_tokens + len(tokens.ids))
        regions += tokens.regions
        region_names += tokens.region_names
        places += tokens.places
    return RowLayout(ids, labels, segments, positions, regions, region_names, places)


class PointerCollate:
    """Turns a list of examples into the batch that the objective takes; travels to loader workers."""

    def __init__(
        self, config: PointerOptions, vocabulary: Vocabulary, *, phrase_rows: Mapping[str, int]
    ) -> None:
        self.config = config
        self.vocabulary = vocabulary
        self.phrase_rows = phrase_rows

    def __call__(self, examples: Sequence[Example]) -> dict[str, Any]:
        """Return padded tensors; see PointerObjective.forward for the shapes."""
        tokens = self.config.picture_tokens
        rows = [
            lay_out(
                [
                    dialogue_tokens(dialogue, self.vocabulary, most_found=self.config.most_found)
                    for dialogue in example.dialogues
                ],
                tokens,
            )
            for example in examples
        ]
        pixels = np.stack([example.picture.pixels for example in examples])
        batch: dict[str, Any] = {
            "names": [example.name for example in examples],
            "pixel_values": torch.from_numpy(pixels).permute(0, 3, 1, 2),
            "input_ids": padded([row.ids for row in rows], PAD.id),
            "labels": padded([row.labels for row in rows], IGNORED),
            "segments": padded([row.segments for row in rows], PADDING_SEGMENT),
            "position_ids": padded([row.positions for row in rows], 0),
        }
        batch |= region_tensors([row.regions for row in rows], self.config)
        rows_of_names = [
            [self.phrase_rows.get(name, -1) if name else -1 for name in row.region_names] for row in rows
        ]
        batch["region_phrases"] = padded(rows_of_names, -1)
        return batch | self.place_tensors(rows)

    def place_tensors(self, rows: Sequence[RowLayout]) -> dict[str, Tensor]:
        """Return where the place tokens stand (B, P), their phrase rows (B, P) and boxes (B, P, M, 4)."""
        most = max((len(row.places) for row in rows), default=0)
        boxes_most = max((len(boxes) for row in rows for _, boxes in row.places), default=0)
        slots = torch.zeros(len(rows), most, dtype=torch.long)
        present = torch.zeros(len(rows), most, dtype=torch.bool)
        phrases = torch.full((len(rows), most), -1)
        targets = torch.zeros(len(rows), most, max(boxes_most, 1), 4)
        counts = torch.zeros(len(rows), most, dtype=torch.long)
        for b, row in enumerate(rows):
            found = [slot for slot, token in enumerate(row.ids) if token == PLACE.id]
            for p, (slot, (phrase, boxes)) in enumerate(zip(found, row.places, strict=True)):
                slots[b, p], present[b, p], counts[b, p] = slot, True, len(boxes)
                phrases[b, p] = self.phrase_rows.get(phrase, -1)
                for m, box in enumerate(boxes):
                    targets[b, p, m] = torch.tensor(box.as_tuple())
        return {
            "place_slots": slots,
            "place_present": present,
            "place_phrases": phrases,
            "place_boxes": targets,
            "place_counts": counts,
        }


def padded(rows: Sequence[Sequence[int]], value: int) -> Tensor:
    """Return the rows as one tensor (B, longest), padded on the right."""
    longest = max(len(row) for row in rows)
    return torch.tensor([[*row, *[value] * (longest - len(row))] for row in rows], dtype=torch.long)
