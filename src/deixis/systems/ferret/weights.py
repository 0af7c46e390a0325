"""Ferret's published weights: deltas and whole checkpoints to our folder, our folder back, and deltas made.

The published files hold float16 differences from Vicuna v1.3, and no vision encoder.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deixis.checkpoints.convert.checkpoint import ORIGINAL, Checkpoint, vocabulary_pieces
from deixis.checkpoints.convert.corrections import read_corrections, write_corrections
from deixis.checkpoints.convert.delta import apply_delta, make_delta
from deixis.checkpoints.convert.delta_base import check_base
from deixis.checkpoints.convert.region_token import region_token
from deixis.checkpoints.convert.tower_folder import BESIDE, TowerFiles, find_tower
from deixis.checkpoints.files.folders import copy_tokenizer, new_folder
from deixis.checkpoints.files.settings import read_settings, write_settings
from deixis.checkpoints.files.writing import write_tensors
from deixis.checkpoints.language_settings import language_settings, published_language, token_ids
from deixis.checkpoints.saved_network import read_config
from deixis.checkpoints.system_folder import settings_from, write_converted
from deixis.errors import BadWeights, UsageError
from deixis.systems.ferret.config import SAMPLER, FerretConfig
from deixis.systems.ferret.keys import ADDED, FERRET
from deixis.systems.ferret.model import FerretNetwork

TOWER = "model.vision_tower.vision_tower."
KINDS = ("ferret", "llava")


def convert_delta(
    *, base: Path, delta: Path, out: Path, tower: Path | None = None, any_base: bool = False
) -> FerretConfig:
    """Write what base and delta stand for, float16 as published, as a folder that ``deixis.load`` opens.

    base: Vicuna v1.3. tower: CLIP, if it is neither in the delta's folder nor below it. any_base: go on
    though the base is not the one that the delta was made from. MissingWeights, BadWeights, UsageError:
    before anything is written at ``out``.
    """
    checkpoint = opened(delta, base=base, any_base=any_base)
    return write_ferret(checkpoint, out=out, tower=tower, other_tokenizer=base)


def convert_folder(*, folder: Path, out: Path, tower: Path | None = None) -> FerretConfig:
    """Write a whole checkpoint in the original format as a folder that ``deixis.load`` opens."""
    return write_ferret(Checkpoint.open(folder), out=out, tower=tower)


def opened(delta: Path, *, base: Path, any_base: bool = False) -> Checkpoint:
    """Return base and delta as one checkpoint with the delta's configuration."""
    plain, difference = Checkpoint.open(base), Checkpoint.open(delta)
    corrections = read_corrections(delta, difference.tensors)
    sums = apply_delta(plain.tensors, difference.tensors, corrections=corrections, added=ADDED)
    if not any_base:
        check_base(plain.tensors, difference.tensors, added=ADDED)
        check_region_row(plain, difference)
    return Checkpoint(delta, difference.config, sums)


def check_region_row(base: Checkpoint, delta: Checkpoint) -> None:
    """Raise BadWeights where the base already has a row for the region token, which would be added to it."""
    region = delta.config.get("im_region_fea_token")
    if type(region) is int and region < base.rows:
        raise BadWeights(
            f"the base's embedding has {base.rows} rows ({base.folder}), so that the region token, id "
            f"{region} in {delta.where}, has one already (of {delta.rows}); the base has tokens added to "
            f"it: give the plain decoder, or go on with --any-base"
        )


def write_ferret(
    checkpoint: Checkpoint, *, out: Path, tower: Path | None, other_tokenizer: Path | None = None
) -> FerretConfig:
    """Write a checkpoint in the original names as a folder of ours."""
    named = checkpoint.config.get("mm_vision_tower")
    found = find_tower(checkpoint.below(TOWER), tower=tower, beside=checkpoint.folder / BESIDE, named=named)
    pieces = vocabulary_pieces(checkpoint.folder, other_tokenizer)
    config = settings_from(lambda: our_config(checkpoint, tower=found, pieces=pieces), where=checkpoint.where)
    write_converted(
        checkpoint,
        out=out,
        config=config,
        network=lambda: FerretNetwork(config),
        table=FERRET,
        towers={"tower": found},
        other_tokenizer=other_tokenizer,
    )
    return config


