"""What a place token chooses from: all locations, or the best of them looked at again."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from deixis.layers.place_map import PlaceMap
from deixis.layers.second_look import choose_candidates
from deixis.systems.pointer.model import PointerNetwork
from deixis.systems.pointer.weights import rebuilt
from tests.systems.pointer.tiny import SIDE, noise_picture, tiny_network

COUNT = 6


def seen_by(network: PointerNetwork, *, phrases: int = 3) -> tuple[Tensor, PlaceMap]:
    """Return hidden states at place tokens and the maps of two pictures."""
    pictures = [torch.from_numpy(noise_picture(SIDE, SIDE, seed=seed).pixels) for seed in (0, 1)]
    hidden = torch.randn(2, phrases, network.config.width, generator=torch.Generator().manual_seed(0))
    return hidden, network.perceive(torch.stack(pictures).permute(0, 3, 1, 2).float() / 255)


@torch.inference_mode()
def test_without_candidates_all_locations_are_chosen_from() -> None:
    network = tiny_network()
    hidden, places = seen_by(network)
    pointed, scores = network.point(hidden, places), network.place_head(hidden, places.keys)
    assert torch.equal(pointed.scores, scores.locations) and torch.equal(pointed.nowhere, scores.nowhere)
    for phrase in range(3):
        assert torch.equal(pointed.boxes[:, phrase], places.boxes)
    assert not hasattr(network, "second_look")


@torch.inference_mode()
def test_with_candidates_the_best_places_are_looked_at_again() -> None:
    network = tiny_network(candidates=COUNT)
    hidden, places = seen_by(network)
    scores = network.place_head(hidden, places.keys)
    candidates = choose_candidates(scores.locations, scores.nowhere, places.boxes, count=COUNT)
    look, pointed = network.second_look(hidden, places, candidates)[-1], network.point(hidden, places)
    assert pointed.scores.shape == (2, 3, COUNT) and pointed.boxes.shape == (2, 3, COUNT, 4)
    assert torch.equal(pointed.scores, look.scores) and torch.equal(pointed.nowhere, look.none)
    assert torch.equal(pointed.boxes, look.boxes)
    assert not torch.allclose(pointed.boxes, candidates.boxes), "boxes are the refined ones"


@torch.inference_mode()
def test_a_new_second_look_changes_neither_places_nor_nowhere() -> None:
    """The best place is still the one of most mass, against the same share of "nowhere"."""
    network = tiny_network()
    hidden, places = seen_by(network)
    pointed = rebuilt(network, {"candidates": COUNT}).eval().point(hidden, places)
    scores = network.place_head(hidden, places.keys)
    shares = scores.joint().softmax(dim=-1)
    torch.testing.assert_close(pointed.nowhere.exp(), shares[..., -1])
    assert (pointed.scores.argmax(dim=-1) == 0).all()
    located = {tuple(box) for box in places.boxes[0].tolist()}
    assert {tuple(box) for box in pointed.boxes[0].flatten(0, 1).tolist()} <= located


@pytest.mark.parametrize("candidates", [0, COUNT])
def test_no_place_tokens_choose_nothing(candidates: int) -> None:
    network = tiny_network(candidates=candidates)
    pointed = network.point(*seen_by(network, phrases=0))
    choices = candidates or (SIDE // 8) ** 2
    assert pointed.scores.shape == (2, 0, choices) and pointed.nowhere.shape == (2, 0)
    assert pointed.boxes.shape == (2, 0, choices, 4)


@torch.inference_mode()
def test_more_candidates_than_locations() -> None:
    network = tiny_network(candidates=100)
    assert network.point(*seen_by(network)).scores.shape == (2, 3, (SIDE // 8) ** 2)
