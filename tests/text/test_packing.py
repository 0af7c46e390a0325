"""Packed attention: the picture is seen by all, a dialogue by itself alone, padding by nobody."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from deixis.text.packing import PADDING_SEGMENT, PICTURE_SEGMENT, additive, packed_attention


def seen(segments: list[int]) -> list[list[bool]]:
    mask = packed_attention(torch.tensor([segments]), dtype=torch.float32)
    return mask[0, 0].gt(-100).tolist()


@given(pictures=st.integers(0, 4), lengths=st.lists(st.integers(1, 4), max_size=4), padding=st.integers(0, 3))
def test_who_sees_whom(pictures: int, lengths: list[int], padding: int) -> None:
    dialogues = [number for number, length in enumerate(lengths, start=1) for _ in range(length)]
    segments = [PICTURE_SEGMENT] * pictures + dialogues + [PADDING_SEGMENT] * padding
    if not segments:
        return
    for row, line in enumerate(seen(segments)):
        for column, visible in enumerate(line):
            of_row, of_column = segments[row], segments[column]
            if of_row == PADDING_SEGMENT:
                assert visible == (of_column == PADDING_SEGMENT and column <= row)
            elif of_column == PICTURE_SEGMENT:
                assert visible
            else:
                assert visible == (of_row == of_column and column <= row)


def test_a_dialogue_sees_the_same_whether_packed_or_alone() -> None:
    packed = seen([0, 0, 1, 1, 2, 2, -1])
    alone = seen([0, 0, 1, 1])
    rows = [packed[row] for row in (0, 1, 4, 5)]
    assert [[line[column] for column in (0, 1, 4, 5)] for line in rows] == alone


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_every_row_keeps_a_finite_softmax(dtype: torch.dtype) -> None:
    mask = packed_attention(torch.tensor([[0, 1, 2, -1], [0, 0, 1, 1]]), dtype=dtype)
    assert mask.shape == (2, 1, 4, 4) and mask.dtype == dtype
    assert torch.isfinite(mask.float()).all() and torch.isfinite(mask.float().softmax(-1)).all()


def test_additive_is_the_weight_where_seen() -> None:
    values = additive(torch.tensor([True, False]), torch.tensor([-2.0, -2.0]), dtype=torch.float32)
    assert values.tolist() == [-2.0, torch.finfo(torch.float32).min]


def test_the_whole_picture_weighs_as_much_as_one_word() -> None:
    mask = packed_attention(torch.tensor([[0, 0, 0, 0, 1]]), dtype=torch.float32)[0, 0]
    shares = mask.softmax(dim=-1)
    assert shares[4, :4].sum().item() == pytest.approx(shares[4, 4].item())
    assert mask[0, :4].tolist() == [0.0] * 4
