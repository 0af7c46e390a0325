"""Starting weights: the known file and no other, every tensor filled, faults in words."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import replace
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
import torch

from deixis.errors import BadWeights, MissingWeights
from deixis.layers.towers import pretrained
from deixis.layers.towers.efficientnet_lite import EfficientNetLite, build_tower
from deixis.layers.towers.pretrained import PACKAGED, load_pretrained_tower, packaged_file

NAME = "efficientnet_lite0"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package folder that is found in place of any real one; its weights go into the folder returned."""
    home = tmp_path / "package"
    (home / "models").mkdir(parents=True)
    spec = ModuleSpec("package", None, origin=str(home / "__init__.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    return home / "models"


def trust(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the file be the one whose checksum is known."""
    known = replace(PACKAGED[NAME], sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    monkeypatch.setitem(pretrained.PACKAGED, NAME, known)


def published(tower: EfficientNetLite) -> dict[str, torch.Tensor]:
    """A state dict in the order of the published one, with a classifier, and every tensor told apart."""
    source: dict[str, torch.Tensor] = {}
    for number, (key, value) in enumerate(tower.state_dict().items()):
        source[f"their.{key}"] = torch.full_like(value, number + 1)
    return {**source, "_fc.weight": torch.zeros(3, 3), "_fc.bias": torch.zeros(3)}


@pytest.mark.parametrize("name", PACKAGED)
def test_a_missing_package_names_the_command(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingWeights, match=r"package \S+-\S+, which is not installed; run `make training`"):
        packaged_file(name)


def test_another_file_is_refused(package: Path) -> None:
    (package / "weights.pth").write_bytes(b"something else")
    with pytest.raises(
        BadWeights, match=rf"weights.pth has sha256 \w{{64}}, expected {PACKAGED[NAME].sha256}"
    ):
        packaged_file(NAME)


@pytest.mark.parametrize("files", [0, 2])
def test_there_is_exactly_one_file(files: int, package: Path) -> None:
    for number in range(files):
        (package / f"{number}.pth").write_bytes(b"")
    with pytest.raises(BadWeights, match=rf"expected one file models/\*.pth in package .*, found {files}"):
        packaged_file(NAME)


def test_every_tensor_is_filled_in_order(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save(published(build_tower("efficientnet_tiny")), package / "weights.pth")
    trust(package / "weights.pth", monkeypatch)
    tower = build_tower("efficientnet_tiny")
    load_pretrained_tower(tower, NAME)
    filled = [value.unique().tolist() for value in tower.state_dict().values()]
    assert filled == [[number + 1] for number in range(len(filled))]


def test_weights_of_another_size_are_refused(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save(published(build_tower("efficientnet_tiny")), package / "weights.pth")
    trust(package / "weights.pth", monkeypatch)
    with pytest.raises(BadWeights, match=r"has \d+ tensors, the tower \d+; is it another size\?"):
        load_pretrained_tower(build_tower("efficientnet_lite0"), NAME)


def test_a_tensor_of_another_shape_is_refused(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = published(build_tower("efficientnet_tiny"))
    key = next(iter(source))
    source[key] = source[key][:, :, :1]
    torch.save(source, package / "weights.pth")
    trust(package / "weights.pth", monkeypatch)
    with pytest.raises(BadWeights, match=rf"{key} has shape \(32, 3, 1, 3\), the tower's {key[6:]} has"):
        load_pretrained_tower(build_tower("efficientnet_tiny"), NAME)


def test_a_file_with_code_in_it_is_not_run(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save({"value": Path("x")}, package / "weights.pth")  # a class, so more than tensors
    trust(package / "weights.pth", monkeypatch)
    with pytest.raises(Exception, match=r"(?i)weights.only"):
        load_pretrained_tower(build_tower("efficientnet_tiny"), NAME)


@pytest.mark.parametrize("name", ["efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"])
def test_the_real_package_fills_every_tensor(name: str) -> None:
    if importlib.util.find_spec(PACKAGED[name].package) is None:
        pytest.skip(f"{PACKAGED[name].package} is not installed (`make training`)")
    tower = build_tower(name).eval()
    for value in tower.state_dict().values():
        value.fill_(-12345)  # no pretrained tensor holds it
    load_pretrained_tower(tower, name)
    left = [key for key, value in tower.state_dict().items() if (value == -12345).any()]
    assert not left
    # Shapes alone would not tell a mean from a variance, so names have to agree as well.
    source = torch.load(packaged_file(name), map_location="cpu", weights_only=True)
    theirs = [key.rpartition(".")[2] for key in source if not key.startswith("_fc.")]
    assert theirs == [key.rpartition(".")[2] for key in tower.state_dict()]
    with torch.no_grad():
        taps = tower(torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
    # In the wrong order, or with the wrong padding or norm, maps die out or blow up.
    assert all(torch.isfinite(tap).all() and 0.01 < tap.std() < 15 for tap in taps)
