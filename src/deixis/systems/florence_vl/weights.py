"""Florence-VL's published weights to our folder and back (florence_vl.md section 8).

What a checkpoint is, is read from its config.json and its tensors; the authors' program goes by the folder's
name. A published folder holds the whole tower, with four copies of its word table and a decoder that answers
nothing: these stay in a file of their own, for the way back and for ``places``, as does Florence-2's
tokenizer where its folder is at hand.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deixis.checkpoints.convert.checkpoint import (
    ORIGINAL,
    Checkpoint,
    vocabulary_pieces,
    without_tied_head,
)
from deixis.checkpoints.convert.florence_folder import (
    SHARED,
    FlorenceFiles,
    read_decoder,
    read_florence,
    whole,
    write_decoder,
)
from deixis.checkpoints.convert.florence_settings import florence_settings, inferred
from deixis.checkpoints.convert.tower_folder import BESIDE
from deixis.checkpoints.files.folders import copy_tokenizer, new_folder, tokenizer_place
from deixis.checkpoints.files.lazy import LazyTensor
from deixis.checkpoints.files.settings import read_settings, write_settings
from deixis.checkpoints.files.writing import write_tensors
from deixis.checkpoints.fit import check_fit, network_shapes
from deixis.checkpoints.language_settings import language_settings, token_ids
from deixis.checkpoints.system_folder import check_settings, generation_settings
from deixis.checkpoints.tokenizer_fit import check_tokens
from deixis.errors import BadWeights, MissingWeights
from deixis.systems.florence_vl.config import FlorenceVlConfig
from deixis.systems.florence_vl.keys import FLORENCE_VL, TOWER
from deixis.systems.florence_vl.model import FlorenceVlNetwork
from deixis.systems.florence_vl.places.files import keep_tokens
from deixis.systems.florence_vl.published import KINDS, authors_config
from deixis.text.prompt_tokens import TextCodec
from deixis.text.templates import find_template
from deixis.text.tokenizers.codecs.opening import CodecDefaults, open_codec
from deixis.text.tokenizers.settings import SETTINGS_FILE

ASPECTS: dict[str | None, Any] = {"pad": "pad", "square": "resize", None: "resize"}
TOKENIZER = {"llama": ("tokenizer", "llama3"), "phi3": ("tokenizer", "phi3")}
VICUNA = ("sentencepieces", "vicuna_v1")


def convert_folder(*, folder: Path, out: Path, tower: Path | None = None) -> FlorenceVlConfig:
    """Write a published checkpoint as a folder that ``deixis.load`` opens.

    tower: the folder of Florence-2, for a checkpoint without one, or whose Florence-2 isn't the large one.
    MissingWeights, BadWeights: before anything is written at ``out``.
    """
    checkpoint = Checkpoint.open(folder)
    kind = checkpoint.config.get("model_type")
    if kind not in KINDS.values():
        raise BadWeights(
            f"{checkpoint.where}: model_type is {kind!r:.60}; expected {' or '.join(KINDS.values())}; is it "
            "the right folder?"
        )
    vision = find_florence(checkpoint, tower=tower)
    config = our_config(checkpoint, vision=vision)
    codec = codec_of(config, tokenizer_place(folder))
    check_settings(config, where=checkpoint.where)
    check_tokens(codec, find_template(config.template), rows=config.vocab_size, folder=folder)
    stored = without_tied_head(checkpoint) if config.language["tie_word_embeddings"] else checkpoint.tensors
    tensors = {FLORENCE_VL.to_ours(key): one for key, one in stored.items() if not key.startswith(TOWER)}
    tensors |= {**vision.under("tower"), **vision.under("encoder")}
    shapes = network_shapes(lambda: FlorenceVlNetwork(config), where=checkpoint.where)
    check_fit(tensors, shapes, table=FLORENCE_VL, where=checkpoint.where)
    with new_folder(out) as work:
        write_tokenizer(codec, tokenizer_place(folder), work)
        write_tensors(work, tensors)
        write_decoder(work, vision.rest())
        keep_tokens(tower if tower is not None else folder / BESIDE, work)
        write_settings(work / "generation_config.json", generation_settings(config))
        write_settings(work / ORIGINAL, checkpoint.config)
        config.save_pretrained(work)
    return config


def find_florence(checkpoint: Checkpoint, *, tower: Path | None) -> FlorenceFiles:
    """Return a checkpoint's Florence-2: among its weights, else in the given folder, else beside them.

    What config.json names is never looked up: it is a name on a hub, or a path of another machine.
    """
    stored, beside = checkpoint.below(TOWER), checkpoint.folder / BESIDE
    folder = tower if tower is not None else beside
    given = read_florence(folder) if tower is not None or beside.is_dir() else None
    if not stored and given is None:
        raise MissingWeights(
            f"{checkpoint.folder} holds no vision encoder (its config.json names "
            f"{checkpoint.config.get('mm_vision_tower')!r:.200}, which is not looked up); fetch "
            f"microsoft/Florence-2-large-ft and give its folder with --vision-encoder, or put it there "
            f"as {beside}"
        )
    if not stored and given is not None:
        return given
    settings = checkpoint.config.get("vision")
    if isinstance(settings, dict):
        return FlorenceFiles(*florence_settings(settings, where=checkpoint.where), stored)
    if given is not None:
        return FlorenceFiles(given.tower, given.encoder, stored)
    return FlorenceFiles(*inferred(stored), stored)


def our_config(checkpoint: Checkpoint, *, vision: FlorenceFiles) -> FlorenceVlConfig:
    """Return the configuration of a published checkpoint; BadWeights where its parts disagree."""
    stated, where = checkpoint.config, checkpoint.where
    language = language_settings(stated, checkpoint.tensors, where=where)
    pieces = vocabulary_pieces(checkpoint.folder) is not None
    codec, template = (
        VICUNA if pieces and language["model_type"] == "llama" else TOKENIZER[language["model_type"]]
    )
    aspect = stated.get("image_aspect_ratio")
    if aspect not in ASPECTS:
        raise BadWeights(f"{where}: image_aspect_ratio is {aspect!r:.60}; expected pad, square or none")
    longest = stated.get("tokenizer_model_max_length")
    return FlorenceVlConfig(
        language=language,
        tower=vision.tower,
        encoder=vision.encoder,
        projector=stated.get("mm_projector_type") or "mlp3x_gelu",
        side=vision.tower["side"],
        aspect=ASPECTS[aspect],
        max_tokens=longest if type(longest) is int else None,
        template=template,
        codec="sentencepieces" if pieces else codec,
        dtype=checkpoint.dtype,
        drop_pooled_token=checkpoint.truth("drop_pooled_token", False),
        mask_prompt_padding=checkpoint.truth("mask_prompt_padding", False),
        **token_ids(language),
    )


def codec_of(config: FlorenceVlConfig, folder: Path) -> TextCodec:
    """Return the tokenizer of a published folder, which has no token for regions."""
    template = find_template(config.template)
    defaults = CodecDefaults(region=None, guard="spaced pieces", ends=(template.stop,))
    return open_codec(config.codec, folder, defaults)


def write_tokenizer(codec: TextCodec, source: Path, folder: Path) -> None:
    """Write a tokenizer with all that we know of it; what else its files say stays."""
    copy_tokenizer(source, folder)
    kept = read_settings(folder / SETTINGS_FILE) if (folder / SETTINGS_FILE).is_file() else {}
    codec.save(folder)
    write_settings(folder / SETTINGS_FILE, {**kept, **read_settings(folder / SETTINGS_FILE)})


def convert_back(*, folder: Path, out: Path) -> None:
    """Write a folder of ours in the authors' format, the whole of Florence-2 among the weights.

    UsageError: a network that their format can't hold. MissingWeights: Florence-2's decoder isn't at hand.
    """
    settings, where = read_settings(folder / "config.json"), folder / "config.json"
    kind = settings.get("model_type")
    if kind != FlorenceVlConfig.model_type:
        raise BadWeights(f"{where}: model_type is {kind!r:.60}; expected {FlorenceVlConfig.model_type!r}")
    config, checkpoint = FlorenceVlConfig(**settings), Checkpoint.open(folder)
    fields = authors_config(config, words=0)  # refuses before anything is read
    rest = read_decoder(folder)
    fields = authors_config(config, words=rest[SHARED].shape[0])
    parts = {key: one for key, one in checkpoint.tensors.items() if key.startswith(("tower.", "encoder."))}
    others = {key: one for key, one in checkpoint.tensors.items() if key not in parts}
    tensors: dict[str, LazyTensor] = {FLORENCE_VL.to_original(key): one for key, one in others.items()}
    tensors |= {f"{TOWER}{key}": one for key, one in whole(parts, rest).items()}
    with new_folder(out) as work:
        copy_tokenizer(folder, work)
        write_tensors(work, tensors)
        write_settings(work / "config.json", {**fields, **kept_fields(folder, fields)})


def kept_fields(folder: Path, fields: dict[str, Any]) -> dict[str, Any]:
    """Return what the file said that a folder was made from, if it is of the same kind."""
    original = folder / ORIGINAL
    kept = read_settings(original) if original.is_file() else {}
    return kept if kept.get("model_type") == fields["model_type"] else {}
