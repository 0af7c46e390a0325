"""Masks as COCO run lengths."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from deixis.errors import BadRegion
from deixis.regions.rle import compress, decode_runs, decompress, encode_runs
from tests.regions.naive import runs_of

masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12))


@settings(max_examples=150, deadline=None)
@given(masks)
def test_runs_are_those_of_a_plain_count(mask: np.ndarray) -> None:
    runs = encode_runs(mask)
    assert runs == runs_of(mask)
    assert np.array_equal(decode_runs(runs, height=mask.shape[0], width=mask.shape[1]), mask)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 2**31), min_size=1, max_size=20))
def test_the_packed_string_holds_any_runs(runs: list[int]) -> None:
    text = compress(runs)
    assert text.isascii() and all(48 <= ord(character) < 112 for character in text)
    assert decompress(text) == runs


@pytest.mark.parametrize(
    ("runs", "text"),
    [
        # Worked by hand: five bits a character, 32 for "more follows", 16 for the sign, plus 48.
        ([0, 4], "04"),
        ([15], "?"),
        ([16], "`0"),
        ([100], "T3"),
        ([5, 3, 2, 3], "5320"),
        ([5, 3, 2, 1], "532N"),
    ],
)
def test_known_strings(runs: list[int], text: str) -> None:
    assert compress(runs) == text
    assert decompress(text) == runs


@pytest.mark.parametrize(
    ("runs", "height", "width", "message"),
    [
        ([3, 2], 2, 2, "mask runs add up to 5, expected 2 x 2 = 4"),
        ([], 2, 2, "add up to 0"),
        ([-1, 5], 2, 2, "add up to 4, expected"),
        ([0], 0, 5, "a mask of 5 x 0 pixels is not usable"),
        ([1], -1, -1, "is not usable"),
        ([10**12], 10**6, 10**6, "at most 100,000,000 pixels"),
    ],
)
def test_runs_fill_the_mask_exactly(runs: list[int], height: int, width: int, message: str) -> None:
    with pytest.raises(BadRegion, match=message):
        decode_runs(runs, height=height, width=width)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("/", "is not a compressed COCO mask"),
        ("~", "is not a compressed COCO mask"),
        ("é", "is not a compressed COCO mask"),
        ("04P", "ends in the middle of a run"),
        ("o" * 20, "is not a compressed COCO mask"),
    ],
)
def test_a_damaged_string_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadRegion, match=message):
        decompress(text)
