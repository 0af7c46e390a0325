"""What Groma's stages start from: published parts, a proposer that has learnt, a whole Groma."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from deixis.checkpoints.files.settings import read_settings
from deixis.checkpoints.files.shards import open_shards
from deixis.checkpoints.initial_state import language_state, tower_state
from deixis.checkpoints.language_settings import language_settings
from deixis.checkpoints.saved_network import open_network
from deixis.errors import BadWeights, RecipeError
from deixis.layers.language.small_decoders import small_language
from deixis.layers.language.word_vectors import source_pieces, word_vectors
from deixis.layers.towers.feature_grid import FeatureGridTower
from deixis.layers.towers.pretrained import load_pretrained_tower
from deixis.systems.groma.answering import GromaSystem, groma_system, open_groma
from deixis.systems.groma.config import GromaConfig
from deixis.systems.groma.detector.config import GromaProposerConfig
from deixis.systems.groma.detector.network import GromaProposerNetwork
from deixis.systems.groma.dialect import added_texts, groma_codec
from deixis.systems.groma.model import GromaNetwork
from deixis.systems.network_options import from_options
from deixis.systems.sources import own_pieces
from deixis.systems.spliced.training.initial_parts import Initial
from deixis.text.prompt_tokens import TextCodec
from deixis.text.region_marks import PAD, REFER_FEAT
from deixis.text.tokenizers.codecs.word_codec import WordCodec
from deixis.text.tokenizers.settings import SETTINGS_FILE, truth
from deixis.text.tokenizers.settings import read_settings as tokenizer_settings
from deixis.text.tokenizers.word_pieces.vocabulary import build_vocabulary

LOG = logging.getLogger("deixis")
CONFIG = "config.json"
TABLES = {"model.embed_tokens": "model.embed_tokens.base", "lm_head": "lm_head.base"}
POSITIONS = 4096
WORD_SPREAD = 0.1  # standard deviation of word vectors that start from pretrained ones


def legal_fields(config: type[Any]) -> list[str]:
    """Return the options that a configuration takes."""
    return [name for name in inspect.signature(config.__init__).parameters if name not in ("self", "kwargs")]


def model_type(folder: Path) -> str:
    """Return what a saved folder says it is."""
    return str(read_settings(folder / CONFIG).get("model_type"))


def new_proposer(options: Mapping[str, Any], initial: Initial, *, where: str) -> GromaProposerNetwork:
    """Return a proposer over a published vision encoder, a packaged one, or one from nothing.

    options: fields of its configuration, and pretrained (default true): start a packaged vision encoder from
    its weights.
    """
    fields = dict(options)
    pretrained = bool(fields.pop("pretrained", True))
    parts, _ = tower_fields(initial)
    with from_options(where=where):
        network = GromaProposerNetwork(GromaProposerConfig(**parts | fields))
    fill_tower(network, initial, pretrained=pretrained, where=where)
    return network


def tower_fields(initial: Initial) -> tuple[dict[str, Any], None]:
    """Return what a published vision encoder says of a configuration."""
    named = Initial({name: folder for name, folder in initial.folders.items() if name == "tower"})
    return named.fields()[0], None


def fill_tower(
    network: GromaProposerNetwork | GromaNetwork, initial: Initial, *, pretrained: bool, where: str
) -> None:
    """Give a vision encoder its published or packaged weights, where there are any."""
    tower = network.perceiver.tower
    if "tower" in initial.folders:
        load_into(
            network,
            {
                f"perceiver.{name}": one
                for name, one in tower_state(initial.folders["tower"], name="tower").items()
            },
            where=where,
        )
    elif pretrained and isinstance(tower, FeatureGridTower):
        load_pretrained_tower(tower.vision, network.config.tower["kind"])
    else:
        LOG.warning("%s: the vision encoder starts fresh", where)


def opened_proposer(folder: Path, options: Mapping[str, Any], *, where: str) -> GromaProposerNetwork:
    """Return a saved proposer; RecipeError for options, which would make another one of it."""
    if options:
        raise RecipeError(
            f"{where}: it goes on with the proposer in {folder}, whose sizes are settled; leave "
            f"{', '.join(options)} out"
        )
    network: GromaProposerNetwork = open_network(GromaProposerNetwork, folder)
    return network


def load_into(network: torch.nn.Module, state: Mapping[str, Tensor], *, where: str) -> None:
    """Load weights of a part; BadWeights for those that have no place or another shape."""
    own = network.state_dict()
    wrong = [name for name, one in state.items() if name not in own or own[name].shape != one.shape]
    if wrong:
        raise BadWeights(f"{where}: no place for {wrong[:3]} in this network, or another shape; other sizes?")
    network.load_state_dict(dict(state), strict=False)


def started_system(
    options: Mapping[str, Any],
    *,
    start: Path | None,
    initial: Initial,
    texts: Sequence[str],
    where: str,
) -> GromaSystem:
    """Return the Groma that a stage of dialogues begins with.

    start: a saved Groma, or a saved proposer, whose perception it then has. initial: the folder of a decoder
    ("language") and of a vision encoder where no start has one. Without a decoder's folder, a small one whose
    words are those of the texts.
    """
    if start is not None and model_type(start) == GromaConfig.model_type:
        return changed_system(open_groma(start), options, initial, where=where)
    proposer = None if start is None else opened_proposer(start, {}, where=where)
    fields = dict(options)
    pretrained = bool(fields.pop("pretrained", True))
    if proposer is not None:
        kept = proposer.config.to_dict()
        fields = {name: kept[name] for name in legal_fields(GromaProposerConfig) if name in kept} | fields
    if "language" in initial.folders:
        codec, language = published_language(initial.folders["language"])
    else:
        codec, language = small_words(fields, texts, pretrained=pretrained)
    parts = tower_fields(initial)[0] | language
    with from_options(where=where):
        network = GromaNetwork(GromaConfig(**parts | fields | {"language": parts["language"]}))
    if proposer is not None:
        load_into(network, proposer.state_dict(), where=where)
    else:
        fill_tower(network, initial, pretrained=pretrained, where=where)
    fill_words(network, initial, codec, pretrained=pretrained, where=where)
    with from_options(where=where):
        return groma_system(network, codec)


def changed_system(
    system: GromaSystem, options: Mapping[str, Any], initial: Initial, *, where: str
) -> GromaSystem:
    """Return an earlier stage's system with other options, all its weights kept."""
    if initial.folders or "pretrained" in options or isinstance(options.get("language"), str):
        raise RecipeError(
            f"{where}: it starts from a whole Groma; leave initial, pretrained and a decoder's name out"
        )
    if not options:
        return system
    old = system.network.config.to_dict()
    kept = {name: old[name] for name in legal_fields(GromaConfig) if name in old}
    with from_options(where=where):
        network = GromaNetwork(GromaConfig(**kept | dict(options)))
    load_into(network, system.network.state_dict(), where=where)
    with from_options(where=where):
        return groma_system(network, system.codec)


