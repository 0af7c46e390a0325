"""Groma's published weights to our folders and back: the whole network, and the proposer alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import isqrt
from pathlib import Path
from typing import Any

import torch
from torch import nn

from deixis.checkpoints.convert.checkpoint import ORIGINAL, Checkpoint
from deixis.checkpoints.convert.renaming import KeyTable, is_dropped
from deixis.checkpoints.files.folders import copy_tokenizer, new_folder, tokenizer_place
from deixis.checkpoints.files.lazy import LazyTensor, Tensors
from deixis.checkpoints.files.settings import read_settings, write_settings
from deixis.checkpoints.files.writing import write_tensors
from deixis.checkpoints.fit import check_fit, network_shapes
from deixis.checkpoints.language_settings import language_settings, published_language, token_ids
from deixis.checkpoints.system_folder import check_settings, settings_from, write_system
from deixis.errors import BadWeights, UsageError
from deixis.systems.groma.config import GromaConfig, open_groma_codec
from deixis.systems.groma.conversion.keys import GROMA, PERCEIVER, longer, shorter
from deixis.systems.groma.conversion.published import group, perceiver_fields, published_perceiver
from deixis.systems.groma.detector.config import GromaProposerConfig
from deixis.systems.groma.detector.network import GromaProposerNetwork
from deixis.systems.groma.model import GromaNetwork

WHOLE, ALONE = "groma", "ddetr"
LLM = "llm."
FUSION, SAMPLER = "region_encoder.mlvl_fuse.", "region_encoder.roi_align."


def convert_folder(*, folder: Path, out: Path) -> GromaConfig | GromaProposerConfig:
    """Write a published checkpoint as a folder of ours: the whole Groma, or its proposer alone.

    MissingWeights, BadWeights: before anything is written at ``out``.
    """
    checkpoint = Checkpoint.open(folder)
    kind = checkpoint.config.get("model_type")
    checkpoint = replace(checkpoint, tensors=single_names(checkpoint.tensors))
    if kind == WHOLE:
        return write_whole(checkpoint, out=out)
    if kind == ALONE:
        return write_alone(checkpoint, out=out)
    raise BadWeights(
        f"{checkpoint.where}: model_type is {kind!r:.60}; expected {WHOLE!r}, or {ALONE!r} for the proposer "
        "alone; is it the right folder?"
    )


def single_names(tensors: Tensors) -> dict[str, LazyTensor]:
    """Return tensors with the heads of the proposer under their shorter names, without old buffers.

    BadWeights where a head is stored under both names, and they differ.
    """
    single: dict[str, LazyTensor] = {}
    for key, tensor in tensors.items():
        if is_dropped(key):
            continue
        name = shorter(key)
        if name in single and (
            single[name].shape != tensor.shape or not torch.equal(single[name].read(), tensor.read())
        ):
            raise BadWeights(
                f"{tensor.where}: {key} and {name} are one and the same tensor by design, but differ; is a "
                "file of another checkpoint among these?"
            )
        single.setdefault(name, tensor)
    return single


def write_whole(checkpoint: Checkpoint, *, out: Path) -> GromaConfig:
    """Write the whole network."""
    config = settings_from(lambda: our_config(checkpoint), where=checkpoint.where)
    check_settings(config, where=checkpoint.where)
    open_groma_codec(config, tokenizer_place(checkpoint.folder))
    tensors = renamed(checkpoint, table=GROMA, network=lambda: GromaNetwork(config))
    write_system(out, config=config, tensors=tensors, original=checkpoint.config, tokenizer=checkpoint.folder)
    return config


def write_alone(checkpoint: Checkpoint, *, out: Path) -> GromaProposerConfig:
    """Write the proposer with its vision encoder."""
    config = settings_from(lambda: our_proposer_config(checkpoint), where=checkpoint.where)
    check_settings(config, where=checkpoint.where)
    tensors = renamed(checkpoint, table=PERCEIVER, network=lambda: GromaProposerNetwork(config))
    with new_folder(out) as folder:
        write_tensors(folder, tensors)
        write_settings(folder / ORIGINAL, checkpoint.config)
        config.save_pretrained(folder)
    return config


def renamed(
    checkpoint: Checkpoint, *, table: KeyTable, network: Callable[[], nn.Module]
) -> dict[str, LazyTensor]:
    """Return a checkpoint's tensors by our names; BadWeights unless they are those of the network."""
    tensors = {table.to_ours(key): one for key, one in checkpoint.tensors.items()}
    check_fit(tensors, network_shapes(network, where=checkpoint.where), table=table, where=checkpoint.where)
    return tensors


def our_proposer_config(checkpoint: Checkpoint) -> GromaProposerConfig:
    """Return the configuration of a proposer that was published alone."""
    fields = perceiver_fields(checkpoint.config, where=checkpoint.where)
    fields.pop("picture_layer")
    fields["proposer"]["box_hidden"] = rows_of(checkpoint, "ddetr_transformer.bbox_embed.0.layers.0.weight")
    return GromaProposerConfig(**fields, dtype=checkpoint.dtype)


