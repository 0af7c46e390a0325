"""The names of ViP-LLaVA's weights: the authors', those of ``transformers``, and our network's."""

from __future__ import annotations

from deixis.checkpoints.convert.renaming import CLIP_PARTS, KeyTable, language

LEVELS = KeyTable(
    name="ViP-LLaVA",
    pairs=(
        ("model.mm_projector.clip_layernorm.", "feature_norm."),
        ("model.mm_projector.final_linear.", "projector."),
        *language("language"),
    ),
    towers=(("model.vision_tower", "tower"),),
    causes=(("feature_norm.", "the vision encoder has another number of levels than the projector reads"),),
)
# LLaVA-1.5 baselines of the same authors: one level, no norm.
ONE_LEVEL = KeyTable(
    name="LLaVA-1.5",
    pairs=(("model.mm_projector.", "projector."), *language("language")),
    towers=(("model.vision_tower", "tower"),),
)

STORED = "vision_tower.vision_model."
DECODER_PARTS = ("embed_tokens.", "layers.", "norm.")
# From the names of files by ``transformers`` to the authors' names.
FILES = KeyTable(
    name="transformers' ViP-LLaVA",
    pairs=(
        ("language_model.lm_head.", "lm_head."),
        *((f"language_model.model.{part}", f"model.{part}") for part in DECODER_PARTS),
        ("multi_modal_projector.projector_layernorm.", "model.mm_projector.clip_layernorm."),
        ("multi_modal_projector.linear_1.", "model.mm_projector.final_linear.0."),
        ("multi_modal_projector.linear_2.", "model.mm_projector.final_linear.2."),
        *((f"{STORED}{part}", f"model.vision_tower.{STORED}{part}") for part in CLIP_PARTS),
        # What version 5 of the library saves.
        *((f"vision_tower.{part}", f"model.vision_tower.{STORED}{part}") for part in CLIP_PARTS),
    ),
)
# From the names of the modules of ``transformers`` 5, which its own files don't have.
MODULES = KeyTable(
    name="transformers' ViP-LLaVA",
    pairs=(
        ("lm_head.", "lm_head."),
        *((f"model.language_model.{part}", f"model.{part}") for part in DECODER_PARTS),
        ("model.multi_modal_projector.projector_layernorm.", "model.mm_projector.clip_layernorm."),
        ("model.multi_modal_projector.linear_1.", "model.mm_projector.final_linear.0."),
        ("model.multi_modal_projector.linear_2.", "model.mm_projector.final_linear.2."),
        *((f"model.vision_tower.{part}", f"model.vision_tower.{STORED}{part}") for part in CLIP_PARTS),
    ),
)
