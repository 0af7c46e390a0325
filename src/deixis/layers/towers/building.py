"""Towers of features by their settings, as configurations hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deixis.errors import UsageError
from deixis.layers.towers import efficientnet_lite
from deixis.layers.towers.clip import ClipTower
from deixis.layers.towers.dinov2 import Dinov2Tower
from deixis.layers.towers.feature_grid import FeatureGridTower
from deixis.layers.towers.feature_tower import FeatureTower, Interpolation


def build_feature_tower(
    settings: Mapping[str, Any],
    *,
    select_layer: int | Sequence[int] = -2,
    interpolation: Interpolation = "size",
) -> FeatureTower:
    """Return an untrained tower.

    settings: "kind" ("clip", "dinov2" or a name of ``efficientnet_lite.SIZES``) and fields of that kind, for
    instance ``{"kind": "efficientnet_lite0", "side": 192}``. select_layer: which hidden state of a
    transformer is read, or which ones, side by side. interpolation: how DINOv2's positions are made to fit
    another side. UsageError for an unknown kind.

    >>> build_feature_tower({"kind": "efficientnet_tiny", "side": 64}).cells(64)
    4
    """
    fields = {key: value for key, value in settings.items() if key != "kind"}
    kind = settings.get("kind")
    if kind == "clip":
        return ClipTower(fields, select_layer=select_layer)
    if kind == "dinov2":
        return Dinov2Tower(fields, select_layer=select_layer, interpolation=interpolation)
    if kind in efficientnet_lite.SIZES:
        if unknown := sorted(set(fields) - {"side"}):
            raise UsageError(f"a tower of kind {kind!r} has no settings {unknown}; known: side")
        return FeatureGridTower(str(kind), **fields)
    known = ", ".join(["clip", "dinov2", *efficientnet_lite.SIZES])
    raise UsageError(f"a tower of kind {kind!r} is not known; known kinds: {known}")
