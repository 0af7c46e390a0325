"""Does cutting a picture into tiles pay? The scaling study of the Ferret-v2 paper (section 3), in small.

Three ways to spend pixels (one picture at the vision encoder's own size, one enlarged picture, tiles of any
resolution), each with the encoders frozen and trained.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from deixis.errors import UsageError
from deixis.studies.study import Variant
from deixis.training.recipes.parameter_names import WRITTEN
from deixis.training.recipes.recipe import Group, Recipe

MODES = ("fixed", "direct_upsample", "any_res")
ENLARGED = 2  # an enlarged picture has the side of a canvas of so many tiles
CROP = 224  # what a configuration has where a recipe says nothing
ENCODERS = tuple(WRITTEN.values())


def resolution_variants(recipe: Recipe) -> list[Variant]:
    """Return the six variants of a recipe of ``ferret_v2``.

    The recipe's group that trains the encoders is kept in three; it is frozen in the others.
    """
    if recipe.system != "ferret_v2":
        raise UsageError(
            f"the study of resolution trains ferret_v2, but recipe {recipe.name!r} is of {recipe.system!r}; "
            "give ferret_v2/small or one like it"
        )
    if not any(trains_encoder(group) for group in recipe.groups_in_use):
        raise UsageError(
            f"recipe {recipe.name!r} has no group that trains {' or '.join(ENCODERS)}; the study needs one, "
            "to compare trained encoders with frozen ones"
        )
    return [
        Variant(
            what={"resolution": mode, "encoder": "trained" if trained else "frozen"},
            recipe=replace(
                recipe,
                name=f"{recipe.name}-{mode}-{'trained' if trained else 'frozen'}",
                network={**recipe.network, **sight(mode, crop=int(recipe.network.get("crop", CROP)))},
                groups=tuple(group if trained else frozen(group) for group in recipe.groups_in_use),
            ),
        )
        for mode in MODES
        for trained in (False, True)
    ]


def sight(mode: str, *, crop: int) -> dict[str, Any]:
    """Return the network options of a mode: how large the whole picture is, and whether there are tiles.

    crop: pixels of a tile's side, which is also the side of the small whole picture.
    """
    side = ENLARGED * crop if mode == "direct_upsample" else crop
    return {"resolution": mode, "global_side": side}


def trains_encoder(group: Group) -> bool:
    """Tell whether a group trains (part of) an encoder at some time of the run.

    The group of all the rest, whose part is "", is none, unless it is for names that contain an encoder's.
    """
    begins = any(part.startswith(ENCODERS) for part in group.parts)
    named = any(text in encoder for text in group.containing for encoder in (*ENCODERS, *WRITTEN))
    asked = begins or (named and any(map(group.takes, WRITTEN)))
    return asked and group.rate > 0 and group.frozen_until < 1


def frozen(group: Group) -> Group:
    """Return the group frozen for good if it trains an encoder."""
    return replace(group, rate=0.0, frozen_until=1.0) if trains_encoder(group) else group
