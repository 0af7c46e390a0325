"""A vision encoder for a checkpoint: stored in it, beside it, or in a folder that the user gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from typing import Any

from deixis.checkpoints.convert.renaming import CLIP_PARTS, DINOV2_PARTS, dinov2_attention, fits, with_parts
from deixis.checkpoints.files.lazy import LazyTensor, Tensors, shown
from deixis.checkpoints.files.settings import read_settings
from deixis.checkpoints.files.shards import open_shards
from deixis.checkpoints.tower_fields import TOWER
from deixis.errors import BadWeights, MissingWeights

# Fields of a tower's settings, with the libraries' defaults where a file leaves them out.
CLIP_FIELDS: dict[str, Any] = {
    "hidden_size": None,
    "intermediate_size": None,
    "num_hidden_layers": None,
    "num_attention_heads": None,
    "image_size": None,
    "patch_size": None,
    "hidden_act": "quick_gelu",
    "layer_norm_eps": 1e-5,
}
DINOV2_FIELDS: dict[str, Any] = {
    "hidden_size": None,
    "mlp_ratio": 4,
    "num_hidden_layers": None,
    "num_attention_heads": None,
    "image_size": None,
    "patch_size": None,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-6,
    "use_swiglu_ffn": False,
}
# Beginnings under which files keep the tower itself.
PREFIXES = ("vision_model.", "dinov2.", "vision.", "")
CLIP_HEAD = 64
BESIDE = "vision_tower"
CLIP, DINOV2 = "openai/clip-vit-large-patch14-336", "facebook/dinov2-large"


@dataclass(frozen=True)
class TowerFiles:
    """A tower: its settings with their "kind", and its tensors by the names of ``transformers`` 5."""

    settings: dict[str, Any]
    tensors: dict[str, LazyTensor]

    def under(self, name: str) -> dict[str, LazyTensor]:
        """Return the tensors as ours, below the attribute ``name`` of a network."""
        return {f"{name}.vision.{key}": tensor for key, tensor in self.tensors.items()}


def read_tower(folder: Path) -> TowerFiles:
    """Return the CLIP or DINOv2 tower of a folder of ``transformers``; its text part is left out."""
    where = folder / "config.json"
    config = read_settings(where)
    kind = "dinov2" if "dinov2" in str(config.get("model_type")) else "clip"
    fields = config.get("vision_config", config)
    if not isinstance(fields, dict) or (kind == "clip" and "clip" not in str(config.get("model_type"))):
        raise BadWeights(
            f"{where} is of type {config.get('model_type')!r:.60}; expected the vision encoder as CLIP or "
            "DINOv2, for Ferret the folder of openai/clip-vit-large-patch14-336"
        )
    tensors = tower_tensors(open_shards(folder), kind)
    if not tensors:
        raise BadWeights(
            f"{folder} holds no tensors of a {kind} vision encoder; is it the folder of another model?"
        )
    return TowerFiles(tower_settings(fields, kind=kind, where=str(where)), tensors)


def tower_tensors(tensors: Tensors, kind: str) -> dict[str, LazyTensor]:
    """Return those that are the tower's, by the names of ``transformers`` 5."""
    parts = CLIP_PARTS if kind == "clip" else DINOV2_PARTS
    named = {}
    for key, tensor in tensors.items():
        for prefix in PREFIXES:
            own = key.removeprefix(prefix)
            if key.startswith(prefix) and any(fits(own, part) for part in parts):
                named[with_parts(own, dinov2_attention())] = tensor
                break
    return named


def tower_settings(fields: Mapping[str, Any], *, kind: str, where: str) -> dict[str, Any]:
    """Return a tower's settings from the fields of its config.json."""
    settings: dict[str, Any] = {"kind": kind}
    for name, default in (CLIP_FIELDS if kind == "clip" else DINOV2_FIELDS).items():
        value = fields.get(name, default)
        if value is None:
            raise BadWeights(
                f"{where}: field {name!r} of the vision encoder is missing; fetch the whole file"
            )
        settings[name] = value
    TOWER.check(settings, name="", where=where)
    return settings


def find_tower(
    stored: Tensors,
    *,
    tower: Path | None,
    beside: Path,
    named: object,
    settings: dict[str, Any] | None = None,
    usual: str = CLIP,
    flag: str = "--vision-encoder",
) -> TowerFiles:
    """Return the tower of a checkpoint.

    stored: the tower's tensors in the checkpoint, by their names inside the tower; they count where they are
    there. tower: the folder that the user gives; otherwise ``beside``, the place for one in the checkpoint.
    named: what config.json calls the tower; it is never looked up, for it is a path of another machine or a
    name on a hub. settings: those of config.json, where it has any. usual, flag: for the message of
    MissingWeights.
    """
    folder = tower if tower is not None else beside
    given = read_tower(folder) if tower is not None or folder.is_dir() else None
    if stored:
        known = settings or (given.settings if given else None)
        inside = tower_tensors(stored, known["kind"] if known else stored_kind(stored))
        return TowerFiles(known or inferred(inside), inside)
    if given is None:
        raise MissingWeights(
            f"{beside.parent} holds no vision encoder (its config.json names {named!r:.200}, which is not "
            f"looked up); fetch {usual} and give its folder with {flag}, or put it there as {beside}"
        )
    return given


def stored_kind(stored: Tensors) -> str:
    """Return which kind of tower the names speak of."""
    return "dinov2" if any("cls_token" in key for key in stored) else "clip"


def inferred(tensors: Tensors) -> dict[str, Any]:
    """Return the settings of a CLIP tower from its shapes; heads are 64 wide, as in all of CLIP's models."""
    first, positions = "embeddings.patch_embedding.weight", "embeddings.position_embedding.weight"
    hidden = "encoder.layers.0.mlp.fc1.weight"
    for key in (first, positions, hidden):
        if key not in tensors:
            raise BadWeights(
                f"the stored vision encoder has no {key}; give a whole one with --vision-encoder"
            )
    if any(len(tensors[key].shape) != axes for key, axes in ((first, 4), (positions, 2), (hidden, 2))):
        raise BadWeights(
            f"{tensors[first].where}: the stored vision encoder is no CLIP; its tensors are misshapen"
        )
    (intermediate, width), rows = tensors[hidden].shape, tensors[positions].shape[0]
    if width % CLIP_HEAD:
        raise BadWeights(
            f"{tensors[hidden].where}: {hidden} is {shown(tensors[hidden].shape)}, and {width} is no "
            f"multiple of the {CLIP_HEAD} that a head of CLIP is wide; give the folder that holds the "
            "encoder's config.json with --vision-encoder"
        )
    patch = tensors[first].shape[-1]
    if isqrt(rows - 1) < 1 or patch < 1:
        raise BadWeights(f"{tensors[first].where}: the stored vision encoder sees no picture; it is damaged")
    layers = {key.split(".")[2] for key in tensors if key.startswith("encoder.layers.")}
    return CLIP_FIELDS | {
        "kind": "clip",
        "hidden_size": width,
        "intermediate_size": intermediate,
        "num_hidden_layers": len(layers),
        "num_attention_heads": width // CLIP_HEAD,
        "image_size": isqrt(rows - 1) * patch,
        "patch_size": patch,
    }
