"""Pictures and regions merged into text: nothing is shifted, nothing lost, padding where it was asked for."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from deixis.errors import BadPicture, BadRegion
from deixis.text.splicing import IGNORED, PICTURE_MARKER, Merged, Side, merge, splice

REGION = 9
TABLE = nn.Embedding(10, 2, _weight=torch.arange(20.0).reshape(10, 2))


def vectors(count: int, *, first: float) -> Tensor:
    """Vectors that say which they are."""
    return torch.stack([torch.arange(count) + first, torch.zeros(count)], dim=1)


def first_numbers(merged: Merged) -> list[list[float]]:
    return merged.embeds[..., 0].tolist()


def test_a_picture_grows_and_regions_take_their_places() -> None:
    ids = torch.tensor([[1, PICTURE_MARKER, REGION, 2, REGION]])
    labels = torch.tensor([[IGNORED, IGNORED, REGION, 2, 5]])
    merged = merge(
        ids,
        TABLE,
        pictures=[vectors(3, first=100)],
        slots={REGION: [vectors(2, first=200)]},
        labels=labels,
    )
    assert first_numbers(merged) == [[2, 100, 101, 102, 200, 4, 201]]
    assert merged.labels is not None
    assert merged.labels.tolist() == [[IGNORED, IGNORED, IGNORED, IGNORED, REGION, 2, 5]]
    assert merged.attention_mask.tolist() == [[1] * 7]


@pytest.mark.parametrize(
    ("side", "expected", "mask"),
    [
        ("right", [[2, 100, 101, 4], [6, 8, 0, 0]], [[1, 1, 1, 1], [1, 1, 0, 0]]),
        ("left", [[2, 100, 101, 4], [0, 0, 6, 8]], [[1, 1, 1, 1], [0, 0, 1, 1]]),
    ],
)
def test_rows_of_different_lengths(side: Side, expected: list[list[float]], mask: list[list[int]]) -> None:
    ids = torch.tensor([[1, PICTURE_MARKER, 2, 0], [3, 4, 0, 0]])
    given = torch.tensor([[1, 1, 1, 0], [1, 1, 0, 0]])
    pictures = [vectors(2, first=100), vectors(2, first=300)]  # the second is a placeholder
    merged = merge(ids, TABLE, pictures=pictures, attention_mask=given, labels=ids, padding=side)
    assert first_numbers(merged) == expected
    assert merged.attention_mask.tolist() == mask
    assert merged.labels is not None
    assert (merged.labels[merged.attention_mask == 0] == IGNORED).all()


def test_rows_are_cut_after_they_have_grown() -> None:
    ids = torch.tensor([[1, PICTURE_MARKER, 2, 3]])
    merged = merge(ids, TABLE, pictures=[vectors(3, first=100)], labels=ids, longest=5)
    assert first_numbers(merged) == [[2, 100, 101, 102, 4]]
    assert merged.labels is not None
    assert merged.labels.tolist() == [[1, IGNORED, IGNORED, IGNORED, 2]]


def test_padding_in_front_is_dropped_as_well() -> None:
    ids, mask = torch.tensor([[0, 0, 1, PICTURE_MARKER]]), torch.tensor([[0, 0, 1, 1]])
    merged = merge(ids, TABLE, pictures=[vectors(1, first=100)], attention_mask=mask)
    assert first_numbers(merged) == [[2, 100]]


@pytest.mark.parametrize("given", [0, 1, 3])
def test_every_region_token_stands_for_one_region(given: int) -> None:
    with pytest.raises(BadRegion, match="2 region tokens"):
        merge(torch.tensor([[REGION, REGION]]), TABLE, slots={REGION: [vectors(given, first=0)]})


def test_regions_of_one_row_never_fill_another() -> None:
    """The total fits, the rows don't."""
    ids = torch.tensor([[REGION, 1], [REGION, REGION]])
    with pytest.raises(BadRegion, match="row 0"):
        merge(ids, TABLE, slots={REGION: [vectors(2, first=0), vectors(1, first=0)]})


def test_every_marker_stands_for_one_picture() -> None:
    one, two = torch.tensor([[1, PICTURE_MARKER]]), torch.tensor([[PICTURE_MARKER, PICTURE_MARKER]])
    with pytest.raises(BadPicture, match="no picture came"):
        merge(one, TABLE)
    with pytest.raises(BadPicture, match="no picture came"):
        merge(one, TABLE, pictures=[None])
    with pytest.raises(BadPicture, match="2 picture markers, but 1 picture came"):
        merge(two, TABLE, pictures=[vectors(1, first=0)])
    with pytest.raises(BadPicture, match="1 picture marker, but 2 pictures came"):
        merge(one, TABLE, pictures=[[vectors(1, first=0)] * 2])
    with pytest.raises(BadPicture, match="row 1 of the batch has 2 picture markers, but no picture came"):
        merge(two.repeat(2, 1), TABLE, pictures=[[vectors(1, first=0)] * 2, []])
    with pytest.raises(ValueError, match="expected one each"):
        merge(one, TABLE, pictures=[])


