"""Examples to tensors: dialogues behind one picture, padding, regions and places in their slots."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from deixis.records.dialogue import Dialogue, Example, Mark, Turn
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box, Point
from deixis.systems.pointer.prompts import dialogue_tokens
from deixis.systems.pointer.region_inputs import region_geometry, region_tensors
from deixis.systems.pointer.training.collate import (
    PointerCollate,
    lay_out,
    padded,
)
from deixis.text.packing import PADDING_SEGMENT, PICTURE_SEGMENT
from deixis.text.token_sequence import IGNORED
from deixis.text.tokenizers.word_pieces.vocabulary import PAD, PICTURE, PLACE, REGION
from tests.systems.pointer.tiny import SIDE, noise_picture, tiny_dialogues, tiny_network, tiny_vocabulary

VOCABULARY = tiny_vocabulary()
CONFIG = tiny_network().config
TOKENS = CONFIG.picture_tokens
CELLS = SIDE // 8


def example(*dialogues: Dialogue, seed: int = 0) -> Example:
    return Example(f"example {seed}", noise_picture(SIDE, SIDE, seed=seed), dialogues)


def collated(*examples: Example, rows: dict[str, int] | None = None) -> dict[str, torch.Tensor]:
    batch = PointerCollate(CONFIG, VOCABULARY, phrase_rows=rows or {})(examples)
    return {name: value for name, value in batch.items() if isinstance(value, torch.Tensor)}


FRAME = noise_picture(SIDE, SIDE).frame
ALL = tiny_dialogues(FRAME)
BOX = Box(8, 16, 40, 64, frame=FRAME)


def test_every_dialogue_starts_behind_the_picture() -> None:
    sequences = [dialogue_tokens(dialogue, VOCABULARY) for dialogue in ALL[:3]]
    row = lay_out(sequences, 4)
    assert row.ids == [PICTURE.id] * 4 + [token for tokens in sequences for token in tokens.ids]
    assert row.labels[:4] == [IGNORED] * 4
    lengths = [len(tokens.ids) for tokens in sequences]
    assert row.segments == [PICTURE_SEGMENT] * 4 + [
        number for number, length in enumerate(lengths, start=1) for _ in range(length)
    ]
    assert row.positions == [0, 1, 2, 3] + [4 + step for length in lengths for step in range(length)]
    assert row.regions == [region for tokens in sequences for region in tokens.regions]
    assert row.region_names == ["a dog", "a cat", "a hat"]


def test_a_batch_of_all_kinds() -> None:
    batch = collated(example(*ALL), example(ALL[0], seed=1), example(seed=2))
    rows, length = batch["input_ids"].shape
    assert rows == 3
    for name in ("labels", "segments", "position_ids"):
        assert batch[name].shape == (rows, length)
    assert batch["pixel_values"].shape == (3, 3, SIDE, SIDE) and batch["pixel_values"].dtype == torch.uint8
    assert (batch["input_ids"][2, TOKENS:] == PAD.id).all()
    assert (batch["segments"][2, TOKENS:] == PADDING_SEGMENT).all()
    assert (batch["labels"][batch["segments"] <= PICTURE_SEGMENT] == IGNORED).all()
    tokens = (batch["input_ids"] == REGION.id).sum(dim=1)
    assert torch.equal(tokens, batch["region_present"].sum(dim=1))
    assert torch.equal((batch["input_ids"] == PLACE.id).sum(dim=1), batch["place_present"].sum(dim=1))
    sums = batch["region_masks"].sum(dim=(-2, -1))
    assert torch.allclose(sums, batch["region_present"].float(), atol=1e-5)
    slots = batch["input_ids"].gather(1, batch["place_slots"])
    assert (slots[batch["place_present"]] == PLACE.id).all()


def test_pixels_are_channels_first() -> None:
    batch = collated(example(ALL[0]))
    expected = noise_picture(SIDE, SIDE).pixels
    assert np.array_equal(batch["pixel_values"][0].permute(1, 2, 0).numpy(), expected)


def test_places_have_their_boxes_counts_and_phrases() -> None:
    second = Box(1, 2, 3, 4, frame=FRAME)
    answer = Turn(
        "", "a Dog, a cat, a hat", (Mark(0, 5, (BOX, second)), Mark(7, 12, ()), Mark(14, 19, (second,)))
    )
    batch = collated(example(Dialogue("any", (answer,))), example(ALL[0]), rows={"a dog": 7, "a hat": 3})
    assert batch["place_counts"].tolist() == [[2, 0, 1], [0, 0, 0]]
    assert batch["place_present"].tolist() == [[True] * 3, [False] * 3]
    assert batch["place_phrases"].tolist() == [[7, -1, 3], [-1, -1, -1]]
    assert batch["place_boxes"].shape == (2, 3, 2, 4)
    assert batch["place_boxes"][0, 0].tolist() == [[8, 16, 40, 64], [1, 2, 3, 4]]
    assert batch["place_boxes"][0, 2].tolist() == [[1, 2, 3, 4], [0, 0, 0, 0]]


def test_regions_have_the_rows_of_what_they_are_called() -> None:
    rows = {"a dog": 4, "a hat": 2, "": 9}
    batch = collated(example(*ALL), example(seed=1), example(ALL[2], ALL[1], seed=2), rows=rows)
    # Of all kinds: five named ones, a bare one, a described one, two in the first of two turns.
    assert batch["region_phrases"][0].tolist() == [4, -1, 2, -1, 4, -1, -1, -1, -1]
    assert batch["region_phrases"][1].tolist() == [-1] * 9
    assert batch["region_phrases"][2].tolist() == [2, -1] + [-1] * 7
    assert batch["region_phrases"].shape == batch["region_present"].shape


def test_without_any_region_or_place() -> None:
    batch = collated(example(Dialogue("caption", (Turn("describe.", "a dog."),))))
    assert batch["region_masks"].shape == (1, 0, CELLS, CELLS)
    assert batch["region_phrases"].shape == (1, 0) and batch["region_phrases"].dtype == torch.long
    assert batch["place_slots"].shape == (1, 0) and batch["place_boxes"].shape == (1, 0, 1, 4)


def test_a_region_is_a_distribution_over_the_cells_and_coarse_numbers() -> None:
    tensors = region_tensors([[BOX], []], CONFIG)
    covered = tensors["region_masks"][0, 0] > 0
    assert covered[2:, 1:5].all() and covered.sum() == 6 * 4  # rows 16 to 64, columns 8 to 40 of stride 8
    assert tensors["region_geometry"][0, 0].tolist() == [0.125, 0.25, 0.625, 1, 0.375, 0.625, 0.5, 0.75]
    assert tensors["region_present"].tolist() == [[True], [False]]


def test_geometry_of_a_point_is_its_place() -> None:
    values = region_geometry(Point(16, 32, frame=Frame.original(64, 64)), side=64)
    assert values[4:6] == pytest.approx([0.25, 0.5])
    assert values[6:] == pytest.approx([0.001, 0.001])


def test_padding_is_on_the_right() -> None:
    assert padded([[1, 2], [3], []], 9).tolist() == [[1, 2], [3, 9], [9, 9]]
