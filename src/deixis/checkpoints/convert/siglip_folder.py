"""SigLIP's vision encoder in a folder of ``transformers``, without its text part and its pooling head."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deixis.checkpoints.convert.renaming import fits
from deixis.checkpoints.files.lazy import LazyTensor
from deixis.checkpoints.files.settings import read_settings
from deixis.checkpoints.files.shards import open_shards
from deixis.checkpoints.tower_fields import CLIP
from deixis.errors import BadWeights
from deixis.files.declared_fields import Group
from deixis.layers.towers.siglip import SO400M_384

PREFIXES = ("vision_model.", "")
PARTS = (
    "embeddings.patch_embedding.",
    "embeddings.position_embedding.",
    "encoder.layers.",
    "post_layernorm.",
)
# Where a file leaves fields out, the library's defaults hold: those of the base model.
DEFAULTS = SO400M_384 | {
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "image_size": 224,
    "patch_size": 16,
}
FIELDS = Group({name: field for name, field in CLIP.items() if name in DEFAULTS})


def read_siglip(folder: Path) -> tuple[dict[str, Any], dict[str, LazyTensor]]:
    """Return a tower's settings and its tensors by the names of ``transformers`` 5.

    BadWeights: the folder holds another model, or no tensors of a vision encoder.
    """
    where = folder / "config.json"
    config = read_settings(where)
    fields = config.get("vision_config", config)
    if "siglip" not in str(config.get("model_type")) or not isinstance(fields, dict):
        raise BadWeights(
            f"{where} is of type {config.get('model_type')!r:.60}; expected SigLIP's, for instance that of "
            "google/siglip-so400m-patch14-384"
        )
    settings = {name: fields.get(name, default) for name, default in DEFAULTS.items()}
    FIELDS.check(settings, name="", where=str(where))
    tensors = {}
    for key, tensor in open_shards(folder).items():
        for prefix in PREFIXES:
            own = key.removeprefix(prefix)
            if key.startswith(prefix) and any(fits(own, part) for part in PARTS):
                tensors[own] = tensor
                break
    if not tensors:
        raise BadWeights(
            f"{folder} holds no tensors of SigLIP's vision encoder; is it another model's folder?"
        )
    return settings, tensors