def our_config(checkpoint: Checkpoint, *, tower: TowerFiles, pieces: int | None = None) -> FerretConfig:
    """Return the configuration of a published checkpoint.

    pieces: of the tokenizer before anything was added, where it is known. BadWeights: a kind of checkpoint
    that Ferret is not, or fields that contradict the weights.
    """
    config = checkpoint.config
    check_kind(checkpoint)
    language = language_settings(config, checkpoint.tensors, where=checkpoint.where)
    width = checkpoint.number("mm_hidden_size", tower.settings["hidden_size"])
    if width != tower.settings["hidden_size"]:
        raise BadWeights(
            f"{checkpoint.where}: mm_hidden_size is {width}, the vision encoder is "
            f"{tower.settings['hidden_size']} wide; it is not {config.get('mm_vision_tower')!r:.120}"
        )
    geometric = checkpoint.truth("region_geo_sampler", False)
    return FerretConfig(
        language=language,
        tower=tower.settings,
        select_layer=checkpoint.number("mm_vision_select_layer", -2),
        side=tower.settings["image_size"],
        projector=config.get("mm_projector_type") or "linear",
        sampler={**SAMPLER, "pooling": config.get("sampler_pooler_mode", "mean")} if geometric else None,
        region_adapter=not geometric and checkpoint.truth("region_fea_adapter", False),
        point_order="transposed",
        template="ferret_v1",
        codec="sentencepieces",
        region_token_id=region_token(config, rows=checkpoint.rows, pieces=pieces, where=checkpoint.where),
        max_text=checkpoint.number("max_sequence_length", 2048),
        dtype=checkpoint.dtype,
        **token_ids(language),
    )


def check_kind(checkpoint: Checkpoint) -> None:
    """Raise BadWeights for a checkpoint of another system, or one that reads its tower in another way."""
    kind = checkpoint.config.get("model_type")
    if kind not in KINDS:
        hint = (
            "use `deixis convert ferret-ui`" if str(kind).startswith("ferret_") else "is it the right folder?"
        )
        raise BadWeights(
            f"{checkpoint.where}: model_type is {kind!r:.60}; expected {' or '.join(KINDS)}; {hint}"
        )
    selected = checkpoint.config.get("mm_vision_select_feature", "patch")
    if selected != "patch":
        raise BadWeights(
            f"{checkpoint.where}: mm_vision_select_feature is {selected!r:.60}; expected 'patch', as all "
            "published weights have it"
        )


def make_delta_folder(*, base: Path, target: Path, out: Path) -> int:
    """Write the delta that, applied to ``base``, gives ``target`` bit for bit in float16.

    target: a checkpoint in the original format, or a folder of ours. Returns how many numbers float16
    addition can't reach; they stand in a file beside the delta, which ``convert_delta`` reads.
    """
    plain, whole = Checkpoint.open(base), original_of(target)
    made = make_delta(plain.tensors, whole.tensors, added=ADDED)
    with new_folder(out) as folder:
        copy_tokenizer(target, folder)
        write_tensors(folder, made.tensors)
        write_corrections(folder, made.corrections)
        write_settings(folder / "config.json", {**whole.config, "torch_dtype": "float16"})
    return sum(one.places.numel() for one in made.corrections.values())


def original_of(folder: Path) -> Checkpoint:
    """Return a checkpoint by its original names; a folder of ours is renamed, without its tower."""
    if read_settings(folder / "config.json").get("model_type") != FerretConfig.model_type:
        return Checkpoint.open(folder)
    config = publishable(folder)
    return renamed_back(Checkpoint.open(folder), config)


def publishable(folder: Path) -> FerretConfig:
    """Return the configuration of a folder of ours, whose tower has to be one that was published."""
    where = folder / "config.json"
    config: FerretConfig = read_config(FerretConfig, where)
    if config.tower["kind"] != "clip":
        raise BadWeights(
            f"{where}: the vision encoder is {config.tower['kind']!r}, which has no original format: "
            "published Ferrets see with CLIP"
        )
    return config


