"""The stage of fitting: what it changes, that saving changes nothing, and what an unfitted model says."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch

from deixis.data.scene import Scene
from deixis.data.sources import read_scenes
from deixis.data.synthesis.phrasebook import Phrasebook
from deixis.systems.pointer.answering import open_pointer
from deixis.systems.pointer.decoding.place_reading import PlaceRule
from deixis.systems.pointer.fitting.stage import fit_network
from deixis.systems.pointer.model import PointerNetwork
from deixis.systems.pointer.training.building import save_objective
from deixis.systems.pointer.training.objective import ObjectiveWeights, PointerObjective
from tests.systems.pointer.tiny import tiny_network, tiny_vocabulary
from tests.toy.pack import write_toy_pack


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Scene]:
    return list(read_scenes(write_toy_pack(tmp_path_factory.mktemp("toy"), pictures=8), split="train"))


def fitted(network: PointerNetwork, scenes: list[Scene], *, held_out: int) -> PointerNetwork:
    fit_network(
        network,
        tiny_vocabulary(),
        scenes=scenes,
        held_out=scenes[:held_out],
        phrasebook=Phrasebook(scenes),
    )
    return network


def saved(network: PointerNetwork, folder: Path) -> Path:
    objective = PointerObjective(network, weights=ObjectiveWeights(), phrase_vectors=None)
    save_objective(objective, folder, vocabulary=tiny_vocabulary())
    return folder


def warnings_of(folder: Path, caplog: pytest.LogCaptureFixture) -> str:
    caplog.clear()
    with caplog.at_level(logging.WARNING, logger="deixis"):
        open_pointer(folder)
    return caplog.text


def test_rules_and_the_classifier_are_fitted_and_then_saved(
    scenes: list[Scene], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = tiny_network(region_namer=True).state_dict()
    network = fitted(tiny_network(region_namer=True), scenes, held_out=3)
    assert network.config.place_rule and PlaceRule(**network.config.place_rule) != PlaceRule()
    changed = {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed and all(name.startswith("region_namer.") for name in changed)
    folder = saved(network, tmp_path / "model")
    assert warnings_of(folder, caplog) == ""
    assert open_pointer(folder).rule == PlaceRule(**network.config.place_rule)


def test_saving_only_saves(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A model of a run that was cut short answers by the defaults, and says so when it is opened."""
    network = tiny_network(region_namer=True)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    folder = saved(network, tmp_path / "model")
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert not network.config.place_rule and not network.config.claim_rules
    said = warnings_of(folder, caplog)
    assert "was saved before these were fitted" in said
    assert "the rule by which places are read" in said and "the region classifier" in said
    assert open_pointer(folder).rule == PlaceRule()


def test_without_pictures_held_out_the_rules_stay(scenes: list[Scene]) -> None:
    network = tiny_network(place_rule={"nowhere": 0.7})
    assert fitted(network, scenes, held_out=0).config.place_rule == {"nowhere": 0.7}