def our_config(checkpoint: Checkpoint) -> GromaConfig:
    """Return the configuration of a whole checkpoint; sizes that its file doesn't say are the tensors'."""
    config, where = checkpoint.config, checkpoint.where
    language = language_settings(group(config, "llm_cfg", where=where), checkpoint.below(LLM), where=where)
    fields = perceiver_fields(group(config, "perceiver_cfg", where=where), where=where)
    head = "perceiver.ddetr_transformer.bbox_embed.0.layers.0.weight"
    fields["proposer"]["box_hidden"] = rows_of(checkpoint, head)
    return GromaConfig(
        language=language,
        added_tokens=checkpoint.number("num_new_token", 114),
        region_encoder=region_encoder_fields(checkpoint),
        nms_thres=config.get("nms_thres", 0.6),
        box_score_thres=config.get("box_score_thres", 0.15),
        max_region_num=checkpoint.number("max_region_num", 100),
        dtype=checkpoint.dtype,
        **fields,
        **{**token_ids(language), "pad_token_id": None},
    )


def region_encoder_fields(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return the sizes of the region encoder that its tensors show; no file says them."""
    channels = rows_of(checkpoint, f"{FUSION}input_conv.0.weight")
    flat = shape_of(checkpoint, f"{SAMPLER}flatten_linear.weight")
    return {
        "rounds": sum(
            key.startswith(f"{FUSION}fuse_convs.") and key.endswith("conv.weight")
            for key in checkpoint.tensors
        ),
        "roi_side": isqrt(flat[-1] // channels),
        "hidden": flat[0],
        "position_hidden": rows_of(checkpoint, f"{SAMPLER}pos_embedd.0.weight"),
    }


def shape_of(checkpoint: Checkpoint, key: str) -> tuple[int, ...]:
    """Return the shape of a tensor; BadWeights where there is none."""
    if key not in checkpoint.tensors:
        raise BadWeights(f"{checkpoint.folder} has no {key}; is a file of the checkpoint missing?")
    return checkpoint.tensors[key].shape


def rows_of(checkpoint: Checkpoint, key: str) -> int:
    """Return how many rows a tensor has."""
    return shape_of(checkpoint, key)[0]


def convert_back(*, folder: Path, out: Path) -> str:
    """Write a folder of ours in the authors' format, the proposer's heads under both of their names.

    Returns what was written. UsageError for a network that their code can't be.
    """
    settings, where = read_settings(folder / "config.json"), folder / "config.json"
    kind = settings.get("model_type")
    if kind == GromaConfig.model_type:
        config: Any = GromaConfig(**settings)
        fields, table = published_config(config, where=str(where)), GROMA
    elif kind == GromaProposerConfig.model_type:
        config = GromaProposerConfig(**settings)
        fields, table = published_perceiver(config), PERCEIVER
    else:
        raise BadWeights(
            f"{where}: model_type is {kind!r:.60}; expected {GromaConfig.model_type!r} or "
            f"{GromaProposerConfig.model_type!r}"
        )
    check_publishable(config, where=str(where))
    checkpoint = Checkpoint.open(folder)
    kept = folder / ORIGINAL
    original = read_settings(kept) if kept.is_file() else {}
    with new_folder(out) as work:
        if table is GROMA:
            copy_tokenizer(checkpoint.folder, work)
        write_tensors(work, both_names(checkpoint.tensors, table))
        write_settings(work / "config.json", {**fields, **original})
    return "Groma" if table is GROMA else "Groma's proposer"


def both_names(tensors: Tensors, table: KeyTable) -> dict[str, LazyTensor]:
    """Return tensors by their original names, those of the proposer's heads twice.

    The authors' program would begin a head anew whose longer name is missing.
    """
    written: dict[str, LazyTensor] = {}
    for key, tensor in tensors.items():
        name = table.to_original(key)
        written[name] = tensor
        if (again := longer(name)) is not None:
            written[again] = tensor
    return written


def published_config(config: GromaConfig, *, where: str) -> dict[str, Any]:
    """Return our configuration as the authors' file has it."""
    return {
        "model_type": WHOLE,
        "architectures": ["GromaModel"],
        "llm_cfg": {"model_type": "llama", **published_language(config.language)},
        "perceiver_cfg": published_perceiver(config),
        "num_new_token": config.added_tokens,
        "nms_thres": config.nms_thres,
        "box_score_thres": config.box_score_thres,
        "max_region_num": config.max_region_num,
        "vocab_size": config.vocab_size,
        "torch_dtype": str(config.dtype or "float32").removeprefix("torch."),
    }


def check_publishable(config: Any, *, where: str) -> None:
    """Raise UsageError where the authors' code fixes what is different here."""
    fixed: Mapping[str, Any] = {
        "side": 448,
        "tower_interpolation": "scale_factor",
        "proposer_layers": [-4, -3, -2, -1],
        "region_layers": [-3, -2, -1],
        "token_merge": True,
        "projector": "mlp2x_gelu",
    }
    if config.tower.get("kind") != "dinov2":
        raise UsageError(
            f"{where}: the vision encoder is of kind {config.tower.get('kind')!r}; the published format "
            "holds DINOv2 only"
        )
    for name, wanted in fixed.items():
        if (own := getattr(config, name, wanted)) != wanted:
            raise UsageError(f"{where}: {name} is {own!r}; the authors' code knows {wanted!r} only")
    quirks = {"box_format": "cxcywh_as_xyxy", "stride": 14, "stride_scale": 0.5, "box_scale": 448}
    for name, wanted in quirks.items():
        if (own := getattr(config, "region_encoder", {}).get(name, wanted)) != wanted:
            raise UsageError(
                f"{where}: region_encoder.{name} is {own!r}; the authors' code knows {wanted!r} only"
            )
