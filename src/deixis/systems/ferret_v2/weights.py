"""Weights of Ferret-UI as published, and of Ferret-v2 in the same manner, to our folder and back.

Ferret-v2's own were never published; its keys are Ferret-UI's, and those of a second tower and projector.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deixis.checkpoints.convert.checkpoint import EMBEDDING, HEAD, ORIGINAL, Checkpoint, vocabulary_pieces
from deixis.checkpoints.convert.region_token import region_token
from deixis.checkpoints.convert.tower_folder import BESIDE, DINOV2, TowerFiles, find_tower, tower_settings
from deixis.checkpoints.files.folders import copy_tokenizer, new_folder
from deixis.checkpoints.files.settings import read_settings, write_settings
from deixis.checkpoints.files.writing import write_tensors
from deixis.checkpoints.language_settings import language_settings, token_ids
from deixis.checkpoints.saved_network import config_of
from deixis.checkpoints.system_folder import settings_from, write_converted
from deixis.errors import BadWeights, UsageError
from deixis.systems.ferret.config import SAMPLER
from deixis.systems.ferret_v2.config import FerretV2Config
from deixis.systems.ferret_v2.grids import grids_from_sizes
from deixis.systems.ferret_v2.keys import FERRET_V2
from deixis.systems.ferret_v2.model import FerretV2Network
from deixis.systems.ferret_v2.published import ferret_ui_config, ferret_v2_config

TOWER, LOCAL_TOWER = "model.vision_tower.vision_tower.", "model.vision_tower_local.vision_tower."
LOCAL_BESIDE = "vision_tower_local"
UI_KINDS = ("ferret_llama", "ferret_gemma")
LONGEST_LIST = 10_000
TEMPLATES = {
    "llama": "ferret_llama_3",
    "gemma": "ferret_gemma_instruct",
    "phi3": "ferret_phi3_instruct",
}


def convert_ferret_ui(*, folder: Path, out: Path, tower: Path | None = None) -> FerretV2Config:
    """Write a published Ferret-UI checkpoint as a folder that ``deixis.load`` opens.

    tower: CLIP, if it is neither among the weights nor in ``vision_tower`` below them. MissingWeights,
    BadWeights, UsageError: before anything is written at ``out``.
    """
    checkpoint = Checkpoint.open(folder)
    named = checkpoint.config.get("mm_vision_tower")
    found = find_tower(checkpoint.below(TOWER), tower=tower, beside=folder / BESIDE, named=named)
    config = settings_from(lambda: our_ui_config(checkpoint, tower=found), where=checkpoint.where)
    return write(checkpoint, out=out, config=config, towers={"tower": found})


def convert_folder(
    *, folder: Path, out: Path, tower: Path | None = None, local_tower: Path | None = None
) -> FerretV2Config:
    """Write a Ferret-v2 checkpoint in the original manner as a folder that ``deixis.load`` opens.

    tower, local_tower: those for the whole picture and for tiles, if they are not among the weights.
    """
    checkpoint = Checkpoint.open(folder)
    towers = {"tower": given_tower(checkpoint, "global_vision", stored=TOWER, tower=tower)}
    if checkpoint.config.get("local_vision") is not None or checkpoint.has(LOCAL_TOWER):
        towers["local_tower"] = given_tower(checkpoint, "local_vision", stored=LOCAL_TOWER, tower=local_tower)
    config = settings_from(lambda: our_config(checkpoint, towers=towers), where=checkpoint.where)
    return write(checkpoint, out=out, config=config, towers=towers)


def given_tower(checkpoint: Checkpoint, field: str, *, stored: str, tower: Path | None) -> TowerFiles:
    """Return one of the towers of a Ferret-v2 checkpoint, whose settings are a field of its config.json."""
    fields = checkpoint.config.get(field)
    settings = None
    if fields is not None:
        kind = fields.get("type", "clip") if isinstance(fields, dict) else None
        if kind not in ("clip", "dinov2"):
            raise BadWeights(
                f"{checkpoint.where}: field {field!r} is {fields!r:.80}; expected type clip or dinov2"
            )
        settings = tower_settings(fields, kind=kind, where=checkpoint.where)
    inside = checkpoint.below(stored)
    if field == "global_vision":
        beside, named = checkpoint.folder / BESIDE, checkpoint.config.get("mm_vision_tower")
        return find_tower(inside, tower=tower, beside=beside, named=named, settings=settings)
    return find_tower(
        inside,
        tower=tower,
        beside=checkpoint.folder / LOCAL_BESIDE,
        named=checkpoint.config.get("mm_vision_tower_local"),
        settings=settings,
        usual=DINOV2,
        flag="--local-vision-encoder",
    )


def write(
    checkpoint: Checkpoint, *, out: Path, config: FerretV2Config, towers: dict[str, TowerFiles]
) -> FerretV2Config:
    """Write a checkpoint in original names as a folder of ours."""
    write_converted(
        checkpoint,
        out=out,
        config=config,
        network=lambda: FerretV2Network(config),
        table=FERRET_V2,
        towers=towers,
    )
    return config


def our_ui_config(checkpoint: Checkpoint, *, tower: TowerFiles) -> FerretV2Config:
    """Return the configuration of a published Ferret-UI checkpoint."""
    config = checkpoint.config
    check_ui_kind(checkpoint)
    crop = tower.settings["image_size"]
    any_resolution = config.get("image_aspect_ratio") == "anyres"
    fields: dict[str, Any] = {"grids": grids(checkpoint, crop=crop)} if any_resolution else {}
    longest = checkpoint.number("tokenizer_model_max_length", 4096)
    pooling = config.get("sampler_pooler_mode", "mean")
    return FerretV2Config.ferret_ui(
        **shared(checkpoint, config),
        **fields,
        tower=tower.settings,
        projector=config.get("mm_projector_type") or "linear",
        sampler={**SAMPLER, "pooling": pooling} if checkpoint.truth("region_geo_sampler", False) else None,
        resolution="any_res" if any_resolution else "fixed",
        crop=crop,
        global_side=crop,
        merge=config.get("mm_patch_merge_type") or "flat",
        max_text=longest,
        max_tokens=longest,
    )


def check_ui_kind(checkpoint: Checkpoint) -> None:
    """Raise BadWeights for a checkpoint of another system, or one that reads its tower in another way."""
    kind = checkpoint.config.get("model_type")
    if kind not in UI_KINDS:
        hint = "use `deixis convert ferret`" if kind == "ferret" else "is it the right folder?"
        raise BadWeights(
            f"{checkpoint.where}: model_type is {kind!r:.60}; expected {' or '.join(UI_KINDS)}; {hint}"
        )
    selected = checkpoint.config.get("mm_vision_select_feature", "patch")
    if selected != "patch":
        raise BadWeights(
            f"{checkpoint.where}: mm_vision_select_feature is {selected!r:.60}; expected 'patch'"
        )


def our_config(checkpoint: Checkpoint, *, towers: dict[str, TowerFiles]) -> FerretV2Config:
    """Return the configuration of a Ferret-v2 checkpoint in the original manner."""
    config = checkpoint.config
    if config.get("model_type") != FerretV2Config.model_type or "global_vision" not in config:
        raise BadWeights(
            f"{checkpoint.where}: model_type is {config.get('model_type')!r:.60}, with the fields "
            f"{sorted(config)!s:.200}; expected {FerretV2Config.model_type!r} with global_vision; for "
            "Ferret-UI use `deixis convert ferret-ui`"
        )
    given = config.get("llm")
    decoder = {**given, "model_type": given.get("type")} if isinstance(given, dict) else config
    sizes = {"num_init_point": "points", "num_sub_point": "anchors", "num_neighbor": "neighbours"}
    sampler = {ours: config[name] for name, ours in sizes.items() if name in config}
    sampler |= {"pooling": config["sampler_pooler_mode"]} if "sampler_pooler_mode" in config else {}
    names = {"global_size": "global_side", "local_crop": "crop", "resolution_mode": "resolution"}
    names |= {
        "mm_projector_type": "projector",
        "mm_patch_merge_type": "merge",
        "tokenizer_model_max_length": "max_tokens",
    }
    names |= {"max_sequence_length": "max_text"}
    same = ("grids", "max_image_tokens", "local_select_layer", "region_feature_source", "region_map")
    names |= {name: name for name in (*same, "global_upsample", "point_order")}
    fields = {ours: config[name] for name, ours in names.items() if config.get(name) is not None}
    fields["separate_projectors"] = checkpoint.has("model.mm_projector_local.")
    local = towers.get("local_tower")
    chosen = {**shared(checkpoint, decoder), **fields}
    return FerretV2Config(
        tower=towers["tower"].settings,
        local_tower=None if local is None else local.settings,
        sampler={**SAMPLER, **sampler} if checkpoint.truth("region_geo_sampler", True) else None,
        **chosen,
    )


def shared(checkpoint: Checkpoint, decoder: dict[str, Any]) -> dict[str, Any]:
    """Return what both kinds of checkpoints say alike: decoder, tokens, template. decoder: its fields."""
    config = checkpoint.config
    language = language_settings(decoder, checkpoint.tensors, where=checkpoint.where)
    pieces = vocabulary_pieces(checkpoint.folder)
    # Of the published decoders only Vicuna has a sentencepiece model without anything else.
    sentencepieces = pieces is not None and language["model_type"] == "llama"
    template = "ferret_vicuna_v1" if sentencepieces else TEMPLATES[language["model_type"]]
    return {
        "language": language,
        "select_layer": checkpoint.number("select_layer", checkpoint.number("mm_vision_select_layer", -2)),
        "region_adapter": checkpoint.truth("region_fea_adapter", False)
        and not checkpoint.truth("region_geo_sampler", False),
        "template": config.get("template") or template,
        "codec": "sentencepieces" if sentencepieces else "tokenizer",
        "region_token_id": region_token(
            config, rows=checkpoint.rows, pieces=pieces if sentencepieces else None, where=checkpoint.where
        ),
        "dtype": checkpoint.dtype,
        **token_ids(language),
    }


def grids(checkpoint: Checkpoint, *, crop: int) -> list[list[int]]:
    """Return [columns, rows] of the canvases that config.json lists in pixels."""
    listed = checkpoint.config.get("image_grid_pinpoints")
    try:
        if not listed or len(listed) > LONGEST_LIST:
            raise UsageError("it is empty or very long")
        return grids_from_sizes(listed, crop=crop)
    except (UsageError, ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as fault:
        raise BadWeights(
            f"{checkpoint.where}: image_grid_pinpoints is {listed!r:.120}; expected [width, height] in "
            f"multiples of the {crop} pixels that the vision encoder sees: {fault}"
        ) from fault


def convert_back(*, folder: Path, out: Path) -> None:
    """Write a folder of ours as a Ferret-v2 checkpoint in the original manner."""
    config = ours(folder)
    write_back(Checkpoint.open(folder), out=out, config=ferret_v2_config(config))


def convert_ferret_ui_back(*, folder: Path, out: Path) -> None:
    """Write a folder of ours as Ferret-UI was published; UsageError if it is no network of that kind."""
    config = ours(folder)
    published = ferret_ui_config(config)
    check_towers(config, ("clip",), where=folder / "config.json")
    write_back(Checkpoint.open(folder), out=out, config=published)


def ours(folder: Path) -> FerretV2Config:
    """Return the configuration of a folder of ours.

    BadWeights for any other folder, and for vision encoders other than those that were published.
    """
    where = folder / "config.json"
    settings = read_settings(where)
    if settings.get("model_type") != FerretV2Config.model_type or "global_vision" in settings:
        raise BadWeights(
            f"{where}: model_type is {settings.get('model_type')!r:.60}; expected "
            f"{FerretV2Config.model_type!r}, as deixis writes it"
        )
    config: FerretV2Config = config_of(FerretV2Config, settings, where=str(where))
    check_towers(config, ("clip", "dinov2"), where=where)
    return config


def check_towers(config: FerretV2Config, published: tuple[str, ...], *, where: Path) -> None:
    """Raise BadWeights for a vision encoder that published systems don't have."""
    for name, tower in (("tower", config.tower), ("local_tower", config.local_tower)):
        if tower is not None and tower["kind"] not in published:
            raise BadWeights(
                f"{where}: {name} is {tower['kind']!r}, which has no original format; published are "
                f"{' and '.join(published)}"
            )


def write_back(checkpoint: Checkpoint, *, out: Path, config: dict[str, Any]) -> None:
    """Write tensors by their original names. A tied head is stored again, as the published files have it."""
    tensors = {FERRET_V2.to_original(key): tensor for key, tensor in checkpoint.tensors.items()}
    tensors.setdefault(HEAD, tensors[EMBEDDING])
    kept = checkpoint.folder / ORIGINAL
    original = read_settings(kept) if kept.is_file() else {}
    if original.get("model_type") == config["model_type"]:
        config = {**config, **original}
    with new_folder(out) as work:
        copy_tokenizer(checkpoint.folder, work)
        write_tensors(work, tensors)
        write_settings(work / "config.json", config)