def renamed_back(checkpoint: Checkpoint, config: FerretConfig) -> Checkpoint:
    """Return a folder of ours by its original names, without its tower."""
    ours = {key: tensor for key, tensor in checkpoint.tensors.items() if not key.startswith("tower.")}
    tensors = {FERRET.to_original(key): tensor for key, tensor in ours.items()}
    kept = checkpoint.folder / ORIGINAL
    original = read_settings(kept) if kept.is_file() else {}
    return Checkpoint(checkpoint.folder, {**published_config(config), **original}, tensors)


def convert_back(*, folder: Path, out: Path) -> None:
    """Write a folder of ours in the original format, the tower in ``vision_tower`` below it.

    BadWeights for any other folder, and for a network whose tower the published system doesn't know.
    """
    config = publishable(folder)
    checkpoint = Checkpoint.open(folder)
    original = renamed_back(checkpoint, config)
    with new_folder(out) as work:
        copy_tokenizer(folder, work)
        write_tensors(work, original.tensors)
        write_tower(work / BESIDE, checkpoint, config.tower)
        write_settings(work / "config.json", original.config)


def write_tower(folder: Path, checkpoint: Checkpoint, tower: Mapping[str, Any]) -> None:
    """Write the CLIP of one of our folders as ``transformers`` wrote it before its version 5."""
    settings = {name: value for name, value in tower.items() if name != "kind"}
    folder.mkdir()
    stored = checkpoint.below("tower.vision.")
    write_tensors(folder, {f"vision_model.{key}": tensor for key, tensor in stored.items()})
    kind = {"model_type": "clip_vision_model", "architectures": ["CLIPVisionModel"]}
    write_settings(folder / "config.json", {**settings, **kind})


def published_config(config: FerretConfig) -> dict[str, Any]:
    """Return our configuration as the published code reads it.

    UsageError: something that the published code fixes is different here.
    """
    check_publishable(config)
    variant: Mapping[str, Any] = {"region_fea_adapter": True}
    if config.sampler is not None:
        variant = {"region_geo_sampler": True, "sampler_pooler_mode": config.sampler["pooling"]}
    return {
        **published_language(config.language),
        **variant,
        "model_type": "ferret",
        "architectures": ["FERRETLlamaForCausalLM"],
        "mm_vision_tower": BESIDE,
        "mm_hidden_size": config.tower["hidden_size"],
        "mm_vision_select_layer": config.select_layer,
        "mm_vision_select_feature": "patch",
        "use_mm_proj": True,
        "im_region_fea_token": config.region_token_id,
        "image_aspect_ratio": "square_nocrop",
        "image_grid_pinpoints": None,
        "tune_mm_mlp_adapter": False,
        "freeze_mm_mlp_adapter": False,
        "mm_use_im_start_end": False,
        "mm_use_im_patch_token": False,
        "max_sequence_length": config.max_text,
        "bos_token_id": config.bos_token_id,
        "eos_token_id": config.eos_token_id,
        "pad_token_id": config.pad_token_id,
        "torch_dtype": str(config.dtype or "float32").removeprefix("torch."),
        "use_cache": True,
    }


def check_publishable(config: FerretConfig) -> None:
    """Raise UsageError unless the published code could run such a network."""
    fixed = {
        "point_order": (config.point_order, "transposed"),
        "projector": (config.projector, "linear"),
        "decoder": (config.language["model_type"], "llama"),
    }
    if config.sampler is not None:
        sizes = {name: value for name, value in {**SAMPLER, **config.sampler}.items() if name != "pooling"}
        fixed["sampler"] = (str(sizes), str({name: SAMPLER[name] for name in sizes}))
    for name, (ours, theirs) in fixed.items():
        if ours != theirs:
            raise UsageError(
                f"{name} of this network is {ours!r}, and the published code knows only {theirs!r}: in the "
                "original format the weights would give other answers"
            )
