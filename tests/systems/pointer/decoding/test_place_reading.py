"""Reading places off hand-made maps: one, several, none, outside of the picture; in the original frame."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from deixis.errors import BadWeights
from deixis.pictures.opening import Picture, open_picture
from deixis.pictures.padding import letterbox
from deixis.systems.pointer.decoding.place_reading import (
    PlaceReading,
    PlaceRule,
    picture_part,
    places_in,
    read_places,
)

SIDE = 64.0
WHOLE = (0.0, 0.0, SIDE, SIDE)
LEFT, RIGHT = (4.0, 4.0, 24.0, 24.0), (40.0, 30.0, 60.0, 60.0)


def near(box: tuple[float, ...], count: int) -> list[list[float]]:
    """Return boxes that agree with one another: the same, moved by less than a pixel."""
    return [[value + 0.2 * number for value in box] for number in range(count)]


def read(
    shares: list[float],
    boxes: list[list[float]],
    *,
    nowhere: float = 0.0,
    inside: tuple[float, float, float, float] = WHOLE,
    **rule: float,
) -> PlaceReading:
    """Read a map whose softmax is exactly ``shares`` and ``nowhere``."""
    logits = torch.tensor([*shares, nowhere]).log().clamp(min=-60)
    settings = PlaceRule(**rule)  # type: ignore[arg-type]
    return read_places(logits[:-1], logits[-1], torch.tensor(boxes), inside=inside, rule=settings)


def masses(reading: PlaceReading) -> list[float]:
    values: list[float] = reading.masses.tolist()
    return values


def test_one_place_has_the_mass_of_all_that_agree() -> None:
    reading = read([0.3, 0.2, 0.1, 0.1], [*near(LEFT, 3), list(RIGHT)], nowhere=0.3)
    assert not reading.nowhere and reading.nowhere_share == pytest.approx(0.3)
    assert masses(reading) == pytest.approx([0.6])
    assert reading.boxes.tolist() == [pytest.approx(LEFT)]


def test_the_best_is_the_one_with_the_most_mass_not_the_highest_peak() -> None:
    reading = read([0.35, 0.2, 0.2, 0.2], [list(RIGHT), *near(LEFT, 3)], nowhere=0.05)
    assert masses(reading) == pytest.approx([0.6, 0.35])
    assert reading.boxes[0].tolist() in [pytest.approx(box) for box in near(LEFT, 3)]


def test_several_places_each_need_enough_mass() -> None:
    boxes = [list(LEFT), list(RIGHT), [30.0, 2.0, 38.0, 20.0]]
    assert masses(read([0.45, 0.4, 0.15], boxes)) == pytest.approx([0.45, 0.4])
    assert masses(read([0.45, 0.4, 0.15], boxes, least=0.1)) == pytest.approx([0.45, 0.4, 0.15])
    assert masses(read([0.45, 0.4, 0.15], boxes, least=0.42)) == pytest.approx([0.45])


def test_the_best_place_is_kept_whatever_its_mass() -> None:
    boxes = [[4.0 * step, 0.0, 4.0 * step + 4, 4.0] for step in range(10)]
    reading = read([0.06] * 10, boxes, nowhere=0.4)
    assert not reading.nowhere and masses(reading) == pytest.approx([0.06])


def test_nowhere_is_decided_by_its_share_alone() -> None:
    for share, nowhere in ((0.49, False), (0.51, True)):
        reading = read([1 - share], [list(LEFT)], nowhere=share)
        assert reading.nowhere is nowhere and reading.nowhere_share == pytest.approx(share)
    assert read([0.7], [list(LEFT)], nowhere=0.3).nowhere is False


def test_the_threshold_of_nowhere_is_the_rule_s() -> None:
    logits, boxes = torch.tensor([0.0]), torch.tensor([LEFT])
    for threshold, nowhere in ((0.4, True), (0.6, False), (1.0, False)):
        rule = PlaceRule(nowhere=threshold)
        reading = read_places(logits, torch.tensor(0.0), boxes, inside=WHOLE, rule=rule)
        assert reading.nowhere is nowhere
        assert reading.nowhere_share == pytest.approx(0.5)


def test_everything_outside_of_the_picture_part_is_nowhere() -> None:
    above = [0.0, 0.0, 60.0, 11.0]
    thin = [0.0, 0.0, 60.0, 12.5]  # half a pixel of it is picture
    reading = read([0.5, 0.5], [above, thin], inside=(0.0, 12.0, 64.0, 52.0))
    assert reading.nowhere and len(reading.boxes) == 0 and len(reading.masses) == 0


def test_boxes_are_cut_to_the_picture_part() -> None:
    reading = read([1.0], [[-8.0, -8.0, 30.0, 70.0]], inside=(0.0, 12.0, 64.0, 52.0))
    assert reading.boxes.tolist() == [[0, 12, 30, 52]]


def test_boxes_agree_as_they_are_after_cutting() -> None:
    boxes = [[10.0, 12.0, 30.0, 40.0], [10.0, -40.0, 30.0, 40.0]]
    assert masses(read([0.5, 0.5], boxes, inside=(0.0, 12.0, 64.0, 52.0))) == pytest.approx([1.0])


def test_vote_is_the_mean_of_the_agreeing_boxes() -> None:
    boxes = [[10.0, 10.0, 30.0, 30.0], [12.0, 10.0, 32.0, 30.0], list(RIGHT)]
    reading = read([0.6, 0.2, 0.2], boxes, vote=True)
    assert reading.boxes[0].tolist() == pytest.approx([10.5, 10, 30.5, 30])
    assert masses(reading)[0] == pytest.approx(0.8)


def test_equal_masses_are_decided_by_the_peak_not_by_rounding() -> None:
    """All agree with all, so that all have one mass; the sums differ only by rounding."""
    chance = torch.Generator().manual_seed(0)
    shares = torch.rand(60, generator=chance) + 0.1
    shares[17] = 1.5
    boxes = torch.tensor([LEFT]) + torch.rand(60, 4, generator=chance)
    expected = boxes[17].tolist()
    for _ in range(20):
        order = torch.randperm(60, generator=chance)
        logits = shares[order].log()
        reading = read_places(logits, torch.tensor(-9.0), boxes[order], inside=WHOLE, rule=PlaceRule())
        assert reading.boxes[0].tolist() == pytest.approx(expected)


def test_places_come_best_first_however_the_map_is_ordered() -> None:
    chance = torch.Generator().manual_seed(1)
    for _ in range(50):
        logits, corners = torch.randn(64, generator=chance) * 3, torch.rand(64, 2, generator=chance) * 50
        boxes = torch.cat([corners, corners + 4 + 10 * torch.rand(64, 2, generator=chance)], dim=1)
        rule = PlaceRule(least=0.01)
        reading = read_places(logits, torch.tensor(0.0), boxes, inside=WHOLE, rule=rule)
        assert masses(reading) == sorted(masses(reading), reverse=True)
        assert all(0 < mass <= 1 + 1e-5 for mass in masses(reading))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_map_that_is_not_finite_is_an_error_and_no_answer(bad: float) -> None:
    locations, boxes = torch.tensor([bad, 0.0]), torch.tensor([LEFT, RIGHT])
    with pytest.raises(BadWeights, match="not finite"):
        read_places(locations, torch.tensor(0.0), boxes, inside=WHOLE, rule=PlaceRule())


SIZES = [(640, 480), (480, 640), (100, 100), (1000, 3), (2, 700), (1, 1), (64, 64)]


def picture_of(width: int, height: int) -> tuple[Picture, Picture]:
    picture = open_picture(np.zeros((height, width, 3), dtype=np.uint8))
    return picture, letterbox(picture, int(SIDE))


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_picture_part_is_what_the_letterbox_left_free(width: int, height: int) -> None:
    picture, view = picture_of(width, height)
    x0, y0, x1, y1 = picture_part(view.frame, picture.frame)
    shown = np.argwhere((view.pixels == 0).all(axis=2))
    top, left = shown.min(axis=0)
    bottom, right = shown.max(axis=0) + 1
    assert (x0, y0, x1, y1) == pytest.approx((left, top, right, bottom))


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_places_are_in_the_original_frame_and_inside(width: int, height: int) -> None:
    picture, view = picture_of(width, height)
    inside = picture_part(view.frame, picture.frame)
    chance = torch.Generator().manual_seed(width)
    centres = torch.rand(64, 2, generator=chance) * SIDE
    sizes = torch.rand(64, 2, generator=chance) * 60 + 1
    boxes: Tensor = torch.cat([centres - sizes / 2, centres + sizes / 2], dim=1)
    logits = torch.randn(64, generator=chance)
    rule = PlaceRule(least=0.0)
    reading = read_places(logits, torch.tensor(-5.0), boxes, inside=inside, rule=rule)
    places = places_in(reading, view=view.frame, original=picture.frame)
    assert places, "a picture has a place for everything that isn't nowhere"
    for place, box in zip(places, reading.boxes.tolist(), strict=True):
        assert place.box.frame == picture.frame and place.box.area > 0
        assert 0 <= place.box.x0 < place.box.x1 <= width and 0 <= place.box.y0 < place.box.y1 <= height
        assert place.box.to(view.frame).as_tuple() == pytest.approx(box, abs=1e-3)
        assert 0 <= place.score <= 1


def test_nowhere_has_no_places() -> None:
    picture, view = picture_of(100, 100)
    reading = PlaceReading(torch.tensor([LEFT]), torch.tensor([0.4]), 0.6, True)
    assert places_in(reading, view=view.frame, original=picture.frame) == ()
