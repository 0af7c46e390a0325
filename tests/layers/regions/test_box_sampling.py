"""What lies inside boxes on a feature map, against plain loops."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from deixis.layers.regions.box_sampling import SAMPLES, covered, mean_inside, samples_inside


@pytest.fixture(autouse=True)
def same_numbers() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


UNITS = torch.tensor(
    [
        [0.0, 0.0, 1.0, 1.0],
        [0.25, 0.125, 0.625, 0.875],
        [0.31, 0.47, 0.33, 0.9],
        [-0.4, 0.2, 0.3, 1.7],
        [0.5, 0.5, 0.5, 0.5],
        [1.2, 1.2, 1.5, 1.6],
    ]
)


def naive_sample(features: Tensor, x: float, y: float) -> Tensor:
    """Return the bilinear sample (D,) of features (D, H, W) at fractions of the side, zero outside."""
    height, width = features.shape[-2:]
    column, row, value = x * width - 0.5, y * height - 0.5, torch.zeros(len(features))
    for j in range(height):
        for i in range(width):
            value += features[:, j, i] * max(0, 1 - abs(column - i)) * max(0, 1 - abs(row - j))
    return value


def test_samples_are_those_of_a_loop_row_by_row() -> None:
    features = torch.randn(2, 3, 5, 7)
    found = samples_inside(features, UNITS.expand(2, -1, -1))
    assert found.shape == (2, len(UNITS), SAMPLES * SAMPLES * 3)
    steps = [(step + 0.5) / SAMPLES for step in range(SAMPLES)]
    for b in range(2):
        for number, (x0, y0, x1, y1) in enumerate(UNITS.tolist()):
            expected = [
                naive_sample(features[b], x0 + u * (x1 - x0), y0 + v * (y1 - y0))
                for v in steps
                for u in steps
            ]
            torch.testing.assert_close(found[b, number], torch.cat(expected), rtol=1e-4, atol=1e-4)


def naive_covered(low: float, high: float, cells: int) -> list[float]:
    return [max(0.0, min(high * cells, i + 1) - max(low * cells, i)) for i in range(cells)]


@pytest.mark.parametrize("cells", [1, 4, 7])
def test_covered_is_the_share_of_each_cell(cells: int) -> None:
    ends = [(0.0, 1.0), (0.25, 0.6), (0.3, 0.31), (-1.0, 0.2), (0.9, 3.0), (0.5, 0.5), (0.7, 0.2), (1.1, 1.4)]
    low, high = torch.tensor([ends]).unbind(dim=-1)
    found = covered(low, high, cells)
    assert found.shape == (1, len(ends), cells)
    for number, (start, end) in enumerate(ends):
        assert found[0, number].tolist() == pytest.approx(naive_covered(start, end, cells), abs=1e-5)


def test_means_are_those_of_a_loop() -> None:
    features = torch.randn(2, 3, 4, 6)
    found = mean_inside(features, UNITS.expand(2, -1, -1))
    for b in range(2):
        for number, (x0, y0, x1, y1) in enumerate(UNITS.tolist()):
            rows, columns = naive_covered(y0, y1, 4), naive_covered(x0, x1, 6)
            total, value = sum(rows) * sum(columns), torch.zeros(3)
            for j, high in enumerate(rows):
                for i, wide in enumerate(columns):
                    value += features[b, :, j, i] * high * wide
            expected = value / total if total else value  # nothing is seen beside the picture
            torch.testing.assert_close(found[b, number], expected, rtol=1e-4, atol=1e-5)


# What is said of them.
