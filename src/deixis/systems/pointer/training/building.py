"""How a pointer recipe becomes something to train: scenes, vocabulary, network, losses, saving."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn

from deixis.data.synthesis.phrasebook import Phrasebook
from deixis.errors import RecipeError
from deixis.layers.language.word_vectors import frequent_words, source_pieces, word_vectors
from deixis.layers.towers.pretrained import load_pretrained_tower
from deixis.progress import SILENT, Progress
from deixis.systems.network_options import check_declared, from_options, stored_options
from deixis.systems.pointer.config import PointerConfig
from deixis.systems.pointer.fitting.stage import fit_network
from deixis.systems.pointer.model import PointerNetwork
from deixis.systems.pointer.training.averaging import average
from deixis.systems.pointer.training.collate import PointerCollate
from deixis.systems.pointer.training.objective import ObjectiveWeights, PointerObjective
from deixis.systems.pointer.training.phrase_encoder import phrase_vectors
from deixis.systems.pointer.weights import load_network, rebuilt, save_network
from deixis.systems.sources import Sources, own_pieces, phrases_in
from deixis.systems.starting_model import model_folder
from deixis.text.tokenizers.word_pieces.unknown_words import count_words, listed
from deixis.text.tokenizers.word_pieces.vocabulary import (
    Vocabulary,
    build_vocabulary,
    grown_vocabulary,
    with_opening,
)
from deixis.training.loop import TrainingParts
from deixis.training.recipes.recipe import Recipe
from deixis.training.recipes.strict import build
from deixis.training.state.checkpoints import checkpoints

LOG = logging.getLogger("deixis")


def training_parts(
    recipe: Recipe, *, data: Path, start: Path | None, work: Path, progress: Progress = SILENT
) -> TrainingParts:
    """Return what the loop needs to train a pointer network by ``recipe`` on the datasets below ``data``."""
    weights = build(ObjectiveWeights, recipe.objective, where=f"recipe {recipe.name!r} objective")
    network_options(recipe)  # before minutes of reading
    sources = Sources.of(recipe, data, progress=progress)
    sources.only_dialogues()
    progress.phase(f"{recipe.name}: collecting phrases and words")
    phrasebook = Phrasebook(sources.scenes)
    names = {phrasebook.name(text) for text in phrasebook.texts}
    recorded = {text for record in sources.records for text in phrases_in(record)}
    phrases = sorted({*phrasebook.texts, *names, *recorded})
    pieces = source_pieces() if weights.pretrained else {}
    texts = [*sources.texts(), *[" ".join(frequent_words(pieces))] * 2]
    vocabulary = build_vocabulary(texts, pieces or own_pieces(texts))
    if network_options(recipe).get("intents"):
        vocabulary = with_opening(vocabulary)
    progress.phase(f"{recipe.name}: making the network")
    if start is None:
        network = new_network(recipe, vocabulary, pieces, weights)
    else:
        network, known = load_network(start)
        network = restarted(network, recipe, weights)
        if recipe.mixed_with is not None:
            other, same = load_network(model_folder(recipe.mixed_with.model, recipe=recipe, out=work.parent))
            if list(same.pieces) != list(known.pieces):
                raise RecipeError(f"recipe {recipe.name!r} mixes models whose words differ")
            average(network, restarted(other, recipe, weights), recipe.mixed_with.shares)
        vocabulary = grown_vocabulary(known, vocabulary)
        learn_words(network, vocabulary, pieces)
    warn_of_unknown_words(dict.fromkeys(texts), vocabulary, recipe=recipe.name)
    vectors = None
    if weights.pretrained:
        vectors = phrase_vectors(phrases, cache=work.parent / "phrase_vectors.safetensors", progress=progress)
    config = network.config
    objective = PointerObjective(network, weights=weights, phrase_vectors=vectors)
    if start is not None:
        go_on(objective, start.parent)
    return TrainingParts(
        objective=objective,
        source=sources.examples(phrasebook=phrasebook, side=config.side),
        data=sources.identity(),
        collate=PointerCollate(
            config, vocabulary, phrase_rows={text: row for row, text in enumerate(phrases)}
        ),
        save=lambda objective, folder: save_objective(objective, folder, vocabulary=vocabulary),
        fit=lambda: fit_network(
            network,
            vocabulary,
            scenes=sources.scenes,
            held_out=sources.held_out,
            phrasebook=phrasebook,
            progress=progress,
        ),
    )


def packaged_parts(recipe: Recipe) -> list[str]:
    """Return the names of the packaged weights that training by a recipe starts from."""
    weights = build(ObjectiveWeights, recipe.objective, where=f"recipe {recipe.name!r} objective")
    options = network_options(recipe)
    if not weights.pretrained:
        return []
    tower = [] if recipe.starts_from else [options.get("tower", PointerConfig().tower)]
    return ["minilm", *tower]


def go_on(objective: PointerObjective, run: Path) -> None:
    """Take over what served an earlier run's training only, if its last checkpoint is still there.

    The maps to and from the sentence encoder's vectors are no part of a saved model; new ones would send the
    network astray until they are learnt again.
    """
    saved = checkpoints(run)
    file = saved[-1] / "network.safetensors" if saved else None
    if file is not None and file.is_file():
        state = {name: t for name, t in load_file(file).items() if not name.startswith("network.")}
        own = objective.state_dict()
        fitting = {name: t for name, t in state.items() if name in own and own[name].shape == t.shape}
        objective.load_state_dict(fitting, strict=False)


def network_options(recipe: Recipe) -> dict[str, Any]:
    """Return the recipe's network options, each checked to be one that a PointerConfig may have."""
    where = f"recipe {recipe.name!r} network"
    options = stored_options(recipe.network, PointerConfig.options(), where=where)
    check_declared(options, PointerConfig.fields(), where=where)
    return options


