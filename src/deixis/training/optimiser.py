"""What learns, how fast, and when it starts: parameter groups, AdamW and the schedule."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn

from deixis.errors import RecipeError
from deixis.training.recipes.parameter_names import written
from deixis.training.recipes.recipe import Group, Recipe, Schedule


def group_of(name: str, groups: tuple[Group, ...]) -> int | None:
    """Return the index of the first group that a parameter belongs to."""
    return next((index for index, group in enumerate(groups) if group.takes(name)), None)


def build_optimiser(network: nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    """Return AdamW over all parameters of the recipe's groups; each remembers its ``group`` and ``names``."""
    groups = recipe.groups_in_use
    buckets: dict[tuple[int, bool], list[tuple[str, nn.Parameter]]] = {}
    for name, parameter in network.named_parameters():
        index = group_of(name, groups)
        if index is None:
            raise RecipeError(
                f"recipe {recipe.name!r}: no group takes {written(name)}; end with a group whose parts are "
                '[""], with frozen_until 1 if it must not learn'
            )
        buckets.setdefault((index, parameter.ndim >= 2), []).append((name, parameter))
    for index, group in enumerate(groups):
        if not any(key[0] == index for key in buckets):
            asked = f"parts {list(group.parts)}"
            asked += f" containing {list(group.containing)}" if group.containing else ""
            raise RecipeError(f"recipe {recipe.name!r}: group {index} with {asked} matches nothing")
    settings = [
        {
            "params": [parameter for _, parameter in members],
            "names": [name for name, _ in members],
            "group": index,
            "weight_decay": recipe.optimiser.weight_decay if matrix else 0.0,
        }
        for (index, matrix), members in sorted(buckets.items())
    ]
    return torch.optim.AdamW(settings, lr=0.0, betas=recipe.optimiser.betas)


def rate_factor(step: int, *, steps: int, schedule: Schedule) -> float:
    """Return what the rates are multiplied by at a step.

    >>> [round(rate_factor(s, steps=10, schedule=Schedule(warmup=2, floor=0.0)), 2) for s in (0, 1, 2, 6, 9)]
    [0.5, 1.0, 1.0, 0.5, 0.04]
    """
    if step < schedule.warmup:
        return (step + 1) / schedule.warmup
    progress = (step - schedule.warmup) / max(steps - schedule.warmup, 1)
    return schedule.floor + (1 - schedule.floor) * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))


def prepare_step(optimiser: torch.optim.Optimizer, recipe: Recipe, step: int) -> float:
    """Set rates for ``step`` and which parameters learn; returns the factor of the schedule."""
    factor = rate_factor(step, steps=recipe.steps, schedule=recipe.schedule)
    for bucket in optimiser.param_groups:
        group = recipe.groups_in_use[bucket["group"]]
        bucket["lr"] = group.rate * factor
        learns = step >= group.frozen_until * recipe.steps
        for parameter in bucket["params"]:
            parameter.requires_grad_(learns)
            if not learns:
                parameter.grad = None
    return factor


def learning(optimiser: torch.optim.Optimizer) -> Iterable[nn.Parameter]:
    """Yield the parameters that learn at this step."""
    for bucket in optimiser.param_groups:
        yield from (parameter for parameter in bucket["params"] if parameter.requires_grad)
