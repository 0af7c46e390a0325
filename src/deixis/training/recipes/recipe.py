"""A recipe: everything a training run is, in one yaml file that mirrors one frozen dataclass."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from deixis.data.augment import Augmentation
from deixis.data.synthesis.dialogue_mix import DialogueMix
from deixis.errors import RecipeError
from deixis.training.recipes.strict import build

LARGEST_RECIPE = 1 << 20


@dataclass(frozen=True)
class SourceChoice:
    """A dataset below the ``--data`` folder. Its last ``hold_out`` pictures are never trained on.

    With ``records`` it is a file of records in that folder (docs/data.md), with ``grit`` one in the format of
    Ferret's training data (docs/grit.md), whose pictures lie in ``images``; there are no splits then. dense:
    all things of a picture in one question (Ferret-v2's second stage) instead of drawn dialogues.
    multiplier: how often the source comes up beside the others. ``grit``, ``dense`` and multipliers are for
    systems that spell boxes as text. detection: the labelled boxes of the pictures and no dialogues, for
    systems that learn to find things before they learn to speak.
    """

    folder: str = "."
    split: str = "train"
    hold_out: int = 0
    records: str | None = None
    grit: str | None = None
    images: str = "images"
    dense: bool = False
    multiplier: float = 1.0
    detection: bool = False

    def __post_init__(self) -> None:
        kinds = [name for name in ("records", "grit", "dense", "detection") if getattr(self, name)]
        if len(kinds) > 1:
            raise RecipeError(f"source {self.folder!r} is {' and '.join(kinds)}; make a source of each")
        if self.hold_out < 0 or (self.hold_out and (self.records or self.grit)):
            raise RecipeError(
                f"source {self.folder!r} has hold_out {self.hold_out}; expected a number of pictures of a "
                "dataset, 0 for a file of records"
            )


@dataclass(frozen=True)
class Group:
    """Parameters whose names begin with one of ``parts`` ("" is how every name begins).

    containing: of these, only parameters whose names contain one of these texts anywhere; empty takes all.
    The first group that takes a parameter counts. They learn at ``rate``, but stand still for the first
    ``frozen_until`` (0..1) of the run; 1 is for good.
    """

    parts: tuple[str, ...]
    rate: float
    frozen_until: float = 0.0
    containing: tuple[str, ...] = ()

    def takes(self, name: str) -> bool:
        """Tell whether a parameter of that name belongs here, unless an earlier group takes it.

        >>> adapters = Group(("network.language",), 1e-4, containing=("lora_", "norm"))
        >>> adapters.takes("network.language.0.lora_a"), adapters.takes("network.language.0.weight")
        (True, False)
        """
        inside = not self.containing or any(text in name for text in self.containing)
        return inside and any(name.startswith(part) for part in self.parts)


@dataclass(frozen=True)
class Mixture:
    """Another model (a recipe's name, or a folder) whose weights are mixed in before anything is learnt.

    shares: by the beginning of a parameter's name, the share (0..1) that comes from the other model. The
    longest beginning counts; "" matches all.
    """

    model: str
    shares: dict[str, float]

    def __post_init__(self) -> None:
        wrong = {part: share for part, share in self.shares.items() if not 0 <= share <= 1}
        if wrong or not self.shares:
            raise RecipeError(
                f"the shares mixed in from {self.model!r} are {self.shares}; expected 0 to 1 each"
            )


@dataclass(frozen=True)
class Optimiser:
    """AdamW; decay acts on matrices only, ``clip`` bounds the norm of the whole gradient."""

    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.05
    clip: float = 1.0


@dataclass(frozen=True)
class Schedule:
    """A linear rise over ``warmup`` steps, then a cosine down to ``floor`` times the rate."""

    warmup: int = 0
    floor: float = 0.02


@dataclass(frozen=True)
class Recipe:
    """One stage of training.

    steps: 0 learns nothing: a model that the recipe starts from is saved with changed options, and what is
    chosen on pictures held out of training is chosen anew. batch: pictures a step over all devices;
    per_device_batch: pictures that one device holds at once, from which the number of accumulated passes
    follows. precision: "bfloat16" is autocast, "auto" takes it on a GPU only.
    order: of the examples of an epoch. "shuffled"; "length_groups": steps whose passes are of similar work,
    with pictures or without; "source_groups": steps of one source each.
    ema: decay of the averaged weights that are saved in the end; null for none. threads: of one process; null
    leaves it to torch. network and objective are the system's own options.
    """

    name: str
    system: str
    steps: int
    batch: int
    groups: tuple[Group, ...]
    per_device_batch: int | None = None
    starts_from: str | None = None
    mixed_with: Mixture | None = None
    seed: int = 0
    precision: Literal["float32", "bfloat16", "auto"] = "auto"
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
        least = {"steps": 1 if self.starts_from is None else 0, "batch": 1, "log_every": 1, "save_every": 1}
        for name, lowest in least.items():
            if getattr(self, name) < lowest:
                raise RecipeError(
                    f"recipe {self.name!r}: {name} is {getattr(self, name)}; expected at least {lowest}"
                )
        if self.ema is not None and not 0 < self.ema < 1:
            raise RecipeError(
                f"recipe {self.name!r}: ema is {self.ema}; expected a decay between 0 and 1, or null"
            )
        if self.mixed_with is not None and self.starts_from is None:
            raise RecipeError(f"recipe {self.name!r}: mixed_with needs a model that it starts_from")
        if not self.groups:
            raise RecipeError(f"recipe {self.name!r}: nothing would train; give at least one group")

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
    try:
        if path.stat().st_size > LARGEST_RECIPE:
            raise RecipeError(f"recipe {path} is over {LARGEST_RECIPE:,} bytes")
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise RecipeError(f"recipe {str(path)!r} cannot be read: {fault.strerror or fault}") from fault
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise RecipeError(f"recipe {str(path)!r} is not valid yaml: {fault}") from fault
    return build(Recipe, values, where=str(path))


def needed_by(recipe: Recipe) -> list[str]:
    """Return the names of the models that a recipe starts from and mixes in."""
    mixed = None if recipe.mixed_with is None else recipe.mixed_with.model
    return [name for name in (recipe.starts_from, mixed) if name is not None]


def in_order(recipes: Sequence[Recipe]) -> list[Recipe]:
    """Return recipes so that each comes after those whose models it needs."""
    by_name = {recipe.name: recipe for recipe in recipes}
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
            if name in by_name:
                place(by_name[name], (*chain, recipe.name))
        ordered.append(recipe)

    for recipe in recipes:
        place(recipe, ())
    return ordered
