"""What saved files may say of perception: the vision encoder, the proposer, and which states are read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from deixis.checkpoints.decoder_fields import DEEPEST, MOST_HEADS, SHARE, WIDEST
from deixis.checkpoints.region_fields import LAYER
from deixis.checkpoints.tower_fields import SIDE, TOWER
from deixis.errors import UsageError
from deixis.files.declared_fields import Field, Group, Listed, Number, OneOf, Whole
from deixis.layers.proposals.input_maps import MOST_LEVELS
from deixis.layers.proposals.region_proposer import ProposerSize
from deixis.layers.proposals.transformer_layers import ACTIVATIONS
from deixis.layers.region_levels.region_encoder import BOX_FORMATS, RegionEncoderSize

MOST_QUERIES, MOST_POINTS, MOST_ROUNDS, LARGEST_ROI = 4096, 64, 64, 64
INTERPOLATIONS = ("scale_factor", "size")
DINOV2_LARGE = {"kind": "dinov2"}  # what is not said is ViT-L/14 made for 518 pixels
HEADS, LAYERS, POINTS = Whole(1, MOST_HEADS), Whole(0, DEEPEST), Whole(1, MOST_POINTS)


def sizes_fit(fields: Mapping[str, Any]) -> None:
    """Raise ValueError where heads don't share out the width of a proposer."""
    size = {**dataclasses.asdict(ProposerSize()), **fields}
    for name in ("encoder_heads", "decoder_heads"):
        if size["width"] % size[name]:
            raise ValueError(f"{size[name]} heads share a width of {size['width']}; expected a divisor")


PROPOSER = Group(
    {
        "width": Whole(4, WIDEST, multiple=4),
        "encoder_layers": LAYERS,
        "decoder_layers": Whole(1, DEEPEST),
        "encoder_heads": HEADS,
        "decoder_heads": HEADS,
        "encoder_feed_forward": Whole(1, WIDEST),
        "decoder_feed_forward": Whole(1, WIDEST),
        "encoder_points": POINTS,
        "decoder_points": POINTS,
        "levels": Whole(1, MOST_LEVELS),
        "queries": Whole(1, MOST_QUERIES),
        "box_hidden": Whole(1, WIDEST),
        "activation": OneOf(tuple(ACTIVATIONS)),
        "dropout": SHARE,
        "attention_dropout": SHARE,
        "activation_dropout": SHARE,
    },
    fits=sizes_fit,
)
REGION_ENCODER = Group(
    {
        "levels": Whole(1, MOST_LEVELS),
        "rounds": Whole(0, MOST_ROUNDS),
        "groups": Whole(1, WIDEST),
        "roi_side": Whole(1, LARGEST_ROI),
        "hidden": Whole(1, WIDEST),
        "position_hidden": Whole(1, WIDEST),
        "box_scale": Number(0, 1e5, above=True),
        "stride": Number(0, 1e4, above=True),
        "stride_scale": Number(0, 100, above=True),
        "samples": Whole(0, 16),
        "box_format": OneOf(BOX_FORMATS),
    }
)
LAYERS_READ = Listed(LAYER, 1, DEEPEST)
PERCEPTION: dict[str, Field] = {
    "tower": TOWER,
    "tower_interpolation": OneOf(INTERPOLATIONS),
    "side": SIDE,
    "proposer": PROPOSER,
    "proposer_layers": LAYERS_READ,
}


def proposer_size(settings: Mapping[str, Any]) -> ProposerSize:
    """Return the size that settings stand for; UsageError for a name that there isn't."""
    return size_of(ProposerSize, settings, what="proposer")


def region_encoder_size(settings: Mapping[str, Any]) -> RegionEncoderSize:
    """Return the size that settings stand for; UsageError for a name that there isn't."""
    return size_of(RegionEncoderSize, settings, what="region_encoder")


def size_of(kind: Any, settings: Mapping[str, Any], *, what: str) -> Any:
    """Return settings as a dataclass of sizes."""
    known = {field.name for field in dataclasses.fields(kind)}
    if unknown := sorted(set(settings) - known):
        raise UsageError(f"{what} has no settings {unknown}; known: {', '.join(sorted(known))}")
    return kind(**settings)