def new_network(
    recipe: Recipe, vocabulary: Vocabulary, pieces: dict[str, int], weights: ObjectiveWeights
) -> PointerNetwork:
    """Return a network that starts from the packaged tower and word vectors, or from nothing."""
    with from_options(where=f"recipe {recipe.name!r}"):
        network = PointerNetwork(PointerConfig(vocab_size=len(vocabulary), **network_options(recipe)))
    if weights.pretrained:
        load_pretrained_tower(network.tower, network.config.tower)
        fill_words(network, vocabulary, pieces, first=0)
    return network


def restarted(network: PointerNetwork, recipe: Recipe, weights: ObjectiveWeights) -> PointerNetwork:
    """Return a trained network with the recipe's options; another tower starts from the packaged one."""
    options = network_options(recipe)
    if not options:
        return network
    with from_options(where=f"recipe {recipe.name!r}"):
        changed = rebuilt(network, options)
    if weights.pretrained and changed.config.tower != network.config.tower:
        load_pretrained_tower(changed.tower, changed.config.tower)
    return changed


def learn_words(network: PointerNetwork, vocabulary: Vocabulary, pieces: dict[str, int]) -> None:
    """Give a network words that it did not know: the further pieces of a vocabulary that begins with its."""
    known = network.config.vocab_size
    if len(vocabulary) > known:
        network.words = network.words.grown(len(vocabulary))
        network.config.vocab_size = len(vocabulary)
        if network.config.region_namer:
            network.region_namer.grow(len(vocabulary))
        fill_words(network, vocabulary, pieces, first=known)


def fill_words(
    network: PointerNetwork, vocabulary: Vocabulary, pieces: dict[str, int], *, first: int
) -> None:
    """Set the vectors of words, from id ``first`` on, to the sentence encoder's, where it knows them."""
    if pieces:
        with torch.no_grad():
            for own, vector in word_vectors(vocabulary, pieces).items():
                if own >= first:
                    network.words.table.weight[own] = vector


def save_objective(objective: nn.Module, folder: Path, *, vocabulary: Vocabulary) -> None:
    """Write the trained network in bfloat16, without what served training only."""
    assert isinstance(objective, PointerObjective)
    save_network(objective.network.cpu(), vocabulary, folder)


def warn_of_unknown_words(texts: Iterable[str], vocabulary: Vocabulary, *, recipe: str) -> None:
    """Say how much of what is learnt from is read as unknown words; nothing where all can be spelt."""
    count = count_words(texts, vocabulary)
    if count.unknown:
        LOG.warning(
            "recipe %r: %d of %d word pieces of its samples (%.1f %%, in %d of %d texts) can't be spelt in "
            "the vocabulary (a to z, and what else the pretrained word pieces have) and are learnt as one "
            "unknown word: %s",
            recipe,
            count.unknown,
            count.pieces,
            100 * count.unknown / count.pieces,
            count.unreadable,
            count.texts,
            listed(count.words),
        )