def published_language(folder: Path) -> tuple[TextCodec, dict[str, Any]]:
    """Return the tokenizer of a decoder such as Vicuna with Groma's tokens, and the fields that follow."""
    legacy = truth(tokenizer_settings(folder), "legacy", where=folder / SETTINGS_FILE)
    codec = groma_codec(folder / "tokenizer.model", legacy=legacy)
    settings = language_settings(
        read_settings(folder / CONFIG), open_shards(folder), where=str(folder / CONFIG)
    )
    if settings["vocab_size"] != codec.words:
        raise BadWeights(
            f"{folder}: the decoder has {settings['vocab_size']} rows, its tokenizer {codec.words} words; "
            "Groma's tokens lie right behind the words, so both have to be one number"
        )
    own = {"language": settings | {"tie_word_embeddings": False}, "codec": "sentencepieces"}
    return codec, own | {"bos_token_id": codec.bos, "eos_token_id": codec.eos}


def small_words(
    fields: dict[str, Any], texts: Sequence[str], *, pretrained: bool
) -> tuple[TextCodec, dict[str, Any]]:
    """Return a vocabulary of the texts' words, and the fields of a small decoder for it.

    fields: ``language`` in them may name the decoder's size; it is taken out.
    """
    size = fields.pop("language", "small")
    vocabulary = build_vocabulary(texts, source_pieces() if pretrained else own_pieces(texts))
    codec = WordCodec(vocabulary, added_texts(), pad=PAD, region=REFER_FEAT)
    language = size
    if isinstance(size, str):
        language = small_language(size, words=len(vocabulary), positions=POSITIONS)
    own: dict[str, Any] = {
        "language": {**language, "vocab_size": len(vocabulary), "tie_word_embeddings": False}
    }
    return codec, own | {"codec": "words", "bos_token_id": codec.bos, "eos_token_id": codec.eos}


def fill_words(
    network: GromaNetwork, initial: Initial, codec: TextCodec, *, pretrained: bool, where: str
) -> None:
    """Give the decoder its published weights, or its word table pretrained vectors; new tokens follow."""
    if "language" in initial.folders:
        load_into(network, split_names(language_state(initial.folders["language"])), where=where)
    elif pretrained and isinstance(codec, WordCodec):
        start_words(network, word_vectors(codec.vocabulary, source_pieces()))
    network.language.model.embed_tokens.reset()
    network.language.lm_head.reset()


def split_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a decoder's weights by the names of one with a vocabulary in two parts."""
    renamed = {}
    for name, one in state.items():
        for table, own in TABLES.items():
            name = name.replace(f"language.{table}.weight", f"language.{own}.weight")
        renamed[name] = one
    return renamed


@torch.no_grad()
def start_words(network: GromaNetwork, vectors: Mapping[int, Tensor]) -> None:
    """Let both word tables start from wider, pretrained vectors: their principal directions."""
    known = torch.stack([vectors[one] for one in sorted(vectors)])  # (V, E)
    centred = known - known.mean(dim=0)
    _, _, directions = torch.linalg.svd(centred, full_matrices=False)
    for layer in (network.language.model.embed_tokens.base, network.language.lm_head.base):
        table = layer.weight
        narrow = centred @ directions[: table.shape[1]].T  # (V, up to D)
        narrow = torch.nn.functional.pad(narrow, (0, table.shape[1] - narrow.shape[1]))  # (V, D)
        table.normal_(std=WORD_SPREAD)
        table[sorted(vectors)] = narrow * (WORD_SPREAD / narrow.std())
