"""Where training computes: which device is taken, and a run on a GPU that is stopped and goes on."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from deixis.devices import choose_device
from deixis.errors import UsageError
from deixis.runs.training import run_recipes
from deixis.systems import training_parts
from deixis.training.loop import train
from deixis.training.optimiser import build_optimiser
from deixis.training.parallel import World, join_world
from deixis.training.state.checkpoints import fill_optimiser, optimiser_tensors
from deixis.training.state.random_states import random_states, seed_all
from tests.device_double import DeviceDouble
from tests.toy.pack import write_toy_pack
from tests.toy.recipe import TOY, toy_recipe
from tests.training.toy_objective import ToyObjective, last_checkpoint, parts, recipe, weights

GPU = torch.cuda.is_available()
needs_gpu = pytest.mark.skipif(not GPU, reason="there is no GPU")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Pretend to have so many GPUs, and mps or not."""

    def pretend(*, gpus: int = 0, mps: bool = False) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    return pretend


def test_auto_takes_the_best_that_is_there(machine: Any) -> None:
    machine()
    assert join_world().device == torch.device("cpu") == choose_device("cpu")
    machine(mps=True)
    assert choose_device("auto") == torch.device("mps")
    machine(gpus=2, mps=True)
    assert choose_device("auto") == torch.device("cuda", 0) == choose_device("cuda")
    assert choose_device("cuda", local=1) == torch.device("cuda", 1)
    assert choose_device("cpu") == torch.device("cpu") and choose_device("mps") == torch.device("mps")


def test_a_device_that_is_not_there_is_an_error(machine: Any, tmp_path: Path) -> None:
    machine(mps=True)
    with pytest.raises(UsageError, match="the device cuda is not on this machine; there is: mps, cpu"):
        join_world("cuda")
    machine()
    with pytest.raises(UsageError, match="the device mps is not on this machine; there is: cpu"):
        run_recipes([toy_recipe()], data=tmp_path, out=tmp_path, device="mps")
    with pytest.raises(UsageError, match="no device is called 'gpu'; expected auto, cpu, cuda, mps, or"):
        join_world("gpu")
    machine(gpus=2)
    with pytest.raises(UsageError, match="there is no GPU 2, only 2"):
        choose_device("auto", local=2)


def test_several_processes_do_not_share_mps(machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(mps=True)
    monkeypatch.setattr(os, "environ", {**os.environ, "WORLD_SIZE": "2", "RANK": "1"})
    with pytest.raises(UsageError, match="2 processes can't share the device mps"):
        join_world("mps")
    monkeypatch.setattr(torch.distributed, "init_process_group", lambda backend: joined.append(backend))
    joined: list[str] = []
    assert join_world("auto") == World(rank=1, size=2, device=torch.device("cpu")) and joined == ["gloo"]


def stepped(network: nn.Module) -> torch.optim.AdamW:
    """Return an optimiser that has made a step."""
    optimiser = build_optimiser(network, recipe())
    for parameter in network.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimiser.step()
    return optimiser


def test_moments_lie_where_their_parameters_do() -> None:
    """ "meta" stands for a device: what is on another one than its parameter would be seen."""
    kept = optimiser_tensors(stepped(ToyObjective()))
    assert {tensor.device.type for tensor in kept.values()} == {"cpu"}
    elsewhere = ToyObjective().to("meta")
    optimiser = build_optimiser(elsewhere, recipe())
    fill_optimiser(optimiser, kept)
    assert len(optimiser.state) == len(list(elsewhere.parameters()))
    for state in optimiser.state.values():
        assert state["exp_avg"].device.type == state["exp_avg_sq"].device.type == "meta"
        assert state["step"].device.type == "cpu" and state["step"] == 1


def test_the_filled_optimiser_is_the_one_that_was_kept() -> None:
    first = stepped(ToyObjective())
    second = build_optimiser(ToyObjective(), recipe())
    fill_optimiser(second, optimiser_tensors(first))
    theirs = optimiser_tensors(first)
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in optimiser_tensors(second).items())