def test_gradients_reach_words_pictures_and_regions() -> None:
    table = nn.Embedding(10, 2)
    picture, region = vectors(2, first=0).requires_grad_(), vectors(1, first=0).requires_grad_()
    ids = torch.tensor([[1, PICTURE_MARKER, REGION]])
    merge(ids, table, pictures=[picture], slots={REGION: [region]}).embeds.sum().backward()
    assert picture.grad is not None and (picture.grad == 1).all()
    assert region.grad is not None and (region.grad == 1).all()
    assert table.weight.grad is not None
    assert table.weight.grad.sum(dim=1).nonzero().flatten().tolist() == [1]


def test_rows_of_none_one_and_two_pictures() -> None:
    ids = torch.tensor([[1, 2, 0, 0], [PICTURE_MARKER, 3, PICTURE_MARKER, 4], [1, PICTURE_MARKER, 2, 0]])
    given = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 1], [1, 1, 1, 0]])
    shared = vectors(2, first=100)
    pictures = [[], [vectors(1, first=200), shared], [shared]]
    merged = merge(ids, TABLE, pictures=pictures, attention_mask=given, labels=ids)
    assert first_numbers(merged) == [[2, 4, 0, 0, 0], [200, 6, 100, 101, 8], [2, 100, 101, 4, 0]]
    assert merged.attention_mask.sum(dim=1).tolist() == [2, 5, 4]
    assert merged.labels is not None
    assert merged.labels[1].tolist() == [IGNORED, 3, IGNORED, IGNORED, 4]


def test_two_kinds_of_slots() -> None:
    """Each has its own vectors, in its own order, and its own count."""
    ids = torch.tensor([[REGION, 8, 1, REGION, 8], [8, 1, 1, 1, 1]])
    slots = {
        REGION: [vectors(2, first=100), None],
        8: [vectors(2, first=200), vectors(1, first=300)],
    }
    assert first_numbers(merge(ids, TABLE, slots=slots)) == [[100, 200, 2, 101, 201], [300, 2, 2, 2, 2]]
    with pytest.raises(BadRegion, match="row 1 of the batch has 1 region tokens and 0 regions"):
        merge(ids, TABLE, slots={**slots, 8: [vectors(2, first=200), None]})
    with pytest.raises(ValueError, match=r"1 entries of slot 8 for 2 rows of text; expected one each"):
        merge(ids, TABLE, slots={**slots, 8: [vectors(2, first=200)]})
    # A token that isn't a slot is a word like any other.
    assert first_numbers(merge(ids[1:], TABLE)) == [[16, 2, 2, 2, 2]]


ROW = st.lists(st.sampled_from([1, 2, 3, REGION]), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(ROW, st.lists(st.integers(0, 4), max_size=3)), min_size=1, max_size=4),
    left=st.booleans(),
)
def test_as_lists_would_be_merged(rows: list[tuple[list[int], list[int]]], left: bool) -> None:
    texts, pictures, regions, expected = [], [], [], []
    for number, (text, sizes) in enumerate(rows):
        ids = [text[0], *[PICTURE_MARKER] * len(sizes), *text[1:]]
        texts.append(ids)
        pictures.append([vectors(size, first=100 * number + 20 * at) for at, size in enumerate(sizes)])
        regions.append(vectors(text.count(REGION), first=1000 * (number + 1)))
        left_over = iter(regions[-1][:, 0].tolist())
        left_pictures = iter(pictures[-1])
        row: list[float] = []
        for token in ids:
            if token == PICTURE_MARKER:
                row += next(left_pictures)[:, 0].tolist()
            else:
                row.append(next(left_over) if token == REGION else TABLE.weight[token, 0].item())
        expected.append(row)
    longest = max(map(len, texts))
    merged = merge(
        torch.tensor([ids + [0] * (longest - len(ids)) for ids in texts]),
        TABLE,
        pictures=pictures,
        slots={REGION: regions},
        attention_mask=torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids in texts]),
        padding="left" if left else "right",
    )
    for row, own, mask in zip(expected, merged.embeds, merged.attention_mask, strict=True):
        assert own[mask.bool()][:, 0].tolist() == row
        edge = mask[: len(mask) - len(row)] if left else mask[len(row) :]
        assert not edge.any()


def test_splice_keeps_the_length_and_counts() -> None:
    ids = torch.tensor([[5, 2, 5]])
    spliced = splice(torch.zeros(1, 3, 1), ids, torch.tensor([[1.0], [4.0]]), token=5, what="region")
    assert spliced.flatten().tolist() == [1, 0, 4]
    with pytest.raises(ValueError, match="2 region tokens, but 1"):
        splice(torch.zeros(1, 3, 1), ids, torch.tensor([[1.0]]), token=5, what="region")
    with pytest.raises(ValueError, match="but 0"):
        splice(torch.zeros(1, 3, 1), ids, None, token=5, what="region")
