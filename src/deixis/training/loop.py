"""The training loop: passes, gradient, step; log, save, resume."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from deixis.data.example_source import ExampleSource
from deixis.errors import RecipeError
from deixis.layers.low_rank import add_adapters, merge_adapters
from deixis.progress import SILENT, Progress
from deixis.training.batches import Batch, Batches, stream
from deixis.training.losses import Objective
from deixis.training.metrics import MetricsLog, plot_metrics
from deixis.training.optimiser import build_optimiser, learning, prepare_step
from deixis.training.order import order_of
from deixis.training.parallel import World
from deixis.training.passes import learn_from
from deixis.training.recipes.parameter_names import written
from deixis.training.recipes.recipe import Recipe
from deixis.training.state.checkpoints import (
    RunState,
    checkpoints,
    load_checkpoint,
    remove_partial,
    save_checkpoint,
)
from deixis.training.state.ema import AveragedWeights
from deixis.training.state.origin import Origin
from deixis.training.state.writing import writing
from deixis.training.workers import worker_count

LOG = logging.getLogger("deixis")


@dataclass(frozen=True)
class TrainingParts:
    """What a system hands to the loop.

    objective: what of a batch is learnt, and its losses (``losses.Objective``). collate: from the source's
    examples to a batch; what it calls "names" are the pictures that messages name.
    save: writes a folder that ``deixis.load`` opens, given the objective with its final weights; it only
    writes. fit: chooses what is fitted to a network that has learnt, such as thresholds; None where nothing
    is. It is called between training and saving, the objective with its final weights, ``eval()``, on the
    run's device; never after a run that ``max_steps`` cut short.
    data: digests by which a resumed run knows that the data are those of before, by what they are of.
    """

    objective: Objective
    source: ExampleSource
    collate: Callable[[Sequence[Any]], Batch]
    save: Callable[[nn.Module, Path], None]
    fit: Callable[[], None] | None = None
    data: Mapping[str, str] = field(default_factory=dict)


def train(
    parts: TrainingParts,
    recipe: Recipe,
    *,
    out: Path,
    world: World,
    resume: bool = False,
    max_steps: int | None = None,
    progress: Progress = SILENT,
) -> Path:
    """Train by the recipe and return the folder of the finished model, ``out / "model"``.

    max_steps ends the run early, the schedule unchanged; the model is saved all the same, nothing is fitted.
    UsageError: a file can't be written.
    """
    prepare_folder(out, world=world, resume=resume)
    objective = parts.objective.to(world.device).train()
    adapt(objective, recipe)
    average = None if recipe.ema is None else AveragedWeights(objective, decay=recipe.ema)
    state = RunState(objective, build_optimiser(objective, recipe), average)
    origin = Origin(recipe.as_dict(), processes=world.size, data=dict(parts.data))
    first = 0
    if resume and (saved := checkpoints(out)):
        first = load_checkpoint(saved[-1], state, origin=origin, world=world)
    last = max(min(recipe.steps, max_steps or recipe.steps), first)
    incoming = batches_of(parts, recipe, world=world, first=first, last=last)
    tracked = progress if world.leads else SILENT
    log = MetricsLog(out / "metrics.jsonl", first_step=first) if world.leads else None
    means = RunningMeans(recipe, log, world=world, progress=tracked)
    steps = range(first, last)
    for done in tracked.track(steps, f"{recipe.name}: training", total=last, first=first, unit="step"):
        factor = prepare_step(state.optimiser, recipe, done)
        held = [next(incoming) for _ in range(recipe.passes(devices=world.size))]
        means.add(learn_from(held, objective, recipe, world=world, step=done, out=out))
        norm = update(state, recipe, world=world, step=done)
        step = done + 1
        if step % recipe.log_every == 0 or step == last:
            means.report(step, factor=factor, norm=norm)
        if step % recipe.save_every == 0 or step == last:
            save_checkpoint(out, state, step=step, origin=origin, world=world)
    with_average(state)
    merge_adapters(objective)
    if world.leads:
        fit(parts, recipe, cut_short=last < recipe.steps, progress=tracked)
        save_model(parts, recipe, out=out, progress=tracked)
    return out / "model"


def with_average(state: RunState) -> None:
    """Give the network the averaged weights, if the run averages them."""
    if state.average is not None:
        state.network.load_state_dict(state.average.state)


def save_model(parts: TrainingParts, recipe: Recipe, *, out: Path, progress: Progress) -> None:
    """Write the model and the curves of its losses."""
    progress.phase(f"{recipe.name}: saving")
    with writing(out / "model"):
        parts.save(parts.objective, out / "model")
        plot_metrics(out / "metrics.jsonl", out / "metrics.png")


def prepare_folder(out: Path, *, world: World, resume: bool) -> None:
    """Make the folder of a run; RecipeError where an earlier one is in it that isn't resumed."""
    if not resume and out.exists() and checkpoints(out):
        raise RecipeError(f"{out} holds an earlier run; go on with --resume, or choose another --out")
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
    if world.leads:
        remove_partial(out)


