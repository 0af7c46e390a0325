"""The parts and sizes of a Florence-VL network, saved as ``config.json``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from deixis.checkpoints.decoder_fields import LONGEST
from deixis.checkpoints.florence_fields import DAVIT, ENCODER, MOST_STAGES
from deixis.checkpoints.region_fields import PROJECTOR
from deixis.checkpoints.tower_fields import SIDE, TOWER
from deixis.errors import UsageError
from deixis.files.declared_fields import ByKind, Field, Listed, Maybe, OneOf, Truth, Whole
from deixis.layers.fusion.depth_breadth import FUSED, GATINGS, Fused, Gating
from deixis.layers.fusion.integration import INTEGRATIONS, Integration
from deixis.layers.towers.florence_prompts import PROMPTS, PUBLISHED
from deixis.systems.spliced.config import SplicedConfig

DAVIT_LARGE = {"kind": "davit"}  # what is not said is Florence-2-large's at 768 pixels
FLORENCE_LARGE: dict[str, Any] = {}  # of the encoder, the same
LLAMA_3_1_8B = {
    "model_type": "llama",
    "vocab_size": 128257,  # with <pad>
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "max_position_embeddings": 131072,
    "rms_norm_eps": 1e-5,
    "rope_theta": 500000.0,
    "rope_scaling": {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    },
    "hidden_act": "silu",
    "tie_word_embeddings": False,
    "bos_token_id": 128000,
    "eos_token_id": [128001, 128008, 128009],
    "pad_token_id": 128256,
}
TowerTraining = Literal["published", "frozen", "trained"]
CHOICES: dict[str, tuple[str, ...]] = {
    "integration": INTEGRATIONS,
    "fused": FUSED,
    "gate": GATINGS,
    "aspect": ("pad", "resize"),
    "tower_training": ("published", "frozen", "trained"),
    "regions": ("painted", "coordinates"),
    "paint_style": ("published", "clean"),
    "boxes": ("none", "thousandths", "decimals"),
}


class FlorenceVlConfig(SplicedConfig):
    """Florence-VL 8B as published, unless said otherwise (Chen et al., 2024).

    language: the decoder's configuration with its ``model_type``, "llama" or "phi3". tower: of kind
    "davit" (``layers.towers.florence_davit``), or see ``layers.towers.building``. encoder: see
    ``layers.towers.florence_encoder``; None for a tower without one, whose
    features go straight to the projector as in LLaVA-1.5. prompt_order: what the encoder is asked, in the
    order of the features. mask_prompt_padding: whether filled-up places of a prompt are left unseen.
    drop_pooled_token: whether the pooled token is left out after encoding. davit_stages: whose maps are read
    of a tower of kind "davit"; the last is what the encoder sees, each other one is a depth of its own.
    integration, fused, gate: see ``layers.fusion.depth_breadth``. tower_training: "trained" learns tower and
    encoder; "published" gives them no gradient but leaves their dropout on, as the authors' program does;
    "frozen" has neither. side: pixels of the square that the network sees. aspect: "pad" lays a picture on a
    square of the mean colour, "resize" doesn't keep its proportions (the first stage). regions: whether
    regions are painted on the picture or written as coordinates. boxes: whether answers spell places, as
    thousandths of the original, or as fractions of its sides with two decimals ("decimals"), as LLaVA's data
    have them; with "decimals" questions write coordinates so, too. Published weights do neither. template and
    codec: how text is written and turned into ids. max_text: longest text in tokens, before pictures grow;
    max_tokens: sequences are cut to so many after that.
    """

    model_type = "deixis_florence_vl"

    def __init__(
        self,
        *,
        language: dict[str, Any] | None = None,
        tower: dict[str, Any] | None = None,
        encoder: dict[str, Any] | None = FLORENCE_LARGE,
        prompt_order: Sequence[str] = PUBLISHED,
        mask_prompt_padding: bool = False,
        drop_pooled_token: bool = False,
        davit_stages: Sequence[int] = (-1,),
        integration: Integration = "channel",
        fused: Fused = "all",
        gate: Gating = "none",
        projector: str = "mlp3x_gelu",
        tower_training: TowerTraining = "published",
        side: int = 768,
        aspect: Literal["pad", "resize"] = "pad",
        regions: Literal["painted", "coordinates"] = "painted",
        paint_style: Literal["published", "clean"] = "published",
        boxes: Literal["none", "thousandths", "decimals"] = "none",
        template: str = "llama3",
        codec: str = "tokenizer",
        region_token_id: int | None = None,
        max_text: int = 2048,
        max_tokens: int | None = None,
        bos_token_id: int | None = 128000,
        eos_token_id: int | list[int] | None = 128009,
        pad_token_id: int | None = 128256,
        **kwargs: Any,
    ) -> None:
        self.language = dict(LLAMA_3_1_8B if language is None else language)
        self.tower = dict(DAVIT_LARGE if tower is None else tower)
        self.encoder = None if encoder is None else dict(encoder)
        self.prompt_order = list(prompt_order)
        self.mask_prompt_padding = mask_prompt_padding
        self.drop_pooled_token = drop_pooled_token
        self.davit_stages = list(davit_stages)
        self.integration, self.fused, self.gate = integration, fused, gate
        self.projector = projector
        self.tower_training = tower_training
        self.side = side
        self.aspect = aspect
        self.regions = regions
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
        if boxes == "decimals" and regions != "coordinates":
            raise UsageError(f"boxes is 'decimals', but regions is {regions!r}; expected coordinates")
        if encoder is None and fused != "depth":
            raise UsageError(f"fused is {fused!r}, but there is no encoder; expected depth")
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
            "tower": ByKind("kind", {**TOWER.groups, "davit": DAVIT}),
            "encoder": Maybe(ENCODER),
            "prompt_order": Listed(OneOf(tuple(PROMPTS)), 0, len(PROMPTS)),
            "mask_prompt_padding": Truth(),
            "drop_pooled_token": Truth(),
            "davit_stages": Listed(Whole(-MOST_STAGES, MOST_STAGES - 1), 1, MOST_STAGES),
            "projector": PROJECTOR,
            "side": SIDE,
            "max_tokens": Maybe(Whole(1, LONGEST)),
        }
