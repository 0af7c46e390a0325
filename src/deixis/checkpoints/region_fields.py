"""The fields of region encoders and projectors in files of settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deixis.checkpoints.decoder_fields import DEEPEST
from deixis.files.declared_fields import Either, Group, Listed, Maybe, OneOf, Text, Whole
from deixis.layers.projectors import PERCEPTRON

MOST_POINTS, MOST_STAGES = 4096, 8
MOST_PAIRS = 1 << 14  # anchors times neighbours of a stage: five times what is published


def stages_fit(fields: Mapping[str, Any]) -> None:
    """Raise ValueError where a stage would pool too many points at once."""
    for anchors, neighbours in zip(fields.get("anchors", ()), fields.get("neighbours", ()), strict=False):
        if anchors * neighbours > MOST_PAIRS:
            raise ValueError(f"a stage of {anchors} anchors with {neighbours} neighbours each is too large")


COUNTS = Listed(Whole(1, MOST_POINTS), 1, MOST_STAGES)
SAMPLER = Maybe(
    Group(
        {
            "points": Whole(1, MOST_POINTS),
            "anchors": COUNTS,
            "neighbours": COUNTS,
            "pooling": OneOf(("max", "mean")),
        },
        fits=stages_fit,
    )
)
POINT_ORDER = OneOf(("xy", "transposed"))
PROJECTOR = Text(
    lambda name: name in ("linear", "identity") or PERCEPTRON.fullmatch(name) is not None,
    "linear, identity, or mlp2x_gelu with any number up to 99",
)
LAYER = Whole(-DEEPEST - 1, DEEPEST)
LAYERS = Either(LAYER)
