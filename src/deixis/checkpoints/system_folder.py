"""The folder that ``deixis.load`` opens, written from tensors that are still in other files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from torch import nn
from transformers import PreTrainedConfig

from deixis.checkpoints.convert.checkpoint import ORIGINAL, Checkpoint, without_tied_head
from deixis.checkpoints.convert.renaming import KeyTable
from deixis.checkpoints.convert.tower_folder import TowerFiles
from deixis.checkpoints.files.folders import copy_tokenizer, new_folder, tokenizer_place
from deixis.checkpoints.files.lazy import Tensors
from deixis.checkpoints.files.settings import read_settings, write_settings
from deixis.checkpoints.files.writing import write_tensors
from deixis.checkpoints.fit import check_fit, network_shapes
from deixis.checkpoints.tokenizer_fit import check_tokens
from deixis.errors import BadWeights, MissingWeights
from deixis.files.declared_fields import Fields, checked
from deixis.text.prompt_tokens import TextCodec
from deixis.text.templates import find_template
from deixis.text.tokenizers.codecs.opening import FERRET, CodecDefaults, open_codec
from deixis.text.tokenizers.settings import SETTINGS_FILE

Settings = TypeVar("Settings", bound=PreTrainedConfig)


def write_converted(
    checkpoint: Checkpoint,
    *,
    out: Path,
    config: PreTrainedConfig,
    network: Callable[[], nn.Module],
    table: KeyTable,
    towers: Mapping[str, TowerFiles],
    other_tokenizer: Path | None = None,
    defaults: CodecDefaults = FERRET,
) -> None:
    """Write a checkpoint in original names as a folder of ours.

    config: ours, with ``language``. network: builds the network that is to hold the weights; it is made
    without numbers, to compare names and shapes. towers: by the network's attributes; what the checkpoint
    keeps in their places is not looked at again. defaults: what is known of the tokenizer beyond its files;
    where that is something else than of Ferret's, it is written into them.
    """
    check_settings(config, where=checkpoint.where)
    place = tokenizer_place(checkpoint.folder, otherwise=other_tokenizer)
    codec = check_tokenizer(config, place, defaults=defaults)
    tied = bool(config.language.get("tie_word_embeddings"))
    stored = without_tied_head(checkpoint) if tied else checkpoint.tensors
    places = tuple(f"{original}." for original, _ in table.towers)
    tensors = {table.to_ours(key): one for key, one in stored.items() if not key.startswith(places)}
    for name, tower in towers.items():
        tensors |= tower.under(name)
    shapes = network_shapes(network, where=checkpoint.where)
    check_fit(tensors, shapes, table=table, where=checkpoint.where)
    write_system(
        out,
        config=config,
        tensors=tensors,
        original=checkpoint.config,
        tokenizer=checkpoint.folder,
        other_tokenizer=other_tokenizer,
        codec=None if defaults is FERRET else codec,
    )


def check_settings(config: Any, *, where: str) -> None:
    """Raise BadWeights unless settings made of a published file are what a saved folder may say."""
    fields: Fields = config.fields()
    checked({name: getattr(config, name) for name in fields}, fields, where=where)


def check_tokenizer(config: Any, folder: Path, *, defaults: CodecDefaults = FERRET) -> TextCodec:
    """Return the tokenizer in a folder; BadWeights unless it can be opened and fits a network of settings."""
    codec = open_codec(config.codec, folder, defaults)
    check_tokens(codec, find_template(config.template), rows=config.vocab_size, folder=folder)
    return codec


def settings_from(build: Callable[[], Settings], *, where: str) -> Settings:
    """Return settings made of a published file; BadWeights for whatever is wrong with its fields."""
    try:
        return build()
    except (BadWeights, MissingWeights):
        raise
    except Exception as fault:  # fields of any type are put together
        raise BadWeights(f"{where}: its fields make no settings of ours: {fault!s:.500}") from fault


def write_system(
    out: Path,
    *,
    config: PreTrainedConfig,
    tensors: Tensors,
    original: Mapping[str, Any],
    tokenizer: Path,
    other_tokenizer: Path | None = None,
    codec: TextCodec | None = None,
) -> None:
    """Write weights, tokenizer, ``generation_config.json`` and, last, ``config.json``.

    original: the configuration that this was made from; it is kept for the way back. tokenizer: the folder
    whose tokenizer files are copied, other_tokenizer: the one to take where it has none. codec: what these
    files are opened as; all that it knows is written into them, what else they say stays.
    """
    with new_folder(out) as folder:
        copy_tokenizer(tokenizer, folder, otherwise=other_tokenizer)
        if codec is not None:
            kept = read_settings(folder / SETTINGS_FILE) if (folder / SETTINGS_FILE).is_file() else {}
            codec.save(folder)
            write_settings(folder / SETTINGS_FILE, {**kept, **read_settings(folder / SETTINGS_FILE)})
        write_tensors(folder, tensors)
        write_settings(folder / "generation_config.json", generation_settings(config))
        write_settings(folder / ORIGINAL, original)
        config.save_pretrained(folder)


def generation_settings(config: PreTrainedConfig) -> dict[str, Any]:
    """Return how such a system answers: the likeliest token, until the end token."""
    ids = {name: getattr(config, name, None) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    return {"do_sample": False, **{name: value for name, value in ids.items() if value is not None}}
