"""The parts and sizes of a ViP-LLaVA network, saved as ``config.json``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from deixis.checkpoints.decoder_fields import DEEPEST, LONGEST
from deixis.checkpoints.region_fields import LAYER, PROJECTOR
from deixis.checkpoints.tower_fields import SIDE, TOWER
from deixis.errors import UsageError
from deixis.files.declared_fields import Field, Listed, Maybe, OneOf, Truth, Whole
from deixis.layers.language.causal_decoders import VICUNA_7B
from deixis.systems.spliced.config import SplicedConfig

CLIP_LARGE_336 = {"kind": "clip"}  # what is not said is ViT-L/14 at 336 pixels
VICUNA_7B_V1_5 = {**VICUNA_7B, "max_position_embeddings": 4096, "rms_norm_eps": 1e-5}
FIVE_LEVELS = (-2, -5, -8, -11, 6)  # hidden states of 24 blocks, in the order of their channels
CHOICES = {
    "aspect": ("pad", "resize", "crop"),
    "paint_style": ("published", "clean"),
    "boxes": ("none", "thousandths"),
}


class VipLlavaConfig(SplicedConfig):
    """ViP-LLaVA as published, unless said otherwise (Cai et al., 2024).

    language: the decoder's configuration with its ``model_type``, "llama" or "phi3". tower: see
    ``layers.towers.building``. select_layers: the hidden states whose channels are put side by side; for a
    tower without hidden states None. feature_norm: a LayerNorm before the projector. side: pixels of the
    square that the network sees. aspect: how a picture becomes one: "pad" on a square of the mean colour,
    "resize" without keeping proportions, "crop" of the middle. paint_style: how regions are painted when
    nothing else is asked for. boxes: whether answers spell places, as thousandths of the original; published
    weights don't. template and codec: how text is written and turned into ids. max_text: longest text in
    tokens, before pictures grow; max_tokens: sequences are cut to so many after that.
    """

    model_type = "deixis_vip_llava"

    def __init__(
        self,
        *,
        language: dict[str, Any] | None = None,
        tower: dict[str, Any] | None = None,
        select_layers: Sequence[int] | None = FIVE_LEVELS,
        feature_norm: bool = True,
        projector: str = "mlp2x_gelu",
        side: int = 336,
        aspect: Literal["pad", "resize", "crop"] = "pad",
        paint_style: Literal["published", "clean"] = "published",
        boxes: Literal["none", "thousandths"] = "none",
        template: str = "llava_v1",
        codec: str = "sentencepieces",
        region_token_id: int | None = None,
        max_text: int = 2048,
        max_tokens: int | None = None,
        bos_token_id: int | None = 1,
        eos_token_id: int | list[int] | None = 2,
        pad_token_id: int | None = 0,
        **kwargs: Any,
    ) -> None:
        self.language = dict(VICUNA_7B_V1_5 if language is None else language)
        self.tower = dict(CLIP_LARGE_336 if tower is None else tower)
        self.select_layers = None if select_layers is None else list(select_layers)
        self.feature_norm = feature_norm
        self.projector = projector
        self.side = side
        self.aspect = aspect
        self.paint_style = paint_style
        self.boxes = boxes
        self.template = template
        self.codec = codec
        self.region_token_id = region_token_id
        self.max_text = max_text
        self.max_tokens = max_tokens
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise UsageError(f"{name} is {getattr(self, name)!r}; expected one of {', '.join(known)}")
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
            **{name: OneOf(known) for name, known in CHOICES.items()},
            "tower": TOWER,
            "select_layers": Maybe(Listed(LAYER, 1, DEEPEST)),
            "feature_norm": Truth(),
            "projector": PROJECTOR,
            "side": SIDE,
            "max_tokens": Maybe(Whole(1, LONGEST)),
        }
