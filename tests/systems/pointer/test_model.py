"""What a place token chooses from: all locations, or the best of them looked at again."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from deixis.errors import BadWeights
from deixis.layers.places.box_refiner import choose_candidates
from deixis.layers.places.place_map import PlaceMap
from deixis.systems.pointer.core import resized
from deixis.systems.pointer.model import PointerNetwork
from deixis.systems.pointer.place_head import Pointed
from deixis.systems.pointer.weights import rebuilt
from tests.systems.pointer.tiny import SIDE, noise_picture, tiny_network

COUNT = 6


def seen_by(network: PointerNetwork, *, phrases: int = 3) -> tuple[Tensor, PlaceMap]:
    """Return hidden states at place tokens and the maps of two pictures."""
    pictures = [torch.from_numpy(noise_picture(SIDE, SIDE, seed=seed).pixels) for seed in (0, 1)]
    hidden = torch.randn(2, phrases, network.config.width, generator=torch.Generator().manual_seed(0))
    return hidden, network.encode(torch.stack(pictures).permute(0, 3, 1, 2).float() / 255)


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


@torch.inference_mode()
def test_a_picture_seen_at_two_sizes_is_chosen_from_in_both() -> None:
    """Each size has half of the softmax; boxes of the other size are carried to the pixels of the first."""
    network, alone = tiny_network(candidates=COUNT, second_side=2 * SIDE), tiny_network(candidates=COUNT)
    alone.load_state_dict(network.state_dict())
    hidden, places = seen_by(network)
    assert places.other is not None and places.other.fine.shape[-1] == 2 * places.fine.shape[-1]
    both, first = network.point(hidden, places), alone.point(hidden, seen_by(alone)[1])
    second = alone.point(hidden, places.other)
    torch.testing.assert_close(both.boxes, torch.cat([first.boxes, second.boxes / 2], dim=2))
    assert both.quality is not None and first.quality is not None and second.quality is not None
    assert torch.equal(both.quality, torch.cat([first.quality, second.quality], dim=-1))
    shares, (ours, theirs) = shares_of(both), (shares_of(one) for one in (first, second))
    torch.testing.assert_close(shares[..., :COUNT], ours[..., :-1] / 2)
    torch.testing.assert_close(shares[..., COUNT:-1], theirs[..., :-1] / 2)
    torch.testing.assert_close(shares[..., -1], (ours[..., -1] + theirs[..., -1]) / 2)


def shares_of(pointed: Pointed) -> Tensor:
    return torch.cat([pointed.scores, pointed.nowhere[..., None]], dim=-1).softmax(dim=-1)


def test_training_sees_pictures_at_one_size() -> None:
    network = tiny_network(candidates=COUNT, second_side=2 * SIDE).train()
    assert seen_by(network)[1].other is None


@pytest.mark.parametrize("options", [{"second_side": 32}, {"second_side": 100}, {"candidates": 0}], ids=str)
def test_second_sizes_that_cannot_be(options: dict[str, int]) -> None:
    with pytest.raises(BadWeights, match=r"second_side is .* expected 0, or a multiple of 32 from 64"):
        tiny_network(**({"candidates": COUNT, "second_side": 64} | options))


@torch.inference_mode()
def test_resizing_keeps_what_is_seen() -> None:
    half = torch.zeros(1, 3, 64, 64)
    half[..., 32:] = 1.0
    smaller = resized(half, 32)
    assert smaller.shape == (1, 3, 32, 32) and smaller.min() >= 0 and smaller.max() <= 1
    assert not smaller[..., :12].gt(1e-3).any() and not smaller[..., 20:].lt(1 - 1e-3).any()


@torch.inference_mode()
def test_a_closer_view_of_regions_changes_nothing_to_begin_with_and_then_what_is_read() -> None:
    network = tiny_network(region_view=True)
    _, places = seen_by(network)
    cells = places.fine.shape[-1]
    masks, present = torch.full((2, 1, cells, cells), 1 / cells**2), torch.ones(2, 1, dtype=torch.bool)
    geometry = torch.tensor([0.2, 0.2, 0.6, 0.6, 0.4, 0.4, 0.4, 0.4]).expand(2, 1, -1)
    before = network.encode_regions(places, masks, geometry, present)
    assert torch.equal(before, network.region_encoder(places, masks, geometry)[present])
    torch.nn.init.normal_(network.region_view.out.weight)
    assert (network.encode_regions(places, masks, geometry, present) - before).abs().amax() > 1e-3


@torch.inference_mode()
def test_what_is_told_is_dropped_in_training_only() -> None:
    network = tiny_network(candidates=COUNT, dropped=0.5)
    torch.nn.init.normal_(network.second_look.quality.weight)  # zero to begin with, it would tell nothing
    hidden, places = seen_by(network)
    cells = places.fine.shape[-1]
    masks, present = torch.full((2, 1, cells, cells), 1 / cells**2), torch.ones(2, 1, dtype=torch.bool)
    geometry = torch.tensor([0.2, 0.2, 0.6, 0.6, 0.4, 0.4, 0.4, 0.4]).expand(2, 1, -1)

    def told() -> tuple[Tensor | None, ...]:
        regions = network.encode_regions(places, masks, geometry, present)
        return network.reader(places), regions, network.point(hidden, places).quality

    assert all(torch.equal(*pair) for pair in zip(told(), told(), strict=True))
    network.train()
    assert not any(torch.equal(*pair) for pair in zip(told(), told(), strict=True))


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_not_everything_can_be_dropped(share: float) -> None:
    with pytest.raises(BadWeights, match=r"dropped is .* expected a share from 0 to below 1"):
        tiny_network(dropped=share)
