"""Evaluation shows pictures upright, and means what a dataset meant by its boxes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from deixis.answers.grounded import Answer
from deixis.data.opening import upright_scenes
from deixis.data.sources import read_scenes
from deixis.errors import RecordError
from deixis.evaluation.evaluating import evaluate
from deixis.evaluation.runner import picture_of
from deixis.evaluation.tasks import TASKS
from deixis.pictures.opening import Picture
from deixis.regions.shapes import Box, Region
from tests.data.turned import write_pack
from tests.evaluation.answering import Fake, located


class FindsRed(Fake):
    """Answers with the box round what is red."""

    def answer(self, picture: Picture, question: str, regions: Mapping[str, Region]) -> Answer:
        red = np.argwhere((picture.pixels[..., 0] > 150) & (picture.pixels[..., 1] < 90))
        (y0, x0), (y1, x1) = red.min(axis=0), red.max(axis=0) + 1
        return located(picture, [Box(int(x0), int(y0), int(x1), int(y1), frame=picture.frame)])


@pytest.mark.parametrize("size", [(64, 40), (64, 64)])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_is_found_upright_is_right(tmp_path: Path, orientation: int, size: tuple[int, int]) -> None:
    scenes = read_scenes(write_pack(tmp_path, orientation, size=size), "train")
    report = evaluate(FindsRed(), scenes, [TASKS["grounding"]], data="toy", split="train")
    assert report.tasks["grounding"].value == 1


def test_scenes_that_were_not_carried_are_not_asked_about(tmp_path: Path) -> None:
    (scene,) = read_scenes(write_pack(tmp_path, 3), "train")
    with pytest.raises(RecordError, match=r"picture a\.jpg is turned by its EXIF orientation"):
        picture_of(scene)
    assert picture_of(upright_scenes([scene])[0]).width == 64
