"""The parts and sizes of a Ferret-v2 network, saved as ``config.json``; Ferret-UI is one of its settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Self

from deixis.checkpoints.decoder_fields import LONGEST
from deixis.checkpoints.region_fields import LAYER, POINT_ORDER, PROJECTOR
from deixis.checkpoints.region_fields import SAMPLER as SAMPLER_FIELD
from deixis.checkpoints.tower_fields import SIDE, TOWER
from deixis.errors import UsageError
from deixis.files.declared_fields import Field, Listed, Maybe, OneOf, Truth, Whole
from deixis.layers.language.causal_decoders import VICUNA_7B
from deixis.systems.ferret.config import CLIP_LARGE_336, SAMPLER
from deixis.systems.ferret_v2.grids import FERRET_UI_GRIDS, FERRET_V2_GRIDS
from deixis.systems.spliced.config import SplicedConfig

DINOV2_LARGE = {"kind": "dinov2"}  # what is not said is ViT-L/14 at 518 pixels
VICUNA_7B_LONG = {**VICUNA_7B, "max_position_embeddings": 4096, "rms_norm_eps": 1e-5}  # v1.5
MOST_TILES, MOST_GRIDS, MOST_PIXELS = 64, 1000, 1 << 25  # of a canvas; the published largest has 6 tiles
WHOLE_SIDES = {"any_res": 224, "fixed": 336, "direct_upsample": 448}

CHOICES = {
    "resolution": tuple(WHOLE_SIDES),
    "merge": ("spatial", "spatial_unpad", "flat"),
    "region_feature_source": ("projected", "encoder"),
    "region_map": ("fused", "global"),
    "global_upsample": ("nearest", "bilinear"),
}


class FerretV2Config(SplicedConfig):
    """Ferret-v2 as its paper says (Zhang et al., 2024), completed where the paper is silent.

    language, tower, select_layer, projector, sampler, region_adapter, point_order, template, codec, max_text:
    as in ``FerretConfig``. local_tower: encodes the tiles; None: ``tower`` does. local_select_layer: its
    ``select_layer``, if it is another. separate_projectors: one projector for the whole picture, one for
    tiles. resolution: "any_res" sees the whole and tiles; "fixed" and "direct_upsample" only the whole, at
    the tower's own side or at a larger one. grids: [columns, rows] offered. crop: pixels of a tile's side.
    global_side: pixels of the whole picture's; None: 224, 336 or 448, by resolution. max_image_tokens: grids
    with more are not offered. merge: how tiles become tokens, in the order of the whole canvas ("spatial"),
    without the rows and columns that padding would take and with a newline behind each row
    ("spatial_unpad"), or tile by tile ("flat"). region_feature_source: the sampler reads features behind or
    before the projector. region_map: of tiles and the enlarged whole together, or of the whole alone.
    global_upsample: how the whole is enlarged. max_tokens: sequences are cut to so many after pictures have
    grown.
    """

    model_type = "deixis_ferret_v2"

    def __init__(
        self,
        *,
        language: dict[str, Any] | None = None,
        tower: dict[str, Any] | None = None,
        local_tower: dict[str, Any] | None = DINOV2_LARGE,
        select_layer: int = -2,
        local_select_layer: int | None = None,
        projector: str = "mlp2x_gelu",
        separate_projectors: bool = True,
        sampler: dict[str, Any] | None = SAMPLER,
        region_adapter: bool = False,
        point_order: str = "xy",
        resolution: Literal["any_res", "fixed", "direct_upsample"] = "any_res",
        grids: Sequence[Sequence[int]] = FERRET_V2_GRIDS,
        crop: int = 224,
        global_side: int | None = None,
        max_image_tokens: int | None = None,
        merge: Literal["spatial", "spatial_unpad", "flat"] = "spatial",
        region_feature_source: Literal["projected", "encoder"] = "projected",
        region_map: Literal["fused", "global"] = "fused",
        global_upsample: Literal["nearest", "bilinear"] = "nearest",
        template: str = "ferret_vicuna_v1",
        codec: str = "sentencepieces",
        region_token_id: int = 32000,
        max_text: int = 2048,
        max_tokens: int | None = 4096,
        bos_token_id: int | None = 1,
        eos_token_id: int | list[int] | None = 2,
        pad_token_id: int | None = 0,
        **kwargs: Any,
    ) -> None:
        self.language = dict(VICUNA_7B_LONG if language is None else language)
        self.tower = dict(CLIP_LARGE_336 if tower is None else tower)
        self.local_tower = None if local_tower is None else dict(local_tower)
        self.select_layer = select_layer
        self.local_select_layer = local_select_layer
        self.projector = projector
        self.separate_projectors = separate_projectors
        self.sampler = None if sampler is None else dict(sampler)
        self.region_adapter = region_adapter
        self.point_order = point_order
        self.resolution = resolution
        self.grids = [[int(columns), int(rows)] for columns, rows in grids]
        self.crop = crop
        self.global_side = global_side
        self.max_image_tokens = max_image_tokens
        self.merge = merge
        self.region_feature_source = region_feature_source
        self.region_map = region_map
        self.global_upsample = global_upsample
        self.template = template
        self.codec = codec
        self.region_token_id = region_token_id
        self.max_text = max_text
        self.max_tokens = max_tokens
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise UsageError(f"{name} is {getattr(self, name)!r}; expected one of {', '.join(known)}")
        check_grids(self.grids, crop=self.crop)
        if self.global_side is None:
            self.global_side = WHOLE_SIDES[self.resolution]
        ids: dict[str, Any] = {
            "bos_token_id": bos_token_id,
            "eos_token_id": eos_token_id,
            "pad_token_id": pad_token_id,
        }
        super().__init__(**kwargs, **ids)

    @classmethod
    def ferret_ui(cls, **changes: Any) -> Self:
        """Return the settings of Ferret-UI's published any-resolution checkpoints (You et al., 2024).

        One CLIP and one projector for the whole and for tiles, regions sampled before the projector. Their
        decoders are given as ``language``, with ``template``, ``codec`` and the ids of their vocabulary.
        """
        published: dict[str, Any] = {
            "local_tower": None,
            "separate_projectors": False,
            "grids": FERRET_UI_GRIDS,
            "crop": 336,
            "global_side": 336,
            "region_feature_source": "encoder",
            "point_order": "transposed",
        }
        return cls(**{**published, **changes})

    @classmethod
    def fields(cls) -> dict[str, Field]:
        """Return what a saved file may say, field by field."""
        return {
            **super().fields(),
            **{name: OneOf(known) for name, known in CHOICES.items()},
            "tower": TOWER,
            "local_tower": Maybe(TOWER),
            "select_layer": LAYER,
            "local_select_layer": Maybe(LAYER),
            "projector": PROJECTOR,
            "separate_projectors": Truth(),
            "sampler": SAMPLER_FIELD,
            "region_adapter": Truth(),
            "point_order": POINT_ORDER,
            "grids": Listed(Listed(Whole(1, MOST_TILES), 2, 2), 1, MOST_GRIDS),
            "crop": SIDE,
            "global_side": Maybe(SIDE),
            "max_image_tokens": Maybe(Whole(1, LONGEST)),
            "max_tokens": Maybe(Whole(1, LONGEST)),
        }


def check_grids(grids: Sequence[Sequence[int]], *, crop: int) -> None:
    """Raise UsageError for a grid of so many or so large tiles that no picture is seen so."""
    for columns, rows in grids:
        if columns * rows > MOST_TILES or columns * rows * crop * crop > MOST_PIXELS:
            raise UsageError(
                f"a grid of {columns} x {rows} tiles of {crop} pixels is too large; expected at most "
                f"{MOST_TILES} tiles and {MOST_PIXELS:,} pixels"
            )
