"""Our configuration as the authors' files hold it (florence_vl.md section 8)."""

from __future__ import annotations

from typing import Any

from deixis.checkpoints.convert.florence_settings import original_config
from deixis.checkpoints.language_settings import published_language
from deixis.errors import UsageError
from deixis.layers.towers.florence_davit import LARGE_768
from deixis.layers.towers.florence_encoder import LARGE
from deixis.layers.towers.florence_prompts import PUBLISHED
from deixis.systems.florence_vl.config import FlorenceVlConfig

ARCHITECTURES = {"llama": "LlavaLlamaForCausalLM", "phi3": "LlavaPhiForCausalLM"}
KINDS = {"llama": "llava_llama", "phi3": "llava_phi"}
TOWERS = {"llama": "jiuhai/florence-llama-vision-tower", "phi3": "jiuhai/florence-phi-vision-tower"}
ASPECTS = {"pad": "pad", "resize": "square"}
# What the authors' network is; anything else has no name in their files.
FIXED: dict[str, Any] = {
    "integration": "channel",
    "fused": "all",
    "gate": "none",
    "davit_stages": [-1],
    "prompt_order": list(PUBLISHED),
}


def authors_config(config: FlorenceVlConfig, *, words: int) -> dict[str, Any]:
    """Return our configuration as the authors' code reads it.

    words: how many words Florence-2 knows. "vision" is an addition: it says what the tower among the weights
    is. UsageError: something that their code fixes is different here.
    """
    for name, value in FIXED.items():
        if getattr(config, name) != value:
            raise UsageError(
                f"{name} is {getattr(config, name)!r}; the authors' format holds {value!r} only, so this "
                "network has none"
            )
    if config.tower.get("kind") != "davit" or config.encoder is None:
        raise UsageError("the authors' format holds Florence-2 only, so this network has none")
    kind = config.language["model_type"]
    tower, encoder = {**LARGE_768, **config.tower}, {**LARGE, **config.encoder}
    return {
        **published_language(config.language),
        "model_type": KINDS[kind],
        "architectures": [ARCHITECTURES[kind]],
        "mm_vision_tower": TOWERS[kind],
        "mm_hidden_size": encoder["d_model"],
        "mm_projector_type": config.projector,
        "mm_patch_merge_type": "flat",
        "mm_use_im_start_end": False,
        "mm_use_im_patch_token": False,
        "mm_vision_select_feature": "patch",
        "mm_vision_select_layer": -2,
        "image_aspect_ratio": ASPECTS[config.aspect],
        "tokenizer_model_max_length": config.max_tokens,
        "tokenizer_padding_side": "right",
        "use_mm_proj": True,
        "vision": original_config(tower, encoder, words=words),
        "drop_pooled_token": config.drop_pooled_token,
        "mask_prompt_padding": config.mask_prompt_padding,
        "torch_dtype": str(config.dtype or "float32").removeprefix("torch."),
        "use_cache": True,
    }
