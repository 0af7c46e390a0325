"""Checks of our own ground: resizing in both orders of passes, and COCO's run lengths."""

from __future__ import annotations

import numpy as np
import torch

from deixis.pictures import open_picture, resize
from deixis.regions import Mask, rle
from tests.parity.case import Case
from tests.parity.planning import Check, Family


def check_resize(case: Case) -> None:
    """A picture resized in the stated order, bit for bit."""
    picture = open_picture(case.input("picture").numpy())
    resized = resize(picture, case.given("width"), case.given("height"), order=case.acceptance.resize)
    case.output("resized", torch.from_numpy(resized.pixels.copy()))
    case.expect("scale", ours=resized.frame.scale)


def check_coco_rle(case: Case) -> None:
    """Masks to run lengths and COCO's string, and back."""
    for row in case.rows("masks"):
        drawn = np.array([[pixel == "#" for pixel in line] for line in row.given("drawn")])
        runs = rle.encode_runs(drawn)
        row.expect("runs", ours=runs)
        row.expect("string", ours=rle.compress(runs))
        assert rle.decompress(rle.compress(runs)) == runs
        assert np.array_equal(rle.decode_runs(runs, height=drawn.shape[0], width=drawn.shape[1]), drawn)
        if drawn.any():
            mask = Mask.from_coco({"size": list(drawn.shape), "counts": rle.compress(runs)})
            row.expect("area", ours=mask.area)
        else:
            row.expect("area", ours=0)


FAMILY = Family(
    checks={
        "resize": Check(check_resize, given=("width", "height")),
        "coco_rle": Check(check_coco_rle, given=("masks/*/drawn",)),
    }
)
