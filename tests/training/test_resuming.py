"""A resumed run draws what the uninterrupted one would have, and refuses what it can't go on from."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import multiprocessing

from deixis.errors import RecipeError
from deixis.training.batches import Batches, stream
from deixis.training.loop import train
from deixis.training.metrics import read_metrics
from deixis.training.parallel import World, join_world
from deixis.training.recipes.recipe import Recipe
from deixis.training.state.random_states import random_states, restore_random_states, seed_all
from tests.training.toy_objective import (
    Sentences,
    ToyObjective,
    collate,
    last_checkpoint,
    logged,
    parts,
    recipe,
    weights,
)

ALONE = World(rank=0, size=1, device=torch.device("cpu"))


def run(out: Path, *, world: World = ALONE, given: Recipe | None = None, **options: Any) -> Path:
    """Train a toy that draws from every generator, in a process that starts from one seed."""
    seed_all(7)
    drawing = parts(ToyObjective(dropped=0.25, noisy=True))
    seed_all(7 + world.rank)
    return train(drawing, given or recipe(ema=0.9), out=out, world=world, **options)


def assert_same_weights(first: Path, second: Path) -> None:
    ours, theirs = weights(first), weights(second)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An uninterrupted run."""
    return run(tmp_path_factory.mktemp("runs") / "whole").parent


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run stopped after 4 of 6 steps."""
    return run(tmp_path_factory.mktemp("runs") / "stopped", max_steps=4).parent


@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_run_that_drops_and_draws_goes_on_as_if_it_had_not_stopped(
    steps: int, workers: int, whole: Path, tmp_path: Path
) -> None:
    given = recipe(ema=0.9, workers=workers)
    run(tmp_path, given=given, max_steps=steps)
    random.random(), np.random.rand(), torch.rand(3)  # noqa: NPY002
    run(tmp_path, given=given, resume=True)
    assert_same_weights(tmp_path, whole)
    assert logged(tmp_path) == logged(whole)


def test_each_generator_is_drawn_from(whole: Path, tmp_path: Path) -> None:
    """Without its state the weights would be others: what the test above shows, it shows of all three."""
    for disturb in (lambda: random.seed(1), lambda: np.random.seed(1), lambda: torch.manual_seed(1)):  # noqa: NPY002
        seed_all(7)
        drawing = parts(ToyObjective(dropped=0.25, noisy=True))
        seed_all(7)
        disturb()
        out = tmp_path / str(len(list(tmp_path.iterdir())))
        train(drawing, recipe(ema=0.9), out=out, world=ALONE)
        with pytest.raises(AssertionError):
            assert_same_weights(out, whole)


def test_states_come_back() -> None:
    seed_all(3)
    random.gauss(0, 1), np.random.standard_normal()  # noqa: NPY002 each keeps a second number for later
    kept = random_states()

    def draws() -> list[float]:
        own = [random.gauss(0, 1), random.random()]
        own += [float(np.random.standard_normal()), float(np.random.rand())]  # noqa: NPY002
        return [*own, *torch.rand(3).tolist()]

    expected = draws()
    draws()
    restore_random_states(kept)
    assert draws() == expected


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_batches_draw_from_no_global_generator(workers: int) -> None:
    batches = Batches(Sentences(), collate, seed=3, size=2)
    before = random_states()
    assert len(list(stream(batches, first=0, last=4, workers=workers))) == 4
    for name, state in random_states().items():
        assert torch.equal(state, before[name]), name


def one_of_two(rank: int, ports: tuple[int, ...], out: Path) -> None:
    """Be one of two processes that train, stop, and go on."""
    torch.set_num_threads(1)
    for port, (name, options) in zip(
        ports, [("whole", {}), ("cut", {"max_steps": 3}), ("cut", {"resume": True})], strict=True
    ):
        os.environ |= {"WORLD_SIZE": "2", "RANK": str(rank)}
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        world = join_world("cpu")
        run(out / name, world=world, **options)
        world.wait()
        world.close()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.slow
def test_two_processes_go_on_each_with_its_own_draws(tmp_path: Path) -> None:
    multiprocessing.spawn(one_of_two, (tuple(free_port() for _ in range(3)), tmp_path), nprocs=2)
    assert_same_weights(tmp_path / "cut", tmp_path / "whole")
    assert logged(tmp_path / "cut") == logged(tmp_path / "whole")
    names = {path.name for path in last_checkpoint(tmp_path / "cut").iterdir()}
    assert {"random-00000.safetensors", "random-00001.safetensors"} <= names
    with pytest.raises(RecipeError, match="made by 2 processes, this run has 1"):
        run(tmp_path / "cut", resume=True)


def damage_state(folder: Path) -> str:
    (folder / "state.json").write_text('{"step": ')
    return "state.json"


def forget_step(folder: Path) -> str:
    content = json.loads((folder / "state.json").read_text())
    (folder / "state.json").write_text(json.dumps({**content, "step": None}))
    return "state.json"


def cut(name: str) -> Callable[[Path], str]:
    def damage(folder: Path) -> str:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])
        return name

    return damage


def remove(name: str) -> Callable[[Path], str]:
    def damage(folder: Path) -> str:
        (folder / name).unlink()
        return name

    return damage


def swap(folder: Path) -> str:
    (folder / "network.safetensors").write_bytes((folder / "optimiser.safetensors").read_bytes())
    return "network.safetensors"


FILES = ("network", "optimiser", "average", "random-00000")
DAMAGES = {
    "state": damage_state,
    "no step": forget_step,
    "other tensors": swap,
    **{f"cut {name}": cut(f"{name}.safetensors") for name in FILES},
    **{f"without {name}": remove(f"{name}.safetensors") for name in FILES},
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_named(damage: str, stopped: Path, tmp_path: Path) -> None:
    shutil.copytree(stopped, tmp_path / "run")
    file = DAMAGES[damage](last_checkpoint(tmp_path / "run"))
    with pytest.raises(
        RecipeError, match=rf"step-00000004: .*{file} is missing or damaged .*remove the folder"
    ):
        run(tmp_path / "run", resume=True)


def test_without_the_damaged_one_the_one_before_it_is_taken(
    whole: Path, stopped: Path, tmp_path: Path
) -> None:
    shutil.copytree(stopped, tmp_path / "run")
    shutil.rmtree(last_checkpoint(tmp_path / "run"))
    run(tmp_path / "run", resume=True)
    assert_same_weights(tmp_path / "run", whole)


def test_odd_lines_of_a_log_are_dropped(tmp_path: Path) -> None:
    log = tmp_path / "metrics.jsonl"
    log.write_bytes(b'{"step": 1}\n[2]\n"step"\n{"step": "x"}\n\xff\n{"step": 2}\n{"ste')
    assert read_metrics(log) == [{"step": 1}, {"step": 2}]
