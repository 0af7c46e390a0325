"""Our configuration as the two published formats hold it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deixis.checkpoints.language_settings import published_language
from deixis.errors import UsageError
from deixis.systems.vip_llava.config import VipLlavaConfig

LLAVA_ARCHITECTURES = {"llama": "LlavaLlamaForCausalLM", "phi3": "LlavaPhi3ForCausalLM"}
ASPECTS = {"pad": "pad", "crop": "square"}
LAST_BUT_ONE = -2


def authors_config(config: VipLlavaConfig) -> dict[str, Any]:
    """Return our configuration as the authors' code reads it.

    "vision" is an addition: it says what the tower among the weights is. UsageError: something that their
    code fixes is different here.
    """
    if config.aspect not in ASPECTS:
        raise UsageError(f"aspect is {config.aspect!r}; the authors' code knows {' and '.join(ASPECTS)}")
    kind = config.language["model_type"]
    vicuna = config.codec == "sentencepieces" and kind == "llama"
    levels = config.select_layers or [LAST_BUT_ONE]
    return {
        **published_language(config.language),
        "model_type": "llava" if vicuna else {"llama": "llava_llama", "phi3": "llava_phi3"}[kind],
        "architectures": [LLAVA_ARCHITECTURES[kind]],
        "mm_vision_tower": "clip_4layers_336" if config.feature_norm else "openai/clip-vit-large-patch14-336",
        "mm_hidden_size": config.tower["hidden_size"] * len(levels),
        "mm_projector_type": config.projector,
        "mm_vision_select_layer": levels[0],
        "mm_vision_select_feature": "patch",
        "mm_use_im_start_end": False,
        "mm_use_im_patch_token": False,
        "image_aspect_ratio": ASPECTS[config.aspect],
        "tokenizer_model_max_length": config.max_tokens,
        "region_append_token": "",
        "vision": dict(config.tower),
        "torch_dtype": str(config.dtype or "float32").removeprefix("torch."),
        "use_cache": True,
    }


def transformers_config(config: VipLlavaConfig, *, original: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return our configuration as the files of ``transformers`` hold it.

    original: the file that this was made from, if any. UsageError: the decoder is no Llama, there is one
    level only, or no row of the vocabulary is known to be free for the library's picture token.
    """
    if not config.feature_norm or config.select_layers is None:
        raise UsageError(f"{where} reads one level of its vision encoder; transformers calls that LLaVA")
    if config.language["model_type"] != "llama":
        raise UsageError(f"the decoder of {where} is no Llama; transformers' ViP-LLaVA has no other")
    token = original.get("image_token_index", original.get("image_token_id"))
    if type(token) is not int:
        raise UsageError(
            f"{where} was not made from a folder of transformers: which row its vocabulary has free for the "
            "picture token is not known; write the authors' format with --back"
        )
    text = {**published_language(config.language), "model_type": "llama"}
    vision = {name: value for name, value in config.tower.items() if name != "kind"}
    return {
        "architectures": ["VipLlavaForConditionalGeneration"],
        "model_type": "vipllava",
        "image_token_index": token,
        "pad_token_id": config.pad_token_id,
        "projector_hidden_act": "gelu",
        "projector_layernorm_eps": 1e-5,
        "vision_feature_layers": list(config.select_layers),
        "text_config": text,
        "vision_config": {**vision, "model_type": "clip_vision_model"},
        "torch_dtype": str(config.dtype or "float32").removeprefix("torch."),
    }
