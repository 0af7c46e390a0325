"""Our configuration as the files of Ferret-UI hold it, and as Ferret-v2's in the same manner would."""

from __future__ import annotations

from typing import Any

from deixis.checkpoints.language_settings import published_language
from deixis.errors import UsageError
from deixis.systems.ferret.config import SAMPLER
from deixis.systems.ferret_v2.config import FerretV2Config

ARCHITECTURES = {"llama": "FerretLlamaForCausalLM", "gemma": "FerretGemmaForCausalLM"}


def ferret_ui_config(config: FerretV2Config) -> dict[str, Any]:
    """Return our configuration as the published code of Ferret-UI reads it.

    UsageError: something that the published code fixes is different here.
    """
    check_ferret_ui(config)
    kind, crop = config.language["model_type"], config.crop
    any_resolution = config.resolution == "any_res"
    return {
        **common(config),
        "model_type": f"ferret_{kind}",
        "architectures": [ARCHITECTURES[kind]],
        **published_language(config.language),
        "mm_vision_tower": "openai/clip-vit-large-patch14-336",
        "mm_hidden_size": config.tower["hidden_size"],
        "mm_vision_select_layer": config.select_layer,
        "mm_vision_select_feature": "patch",
        "image_aspect_ratio": "anyres" if any_resolution else "square_nocrop",
        "image_grid_pinpoints": [[crop * columns, crop * rows] for columns, rows in config.grids],
        "tokenizer_padding_side": "right",
        "use_mm_proj": True,
        "use_cache": True,
    }


def ferret_v2_config(config: FerretV2Config) -> dict[str, Any]:
    """Return our configuration in the manner of the published ones, with both towers and the grids."""
    kind = config.language["model_type"]
    fields: dict[str, Any] = {
        **common(config),
        "model_type": FerretV2Config.model_type,
        "llm": {"type": kind, **published_language(config.language)},
        "global_vision": vision(config.tower),
        "local_vision": None if config.local_tower is None else vision(config.local_tower),
        "global_size": config.global_side,
        "local_crop": config.crop,
        "resolution_mode": config.resolution,
        "template": config.template,
        "max_sequence_length": config.max_text,
    }
    names = ("grids", "max_image_tokens", "select_layer", "local_select_layer", "region_feature_source")
    fields |= {
        name: getattr(config, name) for name in (*names, "region_map", "global_upsample", "point_order")
    }
    if config.sampler is not None:
        size = {**SAMPLER, **config.sampler}
        fields |= {"num_init_point": size["points"], "num_sub_point": list(size["anchors"])}
        fields["num_neighbor"] = list(size["neighbours"])
    return fields


def common(config: FerretV2Config) -> dict[str, Any]:
    """Return the fields that both kinds have."""
    fields = {
        "mm_projector_type": config.projector,
        "mm_patch_merge_type": config.merge,
        "mm_use_im_patch_token": False,
        "mm_use_im_start_end": False,
        "im_region_fea_token": config.region_token_id,
        "tokenizer_model_max_length": config.max_tokens,
        "region_geo_sampler": config.sampler is not None,
        "bos_token_id": config.bos_token_id,
        "eos_token_id": config.eos_token_id,
        "pad_token_id": config.pad_token_id,
        "torch_dtype": str(config.dtype or "float32").removeprefix("torch."),
    }
    if config.sampler is not None:
        fields["sampler_pooler_mode"] = config.sampler["pooling"]
    elif config.region_adapter:
        fields["region_fea_adapter"] = True
    return fields


def vision(tower: dict[str, Any]) -> dict[str, Any]:
    """Return a tower's settings with their kind called "type"."""
    return {"type": tower["kind"], **{name: value for name, value in tower.items() if name != "kind"}}


def check_ferret_ui(config: FerretV2Config) -> None:
    """Raise UsageError unless the published code of Ferret-UI could run such a network."""
    fixed: dict[str, tuple[Any, Any]] = {
        "local_tower": (config.local_tower, None),
        "separate_projectors": (config.separate_projectors, False),
        "region_feature_source": (config.region_feature_source, "encoder"),
        "region_map": (config.region_map, "fused"),
        "global_upsample": (config.global_upsample, "nearest"),
        "point_order": (config.point_order, "transposed"),
        "crop": (config.crop, config.global_side),
    }
    if config.sampler is not None:
        fixed["sampler"] = ({**SAMPLER, **config.sampler, "pooling": "max"}, {**SAMPLER, "pooling": "max"})
    for name, (here, there) in fixed.items():
        if here != there:
            raise UsageError(
                f"{name} of this network is {here!r}, and the published code of Ferret-UI knows only "
                f"{there!r}; write it as ferret-v2"
            )