@needs_gpu
@pytest.mark.gpu
def test_a_toy_on_a_gpu_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    def run(out: Path, **options: Any) -> None:
        seed_all(7)
        made = parts(ToyObjective(dropped=0.25, noisy=True))
        seed_all(7)
        train(made, recipe(ema=0.9), out=out, world=join_world("cuda"), **options)

    run(tmp_path / "whole")
    run(tmp_path / "cut", max_steps=3)
    torch.rand(3, device="cuda")
    run(tmp_path / "cut", resume=True)
    theirs = weights(tmp_path / "whole")
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in weights(tmp_path / "cut").items())
    assert "torch.cuda.0" in random_states()
    states = load_file(last_checkpoint(tmp_path / "cut") / "random-00000.safetensors")
    assert "torch.cuda.0" in states


FERRET = {
    "system": "ferret",
    "objective": {},
    "augmentation": {"square": False},
    "groups": [{"parts": [""], "rate": 3e-3}],
    "network": {
        "tower": "efficientnet_tiny",
        "language": "tiny",
        "side": 64,
        "view": 64,
        "sampler": {"points": 16, "anchors": [8, 4], "neighbours": [4, 3], "pooling": "max"},
        "pretrained": False,
    },
}
TILED = {
    "local_tower": "efficientnet_tiny",
    "global_side": 64,
    "crop": 64,
    "grids": [[1, 1], [1, 2], [2, 1]],
}
SYSTEMS: dict[str, dict[str, Any]] = {
    "pointer": {"network": {**TOY["network"], "candidates": 6, "dropped": 0.25}},
    "ferret": FERRET,
    "ferret_v2": {**FERRET, "system": "ferret_v2", "network": {**FERRET["network"], **TILED}},
}
SYSTEMS["ferret_v2"]["network"].pop("side")


@pytest.mark.slow
@pytest.mark.parametrize("name", SYSTEMS)
def test_the_loop_mixes_no_devices(name: str, tmp_path: Path) -> None:
    """A whole run, cut and resumed, on the double of a device, makes the losses that it makes on the CPU."""
    pack = write_toy_pack(tmp_path / "pack", pictures=8)
    given = toy_recipe(**SYSTEMS[name], steps=3, log_every=1, per_device_batch=2)

    def run(out: Path, device: torch.device) -> list[float]:
        for steps in (2, 3):
            seed_all(given.seed)
            made = training_parts(given, data=pack, start=None, work=out)
            world = World(rank=0, size=1, device=device)
            train(made, given, out=out, world=world, max_steps=steps, resume=steps > 2)
        rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
        return [row["losses"]["total"] for row in rows]

    with DeviceDouble() as double:
        there = run(tmp_path / "there", double.device)
    assert double.operations and not double.mixed, double.mixed
    assert len(there) == 3 and there == pytest.approx(run(tmp_path / "here", torch.device("cpu")), rel=0.02)


@needs_gpu
@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_trains_on_a_gpu_and_goes_on(name: str, precision: str, tmp_path: Path) -> None:
    """Steps after the checkpoint are near those of the uninterrupted run: kernels may add in any order."""
    pack = write_toy_pack(tmp_path / "pack", pictures=8)
    given = toy_recipe(**SYSTEMS[name], precision=precision, log_every=1, per_device_batch=2)
    run_recipes([given], data=pack, out=tmp_path / "whole", device="cuda")
    run_recipes([given], data=pack, out=tmp_path / "cut", device="cuda", max_steps=3)
    run_recipes([given], data=pack, out=tmp_path / "cut", device="cuda", resume=True)
    rows = [
        [json.loads(line)["losses"]["total"] for line in path.read_text().splitlines()]
        for path in sorted(tmp_path.glob("*/toy/metrics.jsonl"))
    ]
    assert len(rows) == 2 and len(rows[0]) == 6
    assert rows[0] == pytest.approx(rows[1], rel=1e-3 if precision == "float32" else 3e-2)
