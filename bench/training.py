"""Training steps of the pointer system on drawn pictures: pictures a second, on one core and on all."""

from __future__ import annotations

import math
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.benchmark import Benchmark, Side
from bench.memory import PeakMemory

BENCHMARK = Benchmark(
    name="training",
    what="a training step (forward, backward, update) of the pointer system on 8 pictures of 192 x 192",
    given={"pictures": 8, "side": 192, "seed": 0},
    sides=(
        Side("one core", "bench.training:steps", threads=1),
        Side("all cores", "bench.training:steps", threads=None),
    ),
    tolerance=1e-3,
)


def steps(given: dict[str, Any]) -> dict[str, Any]:
    """Time whole steps on one batch; the losses before the first update are what is compared."""
    import torch

    from deixis.systems import training_parts
    from deixis.training.batches import Batches
    from deixis.training.optimiser import build_optimiser
    from deixis.training.recipes.recipe import Group, Recipe
    from tests.toy.pack import write_toy_pack

    recipe = Recipe(
        "bench",
        "pointer",
        steps=1000,
        batch=given["pictures"],
        groups=(Group(("",), 1e-3),),
        precision="float32",
        network={"side": given["side"]},
        objective={"pretrained": False},
    )
    torch.manual_seed(given["seed"])
    with tempfile.TemporaryDirectory(prefix="bench-training-") as folder:
        data = write_toy_pack(Path(folder) / "pack", pictures=given["pictures"], seed=given["seed"])
        parts = training_parts(recipe, data=data, start=None, work=Path(folder) / "run")
        batch = Batches(parts.source, parts.collate, seed=given["seed"], size=given["pictures"])[0]
    objective = parts.objective.train()
    optimiser = build_optimiser(objective, recipe)
    memory = PeakMemory()
    seconds, first = [], {}
    for number in range(given["repeats"] + 1):
        started = time.perf_counter()
        losses = objective(batch)
        losses["total"].backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        seconds.append(time.perf_counter() - started)
        if number == 0:
            first = {name: float(value.detach()) for name, value in losses.items()}
    if not all(map(math.isfinite, first.values())):
        sys.exit(f"a loss is not a number: {first}")
    return {"seconds": seconds[1:], "values": first, "items": given["pictures"], **memory.read()}
