"""Pictures as one square each, with the frame that leads back."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch

from deixis.pictures.normalising import Normalisation
from deixis.regions.shapes import Box
from deixis.systems.spliced.preparation import SquarePreparation
from tests.systems.pointer.tiny import noise_picture

PLAIN = Normalisation((0.5, 0.4, 0.3), (0.2, 0.3, 0.4))
SQUARES = SquarePreparation(28, PLAIN)


@pytest.mark.parametrize(("width", "height"), [(96, 64), (10, 300), (28, 28), (1, 1)])
def test_a_picture_is_squashed_to_a_square(width: int, height: int) -> None:
    picture = noise_picture(width, height)
    view, pixels = SQUARES.view(picture)
    assert pixels.shape == (3, 28, 28) and pixels.isfinite().all()
    assert view.frame.root == picture.frame
    whole = Box(0, 0, width, height, frame=picture.frame)
    assert whole.to(view.frame).as_tuple() == pytest.approx((0, 0, 28, 28))


def test_a_view_is_not_resized_twice() -> None:
    picture = noise_picture(28, 28)
    view, pixels = SQUARES.view(picture)
    assert np.array_equal(view.pixels, picture.pixels)
    assert torch.equal(pixels, PLAIN.tensor(picture.pixels))


def test_pictures_of_any_size_are_one_batch() -> None:
    prepared = [SQUARES.view(noise_picture(*size))[1] for size in ((96, 64), (30, 90))]
    batch = SQUARES.stack(prepared)
    assert batch.shape == (2, 3, 28, 28)
    assert torch.equal(batch[1], prepared[1])


def test_it_travels_to_other_processes() -> None:
    assert pickle.loads(pickle.dumps(SQUARES)) == SQUARES
