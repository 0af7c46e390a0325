"""The study of captions: scores of each picture, and runs that can be compared."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis.data.scene import Caption, PictureFile, Scene
from deixis.errors import UsageError
from deixis.evaluation.report import TaskResult
from deixis.studies.captions import (
    QUESTION,
    CaptionRow,
    CaptionStudy,
    captioned,
    check_losses,
    with_captions,
)

TEXTS = {"1": "a dog runs on the grass", "2": "two men sit in a boat", "3": "a red bus stands there"}


@dataclass
class Says:
    """Says a text for each picture, by its width."""

    texts: dict[int, str]

    def ask(self, picture: Any, question: str, *, max_new_tokens: int) -> Any:
        assert question == QUESTION and max_new_tokens == 64
        return SimpleNamespace(text=self.texts[picture.width])


@pytest.fixture
def scenes(tmp_path: Path) -> list[Scene]:
    made = []
    for name, text in TEXTS.items():
        path, width = tmp_path / f"{name}.png", 10 * int(name)
        Image.new("RGB", (width, 8)).save(path)
        made.append(Scene(name, PictureFile(path), width, 8, (), (Caption(text), Caption(f"{text} now")), ()))
    return made


def row(unseen: list[float], scores: Any, *, run: str = "a") -> CaptionRow:
    naming = TaskResult(0.5, 4, (0.2, 0.8), 0, {}, {})
    return CaptionRow(run, "recipe", "w", 100, 1.5, np.array(unseen), scores, naming)


def test_a_caption_is_held_against_its_own_pictures_captions(scenes: list[Scene]) -> None:
    right = captioned(Says({10 * int(n): text for n, text in TEXTS.items()}), scenes, what="m")
    swapped = captioned(Says({10: TEXTS["2"], 20: "", 30: TEXTS["3"]}), scenes, what="m")
    assert right.pictures == ("1", "2", "3") and right.empty == 0 and swapped.empty == 1
    assert right.cider.min() > 300 and right.rouge_l.min() == pytest.approx(100)
    assert swapped.cider[2] == right.cider[2] and swapped.cider[1] == 0 and swapped.cider[0] < 100
    low, high = swapped.interval(swapped.cider)
    assert low < swapped.cider.mean() < high


def test_runs_side_by_side(scenes: list[Scene]) -> None:
    scores = captioned(Says(dict.fromkeys((10, 20, 30), "a dog")), scenes, what="m")
    rows = (row([2.0, 3.0], scores), replace(row([1.5, 2.4], scores, run="b"), step=None))
    check_losses(rows)
    study = CaptionStudy(rows, "d val")
    table = study.to_markdown()
    assert "| a | 100 | 1.50 | 2.500 |" in table and "| b | 100 | not known | 1.950 (-0.6" in table
    first = json.loads(study.to_json())["rows"][0]
    assert first["unseen"] == [2.0, 3.0] and first["captions"]["pictures"] == 3


@pytest.mark.parametrize("losses", [([], []), ([1.0], [1.0]), ([1.0, 2.0], [1.0, 2.0, 3.0])])
def test_losses_that_can_not_be_compared(
    losses: tuple[list[float], list[float]], scenes: list[Scene]
) -> None:
    scores = captioned(Says(dict.fromkeys((10, 20, 30), "a dog")), scenes, what="m")
    with pytest.raises(UsageError, match="a split of at least 16 pictures"):
        check_losses([row(one, scores) for one in losses])


def test_pictures_without_captions(scenes: list[Scene]) -> None:
    bare = replace(scenes[0], captions=())
    assert with_captions([bare, scenes[1]]) == [scenes[1]]
    with pytest.raises(UsageError, match="none of 1 pictures has a caption"):
        with_captions([bare])
