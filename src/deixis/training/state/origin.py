"""Where a checkpoint comes from, and whether a run may go on from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from deixis.errors import RecipeError
from deixis.training.recipes.recipe import Recipe
from deixis.training.recipes.strict import build

# What may differ, for no weight depends on it: who loads, and how often is logged and saved. Threads and
# per_device_batch do change weights, in their last digits: sums are added up in another order.
FREE = ("workers", "log_every", "save_every")
FREE_IN_SOURCES = ("max_pixels",)  # which pictures it lets through, the digests of the data tell


@dataclass(frozen=True)
class Origin:
    """The recipe of a run, how many processes it has, and digests of its data by what they are of."""

    recipe: Mapping[str, Any]
    processes: int
    data: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return asdict(self)

    def check(self, kept: Mapping[str, Any], *, name: str) -> None:
        """Raise RecipeError where a checkpoint is of another run, saying what differs.

        kept: what it keeps; a checkpoint of an earlier version keeps no digests. name: the checkpoint's, for
        the message.
        """
        own, made_by = lasting(json.loads(json.dumps(self.recipe))), lasting(todays(dict(kept["recipe"])))
        changed = sorted(key for key in own if made_by.get(key) != own[key])
        if changed:
            raise RecipeError(
                f"checkpoint {name} was made by a recipe with other {', '.join(changed)}; a resumed run must "
                f"be the same run (only {', '.join((*FREE, *FREE_IN_SOURCES))} may change). Restore the "
                "recipe, or start anew in another --out folder"
            )
        if kept.get("processes") != self.processes:
            raise RecipeError(
                f"checkpoint {name} was made by {kept.get('processes')} processes, this run has "
                f"{self.processes}; their random states differ. Resume with as many, or start anew in "
                "another --out folder"
            )
        self.check_data(dict(kept.get("data") or {}), name=name)

    def check_data(self, before: Mapping[str, str], *, name: str) -> None:
        """Raise RecipeError where the data are not those of before."""
        other = [what for what in self.data if what in before and before[what] != self.data[what]]
        if other:
            told = "; ".join(f"{what}: {said(before[what])}, now {said(self.data[what])}" for what in other)
            raise RecipeError(
                f"the data have changed since checkpoint {name} was made ({told}); a resumed run must see "
                "the same data. Restore them, or start anew in another --out folder"
            )


def lasting(recipe: dict[str, Any]) -> dict[str, Any]:
    """Return what of a recipe may not change."""
    kept = {key: value for key, value in recipe.items() if key not in FREE}
    if isinstance(kept.get("sources"), list):
        kept["sources"] = [
            {key: value for key, value in source.items() if key not in FREE_IN_SOURCES}
            if isinstance(source, dict)
            else source
            for source in kept["sources"]
        ]
    return kept


def said(digest: str) -> str:
    """Return a digest for a message."""
    count, _, letters = digest.partition(":")
    return f"{count} entries of digest {letters[:8]}"


def todays(recipe: dict[str, Any]) -> dict[str, Any]:
    """Return a kept recipe under the names of today; as it is where it is none."""
    try:
        made: dict[str, Any] = json.loads(json.dumps(build(Recipe, recipe, where="recipe").as_dict()))
    except RecipeError:
        return recipe
    return made
