"""Pixels are normalised channel by channel, whatever stands before height and width."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from deixis.pictures.normalising import Normalisation, statistics

CLIP = Normalisation((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))


@pytest.mark.parametrize("shape", [(5, 4, 3), (2, 5, 4, 3), (0, 5, 4, 3)])
def test_the_same_as_step_by_step(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    expected = (pixels / 255.0 - np.array(CLIP.mean)) / np.array(CLIP.std)
    ours = CLIP.tensor(pixels)
    assert ours.dtype == torch.float32 and ours.is_contiguous()
    np.testing.assert_allclose(ours.numpy(), np.moveaxis(expected, -1, -3), atol=2e-6)


def test_the_scale_of_bytes_can_be_another() -> None:
    raw = statistics([0, 0, 0], [1, 1, 1], rescale=1)
    assert raw.tensor(np.full((1, 1, 3), 7, dtype=np.uint8)).flatten().tolist() == [7, 7, 7]


def test_the_callers_bytes_stay_as_they_are() -> None:
    pixels = np.full((2, 2, 3), 9, dtype=np.uint8)
    pixels.flags.writeable = False
    CLIP.tensor(pixels)
    assert (pixels == 9).all()


@pytest.mark.parametrize(("mean", "std"), [([0.5], [0.5]), ([0, 0, 0], [1, 0, 1]), ([0, 0, 0], [1, 1])])
def test_impossible_statistics(mean: list[float], std: list[float]) -> None:
    with pytest.raises(ValueError, match="three means"):
        statistics(mean, std)