def batches_of(
    parts: TrainingParts, recipe: Recipe, *, world: World, first: int, last: int
) -> Iterator[Batch]:
    """Return what this process learns from in the steps from ``first`` up to ``last``, pass by pass."""
    passes = recipe.passes(devices=world.size)
    batches = Batches(
        parts.source,
        parts.collate,
        seed=recipe.seed,
        size=recipe.batch // (passes * world.size),
        rank=world.rank,
        world=world.size,
        order=order_of(parts.source, recipe, chunks=passes * world.size),
    )
    workers = worker_count(recipe.workers, passes=(last - first) * passes, processes=world.size)
    return stream(batches, first=first * passes, last=last * passes, workers=workers)


def update(state: RunState, recipe: Recipe, *, world: World, step: int) -> Tensor:
    """Move the weights by the gradients of all processes and return the norm that these had."""
    world.sum_gradients(learning(state.optimiser))
    norm = nn.utils.clip_grad_norm_(learning(state.optimiser), recipe.optimiser.clip)
    state.optimiser.step()
    state.optimiser.zero_grad(set_to_none=True)
    if state.average is not None:
        state.average.update(state.network, step=step)
    return norm  # still where the network is: a number of it would be waited for


class RunningMeans:
    """The losses since they were last reported, for the log and the bar. log: None where none is written."""

    def __init__(self, recipe: Recipe, log: MetricsLog | None, *, world: World, progress: Progress) -> None:
        self.recipe, self.log, self.world, self.progress = recipe, log, world, progress
        self.begin()

    def begin(self) -> None:
        """Forget what was reported."""
        self.losses: defaultdict[str, float] = defaultdict(float)
        self.steps, self.started = 0, time.monotonic()

    def add(self, losses: Mapping[str, float]) -> None:
        """Take the losses of one step."""
        for name, value in losses.items():
            self.losses[name] += value
        self.steps += 1

    def report(self, step: int, *, factor: float, norm: Tensor) -> None:
        """Write the means over all processes, which has to be called in each of them."""
        speed = self.steps * self.recipe.batch / (time.monotonic() - self.started)
        means = {name: value / self.steps for name, value in self.world.sum_values(self.losses).items()}
        if self.log is not None:
            numbers = {"factor": factor, "norm": float(norm), "pictures_per_s": speed}
            self.log.add({"step": step, "losses": means, **numbers})
        self.progress.note(f"loss={means['total']:.3f}, pictures_per_s={speed:.1f}")
        self.begin()


def adapt(objective: nn.Module, recipe: Recipe) -> None:
    """Give a network the adapters that the recipe asks for; RecipeError where nothing could take one."""
    if recipe.lora is None:
        return
    wanted = recipe.lora
    if not add_adapters(
        objective, parts=wanted.stored_parts, rank=wanted.rank, scale=wanted.scale, seed=recipe.seed
    ):
        raise RecipeError(
            f"recipe {recipe.name!r}: no linear map has a name that begins with one of lora's parts "
            f"{list(wanted.parts)}; there are linear maps in {', '.join(parts_with_maps(objective))}"
        )


def parts_with_maps(objective: nn.Module) -> list[str]:
    """Return the first two words of every linear map's name, as recipes write them, each once."""
    names = (name for name, module in objective.named_modules() if isinstance(module, nn.Linear))
    return sorted({written(".".join(name.split(".")[:2])) for name in names})


def fit(parts: TrainingParts, recipe: Recipe, *, cut_short: bool, progress: Progress) -> None:
    """Let a system fit what it fits to a network that has learnt, unless the run was cut short."""
    if parts.fit is None:
        return
    if cut_short:
        LOG.warning(
            "recipe %r was stopped early: nothing is fitted to its model; go on with --resume to finish it",
            recipe.name,
        )
        return
    progress.phase(f"{recipe.name}: fitting")
    parts.objective.eval()
    parts.fit()
