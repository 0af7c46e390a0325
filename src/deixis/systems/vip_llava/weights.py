"""ViP-LLaVA's published weights to our folder and back, as its authors and as ``transformers`` have them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from deixis.checkpoints.convert.checkpoint import ORIGINAL, Checkpoint, vocabulary_pieces
from deixis.checkpoints.convert.renaming import KeyTable
from deixis.checkpoints.convert.tower_folder import BESIDE, TowerFiles, find_tower, tower_settings
from deixis.checkpoints.files.folders import copy_tokenizer, new_folder
from deixis.checkpoints.files.settings import read_settings, write_settings
from deixis.checkpoints.files.writing import write_tensors
from deixis.checkpoints.language_settings import language_settings, token_ids
from deixis.checkpoints.system_folder import write_converted
from deixis.errors import BadWeights, UsageError
from deixis.systems.vip_llava.config import FIVE_LEVELS, VipLlavaConfig
from deixis.systems.vip_llava.keys import FILES, LEVELS, MODULES, ONE_LEVEL
from deixis.systems.vip_llava.model import VipLlavaNetwork
from deixis.systems.vip_llava.published import authors_config, transformers_config
from deixis.text.templates import find_template
from deixis.text.tokenizers.codecs.defaults import CodecDefaults

TOWER = "model.vision_tower.vision_tower."
NORM, FIRST_MAP = "model.mm_projector.clip_layernorm.weight", "model.mm_projector.final_linear.0.weight"
KINDS = ("llava", "llava_llama", "llava_phi3")  # what the authors' files say
HF_KIND = "vipllava"
TEMPLATES = {"llama": "llava_llama_3", "phi3": "llava_phi_3"}
ASPECTS = {"pad": "pad", "square": "crop", None: "crop"}
HF_TEXT = "text_config"


def tokenizer_known(decoder: str, codec: str) -> CodecDefaults:
    """Return what is known of a published decoder's tokenizer: it has no token for regions.

    decoder: "llama" or "phi3". Of Llama-3's and Phi-3's, the mark that closes an answer ends it.
    """
    vicuna = (decoder, codec) == ("llama", "sentencepieces")
    ends = () if vicuna or decoder not in TEMPLATES else (find_template(TEMPLATES[decoder]).stop,)
    return CodecDefaults(region=None, guard="spaced pieces", ends=ends)


def convert_folder(*, folder: Path, out: Path, tower: Path | None = None) -> VipLlavaConfig:
    """Write a published checkpoint, in either format, as a folder that ``deixis.load`` opens.

    tower: CLIP, if it is neither among the weights nor in ``vision_tower`` below them. MissingWeights,
    BadWeights: before anything is written at ``out``.
    """
    checkpoint = Checkpoint.open(folder)
    if checkpoint.config.get("model_type") == HF_KIND:
        return write(authors(checkpoint), out=out, tower=None, fields={"aspect": "pad"})
    return write(checkpoint, out=out, tower=tower, fields=own_fields(checkpoint))


def authors(checkpoint: Checkpoint) -> Checkpoint:
    """Return a checkpoint of ``transformers`` by the authors' names and fields.

    Its file of the published 7B says ``vision_feature_layer: -2``, which no version of the library that could
    read it heeded: how many levels there are is read from the projector.
    """
    table = MODULES if checkpoint.has("model.language_model.") else FILES
    tensors = {table.to_ours(key): tensor for key, tensor in checkpoint.tensors.items()}
    text, vision = (part_of(checkpoint, name) for name in (HF_TEXT, "vision_config"))
    config = {"tie_word_embeddings": False, **checkpoint.config, **text}
    rows = tensors.get("model.embed_tokens.weight")
    if rows is not None:
        config["vocab_size"] = rows.shape[0]
    return Checkpoint(checkpoint.folder, {**config, "vision": vision, "model_type": "llava"}, tensors)


def part_of(checkpoint: Checkpoint, name: str) -> dict[str, Any]:
    """Return a part of a configuration; what ``transformers`` leaves out are its own defaults."""
    from transformers import CLIPVisionConfig, LlamaConfig

    given = checkpoint.config.get(name)
    if not isinstance(given, dict):
        raise BadWeights(f"{checkpoint.where}: field {name!r} is {given!r:.60}; expected an object")
    defaults = (LlamaConfig if name == HF_TEXT else CLIPVisionConfig)().to_dict()
    return {**defaults, **given}


def own_fields(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return what the authors' file says of pictures and tokens."""
    config = checkpoint.config
    kind, aspect = config.get("model_type"), config.get("image_aspect_ratio")
    if kind not in KINDS:
        raise BadWeights(
            f"{checkpoint.where}: model_type is {kind!r:.60}; expected {', '.join(KINDS)} or {HF_KIND}; "
            "is it the right folder?"
        )
    if aspect not in ASPECTS:
        raise BadWeights(
            f"{checkpoint.where}: image_aspect_ratio is {aspect!r:.60}; expected pad, square or none"
        )
    longest = config.get("tokenizer_model_max_length")
    return {"aspect": ASPECTS[aspect], "max_tokens": longest if type(longest) is int else None}


