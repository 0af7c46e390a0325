"""The place map: shapes at every stride, boxes around their own locations."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.layers.places.place_map import (
    BOX_UNIT,
    STRIDE,
    PlaceMapper,
    boxes_from_distances,
    location_centres,
    resized_position,
)

CHANNELS = [16, 32, 80, 24]
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def same_numbers() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def mapper(*, side: int = 64, layers: int = 1) -> PlaceMapper:
    return PlaceMapper(CHANNELS, width=16, side=side, layers=layers)


def taps(batch: int, height: int, width: int) -> list[torch.Tensor]:
    """What a tower gives for pictures of height x width."""
    return [
        torch.randn(batch, channels, height // stride, width // stride)
        for channels, stride in zip(CHANNELS, (8, 16, 32, 32), strict=True)
    ]


# The position maps are learned for 64 x 64; pictures of other sizes get them resized.
@pytest.mark.parametrize(("height", "width"), [(64, 64), (96, 96), (32, 32), (64, 128)])
@pytest.mark.parametrize("layers", [0, 2])
def test_shapes(height: int, width: int, layers: int) -> None:
    places = mapper(layers=layers)(taps(3, height, width))
    rows, columns = height // STRIDE, width // STRIDE
    assert places.fine.shape == (3, 16, rows, columns)
    assert places.middle.shape == (3, 16, rows // 2, columns // 2)
    assert places.coarse.shape == (3, 16, rows // 4, columns // 4)
    assert places.keys.shape == (3, 16, rows * columns)
    assert places.boxes.shape == (3, rows * columns, 4)


def test_every_part_of_the_map_learns() -> None:
    network = mapper(layers=2)
    places = network(taps(2, 64, 64))
    (places.keys.square().mean() + places.boxes.square().mean()).backward()
    assert not [
        name for name, p in network.named_parameters() if p.grad is None or not p.grad.isfinite().all()
    ]


def test_pictures_of_a_batch_do_not_see_each_other() -> None:
    network, maps = mapper(layers=2).eval(), taps(3, 64, 64)
    together, alone = network(maps), network([tap[1:2] for tap in maps])
    for name in ("fine", "middle", "coarse", "keys", "boxes"):
        torch.testing.assert_close(getattr(together, name)[1:2], getattr(alone, name), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("depth", range(4))
def test_every_depth_of_the_tower_counts(depth: int) -> None:
    network, maps = mapper().eval(), taps(1, 64, 64)
    before = network(maps).keys
    maps[depth] = maps[depth] + torch.randn_like(maps[depth])
    assert not torch.allclose(before, network(maps).keys)


def test_locations_are_centres_of_cells_row_by_row() -> None:
    centres = location_centres(2, 3, device=CPU)
    assert centres.tolist() == [[4, 4], [12, 4], [20, 4], [4, 12], [12, 12], [20, 12]]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 9), st.floats(0, 40))
def test_a_box_contains_its_location(seed: int, height: int, width: int, spread: float) -> None:
    raw = torch.randn(2, 4, height, width, generator=torch.Generator().manual_seed(seed)) * spread
    boxes = boxes_from_distances(raw)
    centres = location_centres(height, width, device=CPU)
    assert boxes.shape == (2, height * width, 4) and boxes.isfinite().all()
    assert (boxes[..., :2] <= centres).all() and (boxes[..., 2:] >= centres).all()


def test_distances_are_left_top_right_bottom_of_each_location() -> None:
    raw = torch.zeros(1, 4, 2, 3)
    raw[0, :, 1, 2] = torch.tensor([1.0, 2.0, 3.0, 4.0])
    boxes = boxes_from_distances(raw)[0]
    left, top, right, bottom = (torch.nn.functional.softplus(raw[0, :, 1, 2]) * BOX_UNIT).tolist()
    assert boxes[5].tolist() == pytest.approx([20 - left, 12 - top, 20 + right, 12 + bottom])
    around = float(torch.nn.functional.softplus(torch.zeros(1))) * BOX_UNIT
    assert boxes[1].tolist() == pytest.approx([12 - around, 4 - around, 12 + around, 4 + around])


def test_boxes_are_read_in_full_precision() -> None:
    assert boxes_from_distances(torch.zeros(1, 4, 2, 2, dtype=torch.bfloat16)).dtype == torch.float32


def test_a_position_map_of_its_own_size_is_left_alone() -> None:
    table = torch.randn(1, 4, 3, 5)
    assert resized_position(table, 3, 5) is table
    assert resized_position(table, 6, 10).shape == (1, 4, 6, 10)
    flat = resized_position(torch.ones(1, 4, 3, 5), 7, 2)
    torch.testing.assert_close(flat, torch.ones(1, 4, 7, 2))
