"""A recipe: everything a training run is, in one yaml file that mirrors one frozen dataclass."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from deixis.data.augment import Augmentation
from deixis.data.synthesis.dialogue_mix import DialogueMix
from deixis.errors import RecipeError
from deixis.training.recipes.former_names import current_name
from deixis.training.recipes.groups import Group as Group
from deixis.training.recipes.groups import Mixture as Mixture
from deixis.training.recipes.low_rank import LowRank
from deixis.training.recipes.ranges import LARGEST, MOST, Bounds, check_numbers
from deixis.training.recipes.source_choice import SourceChoice
from deixis.training.recipes.strict import build
from deixis.training.recipes.yaml_file import read_yaml

LONGEST_NAME = 100
MOST_WORKERS = 4096
LARGEST_SEED = (1 << 62) - 1
MOST_MEMORY = 0.99999999  # of the optimiser's means: at 1 they would never move
LEAST_CLIP = 1.0e-9
MIX = tuple(field.name for field in dataclasses.fields(DialogueMix))
MOST_DIALOGUES = 1000.0
ALL_FREE, GENTLE = 1.0e-3, 1.0e-4  # rates of recipes without groups: from nothing, and from a model


@dataclass(frozen=True)
class Optimiser:
    """AdamW; decay acts on matrices only, ``clip`` bounds the norm of the whole gradient."""

    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.05
    clip: float = 1.0

    def __post_init__(self) -> None:
        bounds = {"betas": (0, MOST_MEMORY), "weight_decay": (0, LARGEST), "clip": (LEAST_CLIP, LARGEST)}
        check_numbers(self, bounds, what="optimiser")


@dataclass(frozen=True)
class Schedule:
    """A linear rise over ``warmup`` steps, then a cosine down to ``floor`` times the rate."""

    warmup: int = 0
    floor: float = 0.02

    def __post_init__(self) -> None:
        check_numbers(self, {"warmup": (0, MOST), "floor": (0, 1)}, what="schedule")


@dataclass(frozen=True)
class Recipe:
    """One stage of training.

    steps: 0 learns nothing: a model that the recipe starts from is saved with changed options, and what is
    chosen on pictures held out of training is chosen anew. batch: pictures a step over all devices;
    per_device_batch: pictures that one device holds at once, from which the number of accumulated passes
    follows. groups: what learns how fast; without any, everything learns at one rate (``groups_in_use``).
    lora: what learns through low-rank adapters.
    precision: "bfloat16" is autocast, "auto" takes it on a GPU only.
    order: of the examples of an epoch. "shuffled"; "length_groups": steps whose passes are of similar work,
    with pictures or without; "source_groups": steps of one source each.
    ema: decay of the averaged weights that are saved in the end; null for none. threads: of one process; null
    leaves it to torch. network and objective are the system's own options.
    """

    name: str
    system: str
    steps: int
    batch: int
    groups: tuple[Group, ...] | None = None
    per_device_batch: int | None = None
    starts_from: str | None = None
    mixed_with: Mixture | None = None
    seed: int = 0
    precision: Literal["float32", "bfloat16", "auto"] = "auto"
    lora: LowRank | None = None
    order: Literal["shuffled", "length_groups", "source_groups"] = "shuffled"
    ema: float | None = None
    workers: int = 0
    threads: int | None = None
    log_every: int = 10
    save_every: int = 100
    sources: tuple[SourceChoice, ...] = (SourceChoice(),)
    optimiser: Optimiser = Optimiser()
    schedule: Schedule = Schedule()
    dialogues: DialogueMix = field(default_factory=DialogueMix)
    augmentation: Augmentation = field(default_factory=Augmentation)
    network: dict[str, Any] = field(default_factory=dict)
    objective: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        where = f"recipe {self.name!r:.120}"
        check_name(self.name)
        check_numbers(self, self.bounds(), what=where)
        check_numbers(self.dialogues, dict.fromkeys(MIX, (0, MOST_DIALOGUES)), what=f"{where} dialogues")
        check_views(self.augmentation, where=f"{where} augmentation")
        if self.per_device_batch is not None and self.per_device_batch > self.batch:
            raise RecipeError(
                f"{where}: per_device_batch is {self.per_device_batch}; expected at most the batch of "
                f"{self.batch}"
            )
        if self.ema is not None and not 0 < self.ema < 1:
            raise RecipeError(f"{where}: ema is {self.ema}; expected a decay between 0 and 1, or null")
        if self.mixed_with is not None and self.starts_from is None:
            raise RecipeError(f"{where}: mixed_with needs a model that it starts_from")
        if not self.sources:
            raise RecipeError(f"{where} has no sources; expected at least one, or leave the key out")
        if self.steps and all(group.frozen for group in self.groups_in_use):
            raise RecipeError(
                f"{where}: nothing would train, every group is frozen; give one a rate, or leave groups out: "
                "then everything learns"
            )

    def bounds(self) -> Bounds:
        """Return within what the recipe's own numbers have to lie."""
        counts = ("batch", "per_device_batch", "log_every", "save_every")
        return {
            "steps": (1 if self.starts_from is None else 0, MOST),
            **dict.fromkeys(counts, (1, MOST)),
            "seed": (0, LARGEST_SEED),
            "workers": (0, MOST_WORKERS),
            "threads": (1, MOST_WORKERS),
        }

    @property
    def groups_in_use(self) -> tuple[Group, ...]:
        """The recipe's groups; without any, one of everything, or of all adapters and the rest frozen.

        >>> tuned = Recipe("r", "pointer", steps=1, batch=8, starts_from="pointer")
        >>> tuned.groups_in_use
        (Group(parts=('',), rate=0.0001, frozen_until=0.0, containing=()),)
        """
        if self.groups is not None:
            return self.groups
        rate = ALL_FREE if self.starts_from is None else GENTLE
        if self.lora is None:
            return (Group(("",), rate),)
        return (Group(("",), ALL_FREE, containing=("lora_",)), Group(("",), 0.0, frozen_until=1.0))

    def with_max_pixels(self, max_pixels: int) -> Recipe:
        """Return the recipe with pictures of so many pixels allowed in every source."""
        sources = tuple(dataclasses.replace(source, max_pixels=max_pixels) for source in self.sources)
        return dataclasses.replace(self, sources=sources)

    def passes(self, *, devices: int) -> int:
        """Return how many passes of ``per_device_batch`` pictures on each device make one step.

        >>> all_parts = Group(("",), 1e-3)
        >>> recipe = Recipe("r", "pointer", steps=1, batch=64, per_device_batch=8, groups=(all_parts,))
        >>> recipe.passes(devices=2)
        4
        """
        per_device = self.per_device_batch or max(self.batch // devices, 1)
        if self.batch % (devices * per_device):
            raise RecipeError(
                f"recipe {self.name!r}: a batch of {self.batch} can't be made of {devices} devices x "
                f"{per_device} "
                f"pictures; choose a per_device_batch that divides {self.batch / devices:g}"
            )
        return self.batch // (devices * per_device)

    def as_dict(self) -> dict[str, Any]:
        """Return the resolved recipe, as it is saved beside every checkpoint."""
        return dataclasses.asdict(self)


def read_recipe(path: Path) -> Recipe:
    """Return the recipe of a yaml file; RecipeError names the key that is wrong."""
    return build(Recipe, read_yaml(path), where=str(path))


def is_run_name(name: str) -> bool:
    """Tell whether a run can have that name: a folder below ``--out`` is called so.

    >>> is_run_name("pointer-stage-1"), is_run_name("../elsewhere"), is_run_name("/tmp/x"), is_run_name("..")
    (True, False, False, False)
    """
    fine = name.isprintable() and name == name.strip() and not name.startswith(".")
    return fine and 0 < len(name.encode(errors="replace")) <= LONGEST_NAME and not set(name) & set("/\\:")


def check_name(name: str) -> None:
    """Raise RecipeError unless a run can have that name."""
    if not is_run_name(name):
        raise RecipeError(
            f"name is {name!r:.120}; expected the name of a new folder: up to {LONGEST_NAME} letters, no "
            "slashes, no dot in front"
        )


def check_views(views: Augmentation, *, where: str) -> None:
    """Raise RecipeError for views that can't be drawn."""
    shares = ("shift", "mirror", "contrast", "colour", "grey", "keep")
    check_numbers(views, {"zoom": (0.01, 100), **dict.fromkeys(shares, (0, 1))}, what=where)
    if views.zoom[0] > views.zoom[1]:
        raise RecipeError(f"{where}: zoom is {list(views.zoom)}; expected the smaller one first")


def needed_by(recipe: Recipe) -> list[str]:
    """Return the names of the models that a recipe starts from and mixes in."""
    mixed = None if recipe.mixed_with is None else recipe.mixed_with.model
    return [name for name in (recipe.starts_from, mixed) if name is not None]


def in_order(recipes: Sequence[Recipe]) -> list[Recipe]:
    """Return recipes so that each comes after those whose models it needs."""
    by_name = {current_name(recipe.name): recipe for recipe in recipes}
    if len(by_name) < len(recipes):
        raise RecipeError("two recipes have the same name; each is saved under its own")
    ordered: list[Recipe] = []

    def place(recipe: Recipe, chain: tuple[str, ...]) -> None:
        if recipe.name in chain:
            raise RecipeError(
                f"recipes start from each other in a circle: {' -> '.join((*chain, recipe.name))}"
            )
        if recipe in ordered:
            return
        for name in needed_by(recipe):
            if (needed := by_name.get(current_name(name))) is not None:
                place(needed, (*chain, recipe.name))
        ordered.append(recipe)

    for recipe in recipes:
        place(recipe, ())
    return ordered