def write(checkpoint: Checkpoint, *, out: Path, tower: Path | None, fields: dict[str, Any]) -> VipLlavaConfig:
    """Write a checkpoint by the authors' names as a folder of ours."""
    vision = checkpoint.config.get("vision")
    found = find_tower(
        checkpoint.below(TOWER),
        tower=tower,
        beside=checkpoint.folder / BESIDE,
        named=checkpoint.config.get("mm_vision_tower"),
        settings=None if vision is None else tower_settings(vision, kind="clip", where=checkpoint.where),
    )
    config = our_config(checkpoint, tower=found, fields=fields)
    write_converted(
        checkpoint,
        out=out,
        config=config,
        network=lambda: VipLlavaNetwork(config),
        table=LEVELS if config.feature_norm else ONE_LEVEL,
        towers={"tower": found},
        defaults=tokenizer_known(config.language["model_type"], config.codec),
    )
    return config


def our_config(checkpoint: Checkpoint, *, tower: TowerFiles, fields: dict[str, Any]) -> VipLlavaConfig:
    """Return the configuration of a checkpoint by the authors' names; BadWeights where its parts disagree."""
    language = language_settings(checkpoint.config, checkpoint.tensors, where=checkpoint.where)
    pieces = vocabulary_pieces(checkpoint.folder)
    vicuna = pieces is not None and language["model_type"] == "llama"
    return VipLlavaConfig(
        language=language,
        tower=tower.settings,
        select_layers=levels(checkpoint, width=tower.settings["hidden_size"]),
        feature_norm=NORM in checkpoint.tensors,
        projector=checkpoint.config.get("mm_projector_type") or "mlp2x_gelu",
        side=tower.settings["image_size"],
        template="llava_v1" if vicuna else TEMPLATES[language["model_type"]],
        codec="tokenizer" if pieces is None else "sentencepieces",
        dtype=checkpoint.dtype,
        **token_ids(language),
        **fields,
    )


def levels(checkpoint: Checkpoint, *, width: int) -> tuple[int, ...]:
    """Return the hidden states that the projector reads: the five published ones, or one for a baseline."""
    norm = checkpoint.tensors.get(NORM)
    if norm is None:
        return (checkpoint.number("mm_vision_select_layer", -2),)
    named = checkpoint.config.get("vision_feature_layers") or checkpoint.config.get("vision_feature_layer")
    chosen = tuple(named) if isinstance(named, list | tuple) else FIVE_LEVELS
    if norm.shape[0] != width * len(chosen):
        raise BadWeights(
            f"{norm.where}: {NORM} has {norm.shape[0]} numbers, the vision encoder is {width} wide; expected "
            f"{len(chosen)} levels of it, {width * len(chosen)} numbers"
        )
    return chosen


def ours(folder: Path) -> tuple[Checkpoint, VipLlavaConfig, dict[str, Any]]:
    """Return a folder of ours by the authors' names, its configuration, and the file it was made from."""
    settings, where = read_settings(folder / "config.json"), folder / "config.json"
    kind = settings.get("model_type")
    if kind != VipLlavaConfig.model_type:
        raise BadWeights(f"{where}: model_type is {kind!r:.60}; expected {VipLlavaConfig.model_type!r}")
    config = VipLlavaConfig(**settings)
    if config.tower.get("kind") != "clip":
        raise UsageError(
            f"{where}: the vision encoder is of kind {config.tower.get('kind')!r}; published "
            "formats hold CLIP only, so this network has none of them"
        )
    checkpoint = Checkpoint.open(folder)
    table: KeyTable = LEVELS if config.feature_norm else ONE_LEVEL
    tensors = {table.to_original(key): tensor for key, tensor in checkpoint.tensors.items()}
    kept = folder / ORIGINAL
    return replace(checkpoint, tensors=tensors), config, read_settings(kept) if kept.is_file() else {}


def convert_back(*, folder: Path, out: Path) -> None:
    """Write a folder of ours in the authors' format, the tower among the weights."""
    checkpoint, config, original = ours(folder)
    fields = authors_config(config)
    kept = original if original.get("model_type") == fields["model_type"] and HF_TEXT not in original else {}
    write_out(checkpoint, out=out, config={**fields, **kept})


def convert_back_to_transformers(*, folder: Path, out: Path) -> None:
    """Write a folder of ours as ``transformers`` publishes it.

    UsageError: one level only, or no row of the vocabulary is left for the library's picture token.
    """
    checkpoint, config, original = ours(folder)
    fields = transformers_config(config, original=original, where=str(folder))
    tensors = {FILES.to_original(key): tensor for key, tensor in checkpoint.tensors.items()}
    write_out(replace(checkpoint, tensors=tensors), out=out, config=fields)


def write_out(checkpoint: Checkpoint, *, out: Path, config: dict[str, Any]) -> None:
    """Write a folder of another format."""
    with new_folder(out) as work:
        copy_tokenizer(checkpoint.folder, work)
        write_tensors(work, checkpoint.tensors)
        write_settings(work / "config.json", config)
