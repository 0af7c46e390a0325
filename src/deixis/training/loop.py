"""The training loop: batch, loss, backward, step; log, save, resume."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from tqdm import tqdm

from deixis.data.dialogue import Example
from deixis.errors import NonFiniteLoss, RecipeError
from deixis.training.batches import Batch, Batches, ExampleSource, stream
from deixis.training.checkpoints import RunState, checkpoints, load_checkpoint, save_checkpoint
from deixis.training.ema import AveragedWeights
from deixis.training.metrics import MetricsLog, plot_metrics
from deixis.training.optimiser import build_optimiser, learning, prepare_step
from deixis.training.parallel import World
from deixis.training.recipe import Recipe

# All but cuDNN's: it is planned anew for every length of texts, which takes seconds.
ATTENTION = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]


@dataclass(frozen=True)
class TrainingParts:
    """What a system hands to the loop.

    objective: called with a batch, returns losses by name, "total" among them (what is minimised).
    save: writes a folder that ``deixis.load`` opens, given the objective with its final weights.
    """

    objective: nn.Module
    source: ExampleSource
    collate: Callable[[Sequence[Example]], Batch]
    save: Callable[[nn.Module, Path], None]


def train(
    parts: TrainingParts,
    recipe: Recipe,
    *,
    out: Path,
    world: World,
    resume: bool = False,
    max_steps: int | None = None,
) -> Path:
    """Train by the recipe and return the folder of the finished model, ``out / "model"``.

    max_steps ends the run early, the schedule unchanged; the model is saved all the same.
    """
    if not resume and out.exists() and checkpoints(out):
        raise RecipeError(f"{out} holds an earlier run; go on with --resume, or choose another --out")
    out.mkdir(parents=True, exist_ok=True)
    objective = parts.objective.to(world.device).train()
    average = None if recipe.ema is None else AveragedWeights(objective, decay=recipe.ema)
    state = RunState(objective, build_optimiser(objective, recipe), average)
    step = 0
    if resume and (saved := checkpoints(out)):
        step = load_checkpoint(saved[-1], state, recipe=recipe.as_dict())
    last = min(recipe.steps, max_steps or recipe.steps)
    passes = recipe.passes(devices=world.size)
    size = recipe.batch // (passes * world.size)
    batches = Batches(
        parts.source, parts.collate, seed=recipe.seed, size=size, rank=world.rank, world=world.size
    )
    incoming = stream(batches, first=step * passes, last=last * passes, workers=recipe.workers)
    log = MetricsLog(out / "metrics.jsonl", first_step=step) if world.leads else None
    losses: defaultdict[str, float] = defaultdict(float)
    started, pictures = time.monotonic(), 0
    with tqdm(total=last, initial=step, unit="step", desc=recipe.name, disable=not world.leads) as bar:
        while step < last:
            factor = prepare_step(state.optimiser, recipe, step)
            for _ in range(passes):
                batch = next(incoming)
                current = losses_of(objective, batch, recipe, world)
                check_finite(current, batch, step=step, out=out)
                (current["total"] / passes).backward()
                for name, value in current.items():
                    losses[name] += float(value.detach()) / passes
            world.average_gradients(learning(state.optimiser))
            norm = nn.utils.clip_grad_norm_(learning(state.optimiser), recipe.optimiser.clip)
            state.optimiser.step()
            state.optimiser.zero_grad(set_to_none=True)
            if average is not None:
                average.update(objective, step=step)
            step, pictures = step + 1, pictures + recipe.batch
            bar.update()
            if log is not None and (step % recipe.log_every == 0 or step == last):
                count, speed = pictures // recipe.batch, pictures / (time.monotonic() - started)
                means = {name: value / count for name, value in losses.items()}
                log.add(
                    {
                        "step": step,
                        "losses": means,
                        "factor": factor,
                        "norm": float(norm),
                        "pictures_per_s": speed,
                    }
                )
                bar.set_postfix(loss=f"{means['total']:.3f}", pictures_per_s=f"{speed:.1f}")
                losses.clear()
                started, pictures = time.monotonic(), 0
            if world.leads and (step % recipe.save_every == 0 or step == last):
                save_checkpoint(out, state, step=step, recipe=recipe.as_dict())
    if average is not None:
        objective.load_state_dict(average.state)
    if world.leads:
        parts.save(objective, out / "model")
        plot_metrics(out / "metrics.jsonl", out / "metrics.png")
    return out / "model"


def losses_of(objective: nn.Module, batch: Batch, recipe: Recipe, world: World) -> dict[str, Tensor]:
    """Return the losses of one pass, in the recipe's precision."""
    moved = {
        name: value.to(world.device) if isinstance(value, Tensor) else value for name, value in batch.items()
    }
    reduced = recipe.precision == "bfloat16" or (recipe.precision == "auto" and world.device.type == "cuda")
    with torch.autocast(world.device.type, dtype=torch.bfloat16, enabled=reduced), sdpa_kernel(ATTENTION):
        return objective(moved)


def check_finite(losses: dict[str, Tensor], batch: dict[str, Any], *, step: int, out: Path) -> None:
    """Stop with a report of the batch when a loss is not a number."""
    if torch.isfinite(losses["total"]):
        return
    report = {
        "step": step,
        "losses": {name: float(value.detach()) for name, value in losses.items()},
        "pictures": batch.get("names", []),
        "tensors": {
            name: {"shape": list(value.shape), "finite": bool(torch.isfinite(value).all())}
            for name, value in batch.items()
            if isinstance(value, Tensor) and value.is_floating_point()
        },
    }
    path = out / "non-finite.json"
    path.write_text(json.dumps(report, indent=1), encoding="utf-8")
    raise NonFiniteLoss(
        f"step {step}: the loss is not finite ({report['losses']}); the batch is described in {path}. "
        "Lower the rates, "
        "or look at those pictures"
    )
