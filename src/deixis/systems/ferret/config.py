"""The parts and sizes of a Ferret network, saved as ``config.json``."""

from __future__ import annotations

from typing import Any, Literal

from deixis.checkpoints.region_fields import LAYER, POINT_ORDER, PROJECTOR
from deixis.checkpoints.region_fields import SAMPLER as SAMPLER_FIELD
from deixis.checkpoints.tower_fields import SIDE, TOWER
from deixis.files.declared_fields import Field, OneOf, Truth
from deixis.layers.language.causal_decoders import VICUNA_7B
from deixis.systems.spliced.config import SplicedConfig

CLIP_LARGE_336 = {"kind": "clip"}  # what is not said is ViT-L/14 at 336 pixels
SAMPLER = {"points": 512, "anchors": [128, 32], "neighbours": [24, 24], "pooling": "max"}


class FerretConfig(SplicedConfig):
    """Ferret as published, unless said otherwise (You et al., 2023).

    language: the decoder's configuration with its ``model_type``, "llama" or "gemma". tower: see
    ``layers.towers.building``. select_layer: which hidden state of a transformer tower is read. side: pixels
    of the square that a picture is resized to, proportions not kept. projector: see ``layers.projectors``.
    sampler: fields of ``SamplerSize``; None, with region_adapter True, is the variant without geometry, and
    without both there are no vectors of regions: coordinates in the text are all that says where they are.
    point_order: "transposed" for published weights. boxes: "thousandths" of the original behind phrases of an
    answer, which is published; "none" leaves them out, to compare ways of pointing. template and codec: how
    text is written and turned into ids, see ``language``. max_text: longest text in tokens, before pictures
    grow.
    """

    model_type = "deixis_ferret"

    def __init__(
        self,
        *,
        language: dict[str, Any] | None = None,
        tower: dict[str, Any] | None = None,
        select_layer: int = -2,
        side: int = 336,
        projector: str = "linear",
        sampler: dict[str, Any] | None = SAMPLER,
        region_adapter: bool = False,
        point_order: str = "xy",
        boxes: Literal["none", "thousandths"] = "thousandths",
        template: str = "ferret_v1",
        codec: str = "sentencepieces",
        region_token_id: int = 32000,
        max_text: int = 2048,
        bos_token_id: int | None = 1,
        eos_token_id: int | list[int] | None = 2,
        pad_token_id: int | None = 0,
        **kwargs: Any,
    ) -> None:
        self.language = dict(VICUNA_7B if language is None else language)
        self.tower = dict(CLIP_LARGE_336 if tower is None else tower)
        self.select_layer = select_layer
        self.side = side
        self.projector = projector
        self.sampler = None if sampler is None else dict(sampler)
        self.region_adapter = region_adapter
        self.point_order = point_order
        self.boxes = boxes
        self.template = template
        self.codec = codec
        self.region_token_id = region_token_id
        self.max_text = max_text
        ids: dict[str, Any] = {
            "bos_token_id": bos_token_id,
            "eos_token_id": eos_token_id,
            "pad_token_id": pad_token_id,
        }
        super().__init__(**kwargs, **ids)

    @classmethod
    def fields(cls) -> dict[str, Field]:
        """Return what a saved file may say, field by field."""
        return {
            **super().fields(),
            "tower": TOWER,
            "select_layer": LAYER,
            "side": SIDE,
            "projector": PROJECTOR,
            "sampler": SAMPLER_FIELD,
            "region_adapter": Truth(),
            "point_order": POINT_ORDER,
            "boxes": OneOf(("none", "thousandths")),
        }
