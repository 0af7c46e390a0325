"""Ablations take the evidence away and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deixis.data.scene import Scene
from deixis.data.sources.pack import read_pack
from deixis.errors import UsageError
from deixis.evaluation.ablations import (
    ABLATIONS,
    elsewhere,
    far_from,
    find_ablation,
    grey,
    share_of,
    shuffled,
)
from deixis.evaluation.evaluating import evaluate
from deixis.evaluation.tasks import TASKS, find_tasks
from deixis.pictures.opening import open_picture
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box, Mask, Region
from tests.evaluation.answering import Nowhere
from tests.toy.pack import write_toy_pack


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Scene]:
    return read_pack(write_toy_pack(tmp_path_factory.mktemp("toy"), pictures=12, shards=True), "val")


def test_a_grey_picture_keeps_its_size_and_frame() -> None:
    picture = open_picture(np.random.default_rng(0).integers(0, 256, (5, 9, 3), dtype=np.uint8))
    shown = grey(picture)
    assert shown.frame == picture.frame and shown.pixels.shape == picture.pixels.shape
    assert (shown.pixels == 128).all() and not (picture.pixels == 128).all()


@pytest.mark.parametrize("task", ["naming", "naming_scribble"])
def test_shuffled_items_keep_everything_but_their_regions(scenes: list[Scene], task: str) -> None:
    items = TASKS[task].items(scenes, 0)
    changed = shuffled(items, 0)
    own: dict[str, list[Region]] = {}
    for item in items:
        own.setdefault(item.picture, []).append(share_of(item.regions[0][1]))
    shares: list[Region] = []
    for before, after in zip(items, changed, strict=True):
        assert (after.picture, after.question, after.truth) == (before.picture, before.question, before.truth)
        (name, region), (given, _) = after.regions[0], before.regions[0]
        assert name == given and region.frame.kind == "unit" and not region.frame.bound
        assert region not in own[before.picture], "this is one of the picture's own regions"
        shares.append(region)
    assert set(shares) == {share for found in own.values() for share in found}
    assert changed == shuffled(items, 0) != shuffled(items, 1)


def test_shuffling_needs_regions_and_pictures(scenes: list[Scene]) -> None:
    with pytest.raises(UsageError, match="point at nothing"):
        shuffled(TASKS["grounding"].items(scenes, 0), 0)
    with pytest.raises(UsageError, match="needs more pictures"):
        shuffled(TASKS["naming"].items(scenes[:1], 0), 0)


@pytest.mark.parametrize("task", ["naming", "naming_point", "naming_scribble"])
def test_moved_regions_are_elsewhere_in_their_picture_and_nothing_else_changes(
    scenes: list[Scene], task: str
) -> None:
    items = TASKS[task].items(scenes, 0)
    changed = elsewhere(items, 0)
    assert [replace(item, regions=()) for item in changed] == [replace(item, regions=()) for item in items]
    for before, after in zip(items, changed, strict=True):
        (name, region), (given, was) = after.regions[0], before.regions[0]
        (x0, y0, x1, y1), old = region.bounds().as_tuple(), was.bounds().as_tuple()
        width, height = was.frame.size
        assert name == given and region.frame == was.frame and type(region) is type(was)
        assert -0.5 <= x0 < x1 <= width + 0.5 and -0.5 <= y0 < y1 <= height + 0.5
        assert (x1 - x0, y1 - y0) == pytest.approx((old[2] - old[0], old[3] - old[1]))
        # Half of the free room is the least that it moves by, whole pixels apart.
        room = (width - (x1 - x0)) / 2 - 1, (height - (y1 - y0)) / 2 - 1
        assert abs(x0 - old[0]) >= room[0] and abs(y0 - old[1]) >= room[1]


def test_masks_move_whole_and_what_fills_its_picture_stays() -> None:
    frame = Frame.original(9, 5)
    pixels = np.zeros((5, 9), dtype=bool)
    pixels[1, 1:3] = pixels[2, 1] = True
    moved = far_from(Mask.from_array(pixels, frame=frame)).rasterise()
    assert np.array_equal(moved[3:, 7:], pixels[1:3, 1:3]) and moved.sum() == 3
    whole = Box(0, 0, 9, 5, frame=frame)
    assert far_from(whole) == whole


def test_moving_needs_regions(scenes: list[Scene]) -> None:
    with pytest.raises(UsageError, match="point at nothing"):
        elsewhere(TASKS["grounding"].items(scenes, 0), 0)


@pytest.mark.parametrize("name", ABLATIONS)
def test_the_report_says_which_ablation_it_was(scenes: list[Scene], name: str) -> None:
    report = evaluate(
        Nowhere(), scenes, find_tasks(["naming"]), data="toy", split="val", ablation=find_ablation(name)
    )
    assert report.to_dict()["protocol"]["ablation"] == ABLATIONS[name].explained
    assert report.tasks["naming"].n == len(TASKS["naming"].items(scenes, 0))


def test_an_unknown_ablation_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="known ablations: none, grey, shuffled_regions, moved_regions"):
        find_ablation("noise")
