"""What the page shows of how an answer came about."""

from __future__ import annotations

import numpy as np

from deixis.answers.grounded import Place
from deixis.studio.looking import shown_look, veil
from deixis.systems.looks import Look
from tests.studio.answers import PICTURE, box


def test_a_veil_is_thin_where_it_was_looked_and_dark_beyond_the_map() -> None:
    shares = np.zeros((4, 6), np.float32)
    shares[1, 2] = 0.5
    look = Look("the dog", shares, (0.0, 0.0, 60.0, 40.0), nowhere=0.5)
    alpha = np.asarray(veil(look, PICTURE))[..., 3]
    assert alpha.shape == (40, 60)
    assert alpha[15, 25] < 40 and alpha[35, 55] == 225
    half = Look("the dog", np.full((4, 6), 0.02, np.float32), (30.0, 0.0, 90.0, 40.0), nowhere=0.5)
    alpha = np.asarray(veil(half, PICTURE))[..., 3]
    assert (alpha[:, 31:] == 0).all() and (alpha[:, :29] == 225).all()


def test_proposals_are_boxes() -> None:
    shown = shown_look(Look("", places=(Place(box(1, 2, 3, 4), 0.5),)), PICTURE)
    assert shown["boxes"] == [{"box": [1, 2, 3, 4], "score": 0.5}]
    assert shown["title"].startswith("1 places")
