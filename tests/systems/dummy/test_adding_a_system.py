"""A system is its folder and one line of the registry: this folder is one, and the line is ``LINE``."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import deixis
from deixis.cli import main
from deixis.errors import BadWeights, MissingWeights, UsageError
from deixis.runs.training import run_recipes
from deixis.systems import entry, load, registry, training_parts
from deixis.systems.contract import System
from deixis.systems.registry import Entry
from tests.systems.dummy.answering import DummySystem, dummy_system
from tests.systems.dummy.network import DummyConfig, DummyNetwork
from tests.systems.ferret.networks import CLIP_TOWER
from tests.systems.ferret.tiny import SIDE, fresh_ferret, settings, tiny_codec
from tests.systems.pointer.tiny import noise_picture
from tests.toy.pack import write_toy_pack
from tests.toy.recipe import toy_recipe

SOURCE = Path(deixis.__file__).parent
LINE = {
    "dummy": Entry(
        model_type="deixis_dummy",
        answering="tests.systems.dummy.answering:open_dummy",
        training="tests.systems.dummy.training:training_parts",
        conversion="tests.systems.dummy.conversion:CONVERTERS",
        how_to_get="imagine them",
    )
}
NETWORK = {
    "tower": "efficientnet_tiny",
    "language": "tiny",
    "side": 64,
    "view": 64,
    "sampler": {"points": 16, "anchors": [8, 4], "neighbours": [4, 3], "pooling": "max"},
    "pretrained": False,
}


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the line."""
    monkeypatch.setattr(registry, "SYSTEMS", {**registry.SYSTEMS, **LINE})


def fresh_dummy() -> DummySystem:
    """Return a dummy with the weights of ``same_ferret``."""
    codec = tiny_codec()
    network = DummyNetwork(DummyConfig(side=SIDE, **settings(codec) | {"tower": CLIP_TOWER}))
    network.load_state_dict(same_ferret().network.state_dict())
    return dummy_system(network, codec)


def same_ferret() -> System:
    """Return an untaught Ferret."""
    return fresh_ferret(tower=CLIP_TOWER)


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """A dummy's folder as we save it."""
    fresh_dummy().save(tmp_path / "ours")
    return tmp_path / "ours"


def test_without_its_line_nobody_knows_it(ours: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BadWeights, match="is of type 'deixis_dummy'; this version opens: deixis_pointer"):
        load(ours)
    with pytest.raises(UsageError, match="no system is called 'dummy'"):
        entry("dummy")
    with pytest.raises(SystemExit):
        main(["convert", "dummy", "--folder", str(ours), "--out", str(ours / "out")])
    assert "invalid choice: 'dummy'" in capsys.readouterr().err


@pytest.mark.usefixtures("registered")
def test_it_opens_and_answers(ours: Path) -> None:
    system = load(ours)
    assert isinstance(system, DummySystem)
    picture = noise_picture(96, 64)
    answer = system.ask(picture, "what is {it}?", it=deixis.Point(40, 30), max_new_tokens=6)
    same = same_ferret().ask(picture, "what is {it}?", it=deixis.Point(40, 30), max_new_tokens=6)
    assert answer.system == "dummy" and answer.text == same.text


@pytest.mark.usefixtures("registered")
def test_its_name_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MissingWeights, match="'dummy' are not on this machine; imagine them"):
        load("dummy")
    with pytest.raises(UsageError, match=r"known systems: pointer, ferret, .*dummy; or"):
        load("dumy")
    with pytest.raises(SystemExit):
        main(["convert", "--help"])
    said = capsys.readouterr().out
    assert "groma,dummy}" in said and "--deaf" in said and "deixis convert dummy --folder there" in said


@pytest.mark.usefixtures("registered")
def test_its_weights_are_converted_and_come_back(
    ours: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there, again = tmp_path / "there", tmp_path / "again"
    assert main(["convert", "dummy", "--folder", str(ours), "--back", "--out", str(there)]) == 0
    assert main(["convert", "dummy", "--folder", str(there), "--out", str(again)]) == 0
    assert capsys.readouterr().out == f"a dummy as it was: {there}\na dummy: {again}\n"
    published = load_file(there / "model.safetensors")
    assert {key.split(".")[0] for key in published} == {"eyes", "bridge", "hand", "model"}
    first, second = load_file(ours / "model.safetensors"), load_file(again / "model.safetensors")
    assert first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)
    assert isinstance(load(again), DummySystem)


@pytest.mark.usefixtures("registered")
def test_what_doesn_t_fit_is_said_in_its_words(
    ours: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there, out = tmp_path / "there", tmp_path / "out"
    assert main(["convert", "dummy", "--folder", str(ours), "--back", "--out", str(there)]) == 0
    assert main(["convert", "dummy", "--folder", str(there), "--deaf", "--out", str(out)]) == 4
    assert "hand." in (said := capsys.readouterr().err) and "the dummy has another hand" in said
    assert main(["convert", "dummy", "--folder", str(ours), "--back", "--deaf", "--out", str(out)]) == 2
    assert main(["convert", "dummy", "--folder", str(ours), "--any-base", "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert "--deaf has no meaning here" in said and "--any-base has no meaning here" in said
    assert not out.exists()


@pytest.mark.usefixtures("registered")
def test_it_is_trained(tmp_path: Path) -> None:
    pack = write_toy_pack(tmp_path / "pack", pictures=4)
    recipe = toy_recipe(
        system="dummy",
        network=NETWORK,
        objective={},
        augmentation={"square": False},
        groups=[{"parts": [""], "rate": 1e-3}],
        dialogues={"locate_bare": 0.0, "absent_bare": 0.0},
        steps=1,
        batch=2,
    )
    parts = training_parts(recipe, data=pack, start=None, work=tmp_path)
    assert any(isinstance(module, DummyNetwork) for module in parts.objective.modules())
    (model,) = run_recipes([replace(recipe, name="one")], data=pack, out=tmp_path / "out")
    assert isinstance(load(model), DummySystem)


# Modules of one system that others use; everything else goes through the registry.
USED_ELSEWHERE = {
    "evaluation/pointed.py": {"ferret"},
    "systems/spliced/training/building.py": {"pointer"},
}


def test_nothing_but_the_registry_names_a_system() -> None:
    for file in SOURCE.rglob("*.py"):
        place = file.relative_to(SOURCE).as_posix()
        own = place.split("/")[1] if place.startswith("systems/") else ""
        if place == "systems/registry.py" or own in registry.SYSTEMS:
            continue
        imported = set(re.findall(r"deixis\.systems\.(\w+)", file.read_text(encoding="utf-8")))
        assert imported & set(registry.SYSTEMS) <= USED_ELSEWHERE.get(place, set()), place
