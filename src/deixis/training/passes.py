"""The passes of one step: their losses, added up to the gradient of the whole step's loss."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from deixis.errors import NonFiniteLoss
from deixis.files.writing import write_whole
from deixis.training.batches import Batch
from deixis.training.losses import Loss, Objective, added_up, check_supervised, weighted
from deixis.training.parallel import World
from deixis.training.recipes.recipe import Recipe
from deixis.training.state.writing import writing

# All but cuDNN's: it is planned anew for every length of texts, which takes seconds.
ATTENTION = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]


def learn_from(
    passes: Sequence[Batch], objective: Objective, recipe: Recipe, *, world: World, step: int, out: Path
) -> dict[str, float]:
    """Add this process's part of the step's gradient to the parameters; return its part of every mean loss.

    passes: the batches that this process learns from in the step, on the CPU. The parts of all processes,
    added up, are the losses of the step, "total" among them.
    """
    totals = world.sum_counts(added_up(objective.counts(batch) for batch in passes))
    check_supervised(totals, passes)
    means: defaultdict[str, float] = defaultdict(float)
    for batch in passes:
        losses = losses_of(objective, batch, recipe, device=world.device)
        total = weighted(losses, totals)
        check_finite(total, losses, batch, step=step, out=out)
        total.backward()
        for name, loss in losses.items():
            means[name] += float(loss.mean.detach()) * float(loss.share(totals[name]))
        means["total"] += float(total.detach())
    return means


def losses_of(objective: Objective, batch: Batch, recipe: Recipe, *, device: torch.device) -> dict[str, Loss]:
    """Return the losses of one pass, in the recipe's precision; what of a batch can be moved is moved."""
    moved = {name: value.to(device) if hasattr(value, "to") else value for name, value in batch.items()}
    reduced = recipe.precision == "bfloat16" or (recipe.precision == "auto" and device.type == "cuda")
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=reduced), sdpa_kernel(ATTENTION):
        return objective.losses(moved)


def check_finite(
    total: Tensor, losses: Mapping[str, Loss], batch: Mapping[str, Any], *, step: int, out: Path
) -> None:
    """Stop with a report of the batch when a loss is not a number."""
    if torch.isfinite(total):
        return
    report = {
        "step": step,
        "losses": {name: float(loss.mean.detach()) for name, loss in losses.items()},
        "pictures": batch.get("names", []),
        "tensors": {
            name: {"shape": list(value.shape), "finite": bool(torch.isfinite(value).all())}
            for name, value in batch.items()
            if isinstance(value, Tensor) and value.is_floating_point()
        },
    }
    path = out / "non-finite.json"
    with writing(path):
        write_whole(path, json.dumps(report, indent=1))
    raise NonFiniteLoss(
        f"step {step}: the loss is not finite ({report['losses']}); the batch is described in {path}. "
        "Lower the rates, or look at those pictures"
    )
