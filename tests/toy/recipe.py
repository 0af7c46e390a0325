"""A recipe small enough for a test: a quarter-width tower, a narrow decoder, nothing pretrained."""

from __future__ import annotations

from typing import Any

from deixis.training.recipes.recipe import Recipe
from deixis.training.recipes.strict import build

TOY: dict[str, Any] = {
    "name": "toy",
    "system": "pointer",
    "steps": 6,
    "batch": 4,
    "precision": "float32",
    "ema": 0.9,
    "threads": 1,
    "log_every": 2,
    "save_every": 2,
    "groups": [
        {"parts": ["network.tower.stem"], "rate": 0.0, "frozen_until": 1.0},
        {"parts": ["network.tower"], "rate": 1.0e-3, "frozen_until": 0.3},
        {"parts": [""], "rate": 3.0e-3},
    ],
    "schedule": {"warmup": 2, "floor": 0.1},
    "dialogues": {
        "locate": 1.0,
        "locate_bare": 2.0,
        "absent": 0.5,
        "absent_bare": 1.0,
        "name": 1.0,
        "name_bare": 1.0,
    },
    "network": {
        "tower": "efficientnet_tiny",
        "side": 64,
        "map_width": 16,
        "picture_grid": 4,
        "decoder_name": "tiny",
    },
    "objective": {"pretrained": False},
}


def toy_recipe(**changes: Any) -> Recipe:
    """Return the toy recipe with some of its values changed."""
    return build(Recipe, {**TOY, **changes}, where="toy recipe")
