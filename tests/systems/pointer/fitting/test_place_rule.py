"""Choosing the rule of reading on hand-made maps, and on toy pictures end to end."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from deixis.data.sources import read_scenes
from deixis.data.synthesis.phrasebook import Phrasebook
from deixis.layers.places.place_map import STRIDE
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box
from deixis.systems.pointer.decoding.place_reading import UNCHANGED, PlaceRule, evidence_of
from deixis.systems.pointer.fitting.place_rule import (
    AGREE,
    LEAST,
    NOWHERE,
    WEIGH,
    JudgedPhrase,
    choose_rule,
    denied_from,
    f1,
    fitted_odds,
    hit,
    nowhere_shares,
    phrase_scores,
)
from tests.systems.pointer.tiny import tiny_system
from tests.toy.pack import write_toy_pack

PICTURE = Frame.original(64, 64)
LEFT, RIGHT = (4.0, 4.0, 24.0, 24.0), (40.0, 30.0, 60.0, 60.0)


def judged(shares: list[float], *truth: tuple[float, float, float, float]) -> JudgedPhrase:
    """Return an item whose two locations and "nowhere" have these shares."""
    left, right, nowhere = torch.tensor(shares).log()
    return JudgedPhrase(
        torch.stack([left, right]),
        nowhere,
        torch.tensor([LEFT, RIGHT]),
        (0.0, 0.0, 64.0, 64.0),
        PICTURE,
        PICTURE,
        tuple(Box(*box, frame=PICTURE) for box in truth),
    )


@pytest.mark.parametrize(
    ("shares", "right"), [((0.6, 0.2, 0.2), True), ((0.2, 0.6, 0.2), False), ((0.3, 0.1, 0.6), False)]
)
def test_a_hit_is_the_right_top_place(shares, right):
    assert hit(judged(list(shares), LEFT), PlaceRule(nowhere=0.5)) is right


def test_f1_counts_every_place_and_every_box():
    both = judged([0.5, 0.4, 0.1], LEFT, RIGHT)
    assert f1([both], PlaceRule(least=0.3)) == 1.0
    assert f1([both], PlaceRule(least=0.45)) == pytest.approx(2 / 3)
    one = judged([0.5, 0.4, 0.1], LEFT)
    assert f1([one], PlaceRule(least=0.3)) == pytest.approx(2 / 3)


def test_the_threshold_of_an_open_question_parts_present_from_absent():
    items = [judged([0.3, 0.1, 0.6], LEFT), judged([0.2, 0.15, 0.65], LEFT)]
    items += [judged([0.1, 0.15, 0.75]), judged([0.05, 0.05, 0.9])]
    assert 0.65 <= denied_from(items) < 0.75


def test_fitted_odds_recover_what_made_the_data():
    rng = np.random.default_rng(0)
    masses = rng.uniform(0.05, 0.95, size=4000)
    likely = 1 / (1 + np.exp(-(0.6 * np.log(masses / (1 - masses)) - 0.5)))
    evidence = evidence_of(torch.tensor(masses), 0.5, None).numpy()
    scale, nowhere, quality, shift = fitted_odds(evidence, (rng.random(4000) < likely).astype(float))
    assert scale == pytest.approx(0.6, abs=0.08) and shift == pytest.approx(-0.5, abs=0.1)
    assert (nowhere, quality) == (0, 0), "nothing was known of them"
    rule = PlaceRule(trust=(scale, nowhere, quality, shift))
    best_first = torch.tensor(np.sort(masses)[::-1].copy())
    scores = rule.score(best_first, 0.5, None).numpy()
    assert np.abs(scores - np.sort(likely)[::-1]).max() < 0.05
    assert (np.diff(scores) <= 0).all()


@pytest.mark.parametrize("right", [0.0, 1.0])
def test_fitted_odds_stay_finite(right):
    evidence = evidence_of(torch.full((50,), 0.7), 0.1, torch.full((50,), 1.0))
    trust = fitted_odds(evidence.numpy(), np.full(50, right))
    score = PlaceRule(trust=tuple(trust)).score(torch.tensor([0.7]), 0.1, torch.tensor([1.0]))
    assert abs(float(score[0]) - right) < 0.15


def test_nowhere_shares():
    assert nowhere_shares([judged([0.2, 0.1, 0.7])]).tolist() == pytest.approx([0.7])


@pytest.mark.parametrize("candidates", [0, 5], ids=["first look", "second look"])
def test_end_to_end_on_toy_pictures(tmp_path, candidates):
    scenes = read_scenes(write_toy_pack(tmp_path, pictures=4), "train")
    system = tiny_system(candidates=candidates)
    book = Phrasebook(scenes)
    items = [item for scene in scenes for item in phrase_scores(system, scene, phrasebook=book)]
    assert any(item.truth for item in items) and any(not item.truth for item in items)
    choices = candidates or (system.network.config.side // STRIDE) ** 2
    for item in items:
        assert item.locations.shape == (choices,) and item.boxes.shape == (choices, 4)
        assert item.nowhere.shape == ()
    rule = choose_rule(system, scenes, phrasebook=book)
    assert rule.agree in AGREE and rule.nowhere in NOWHERE and rule.least in LEAST
    assert rule.nowhere_if_open in NOWHERE and rule.open_minded().nowhere == rule.nowhere_if_open
    assert len(rule.trust) == 4 and rule.trust != UNCHANGED and rule.weigh in WEIGH
    assert bool(rule.trust[2]) == bool(candidates), "only the second look judges boxes"
    assert choose_rule(system, scenes, phrasebook=book) == rule
    assert choose_rule(system, [], phrasebook=book) == PlaceRule()
