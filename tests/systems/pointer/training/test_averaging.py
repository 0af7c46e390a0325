"""The mean of two networks: shares by part, the longest beginning counts, what doesn't fit is told."""

from __future__ import annotations

import pytest
import torch

from deixis.errors import RecipeError
from deixis.systems.pointer.training.averaging import average
from tests.systems.pointer.tiny import tiny_network


def test_each_part_takes_the_share_of_the_longest_beginning() -> None:
    network, other = tiny_network(seed=1), tiny_network(seed=2)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    average(network, other, {"network.": 0.25, "network.mapper": 0.5, "network.mapper.key_head": 1.0})
    theirs = other.state_dict()
    shares = set()
    for name, tensor in network.state_dict().items():
        share = 0.25
        if name.startswith("mapper"):
            share = 1.0 if name.startswith("mapper.key_head") else 0.5
        if tensor.is_floating_point():
            torch.testing.assert_close(tensor, before[name] + share * (theirs[name] - before[name]), msg=name)
            if not torch.equal(before[name], theirs[name]):
                shares.add(share)
        else:
            assert torch.equal(tensor, before[name]), name
    assert shares == {0.25, 0.5, 1.0}


def test_what_no_beginning_fits_stays_as_it_is() -> None:
    network, other = tiny_network(seed=1), tiny_network(seed=2)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    average(network, other, {"network.place_head": 0.5})
    for name, tensor in network.state_dict().items():
        changed = name.startswith("place_head") and not torch.equal(before[name], other.state_dict()[name])
        assert torch.equal(tensor, before[name]) != changed, name


def test_a_beginning_of_nothing_is_told() -> None:
    with pytest.raises(RecipeError, match=r"no part's name begins with \['network.mappper'\]"):
        average(tiny_network(), tiny_network(), {"": 0.5, "network.mappper": 0.5})


def test_parts_that_only_one_network_has_cannot_be_mixed() -> None:
    with pytest.raises(RecipeError, match=r"second_look\.\S+ can't be mixed: .* missing in the other"):
        average(tiny_network(candidates=4), tiny_network(), {"": 0.5})
    average(tiny_network(candidates=4), tiny_network(), {"network.mapper": 0.5})
