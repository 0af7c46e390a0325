"""How a pointer recipe becomes something to train: scenes, vocabulary, network, losses, saving."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from deixis.data.dialogues import DialogueSource, template_texts
from deixis.data.phrasebook import Phrasebook, phrases_of
from deixis.data.scene import Scene
from deixis.data.sources import read_scenes
from deixis.errors import RecipeError
from deixis.language.vocabulary import Vocabulary, build_vocabulary
from deixis.layers.towers.pretrained import load_pretrained_tower
from deixis.systems.pointer.collate import PointerCollate
from deixis.systems.pointer.config import PointerConfig
from deixis.systems.pointer.model import PointerNetwork
from deixis.systems.pointer.objective import ObjectiveWeights, PointerObjective
from deixis.systems.pointer.teacher import phrase_vectors, source_pieces, word_vectors
from deixis.systems.pointer.weights import load_network, save_network
from deixis.training.loop import TrainingParts
from deixis.training.recipe import Recipe
from deixis.training.strict import build, unknown_key


def training_parts(recipe: Recipe, *, data: Path, start: Path | None, work: Path) -> TrainingParts:
    """Return what the loop needs to train a pointer network by ``recipe`` on the datasets below ``data``."""
    weights = build(ObjectiveWeights, recipe.objective, where=f"recipe {recipe.name!r} objective")
    scenes = training_scenes(recipe, data)
    phrasebook = Phrasebook(scenes)
    pieces = source_pieces() if weights.pretrained else {}
    if start is None:
        vocabulary = build_vocabulary(texts_of(scenes), pieces or own_pieces(scenes))
        network = new_network(recipe, vocabulary, pieces, weights)
    else:
        network, vocabulary = load_network(start, options=network_options(recipe))
    vectors = None
    if weights.pretrained:
        vectors = phrase_vectors(phrasebook.texts, cache=work.parent / "phrase_vectors.safetensors")
    config = network.config
    return TrainingParts(
        objective=PointerObjective(network, weights=weights, phrase_vectors=vectors),
        source=DialogueSource(
            scenes,
            phrasebook=phrasebook,
            mix=recipe.dialogues,
            augmentation=recipe.augmentation,
            side=config.side,
        ),
        collate=PointerCollate(
            config, vocabulary, phrase_rows={text: row for row, text in enumerate(phrasebook.texts)}
        ),
        save=lambda objective, folder: save_objective(objective, folder, vocabulary=vocabulary),
    )


def training_scenes(recipe: Recipe, data: Path) -> list[Scene]:
    """Return the scenes of all sources that may be trained on: with a phrase, and not held out."""
    scenes: list[Scene] = []
    for choice in recipe.sources:
        found = read_scenes(data / choice.folder, choice.split)
        scenes += found[: len(found) - choice.hold_out]
    usable = [scene for scene in scenes if phrases_of(scene)]
    if not usable:
        raise RecipeError(f"recipe {recipe.name!r}: no picture below {data} has a phrase with a box")
    return usable


def texts_of(scenes: Sequence[Scene]) -> Iterator[str]:
    """Yield every text that the vocabulary should cover; templates twice, so that all their words count."""
    for scene in scenes:
        yield from (caption.text for caption in scene.captions)
        yield from phrases_of(scene)
    yield from template_texts() * 2


def own_pieces(scenes: Sequence[Scene]) -> dict[str, int]:
    """Return whole words and single characters as pieces, where no pretrained pieces are used."""
    words = {
        word for text in texts_of(scenes) for word in text.lower().replace("{", " ").replace("}", " ").split()
    }
    stripped = {word.strip(".,?!'\"") for word in words}
    characters = {chr(code) for code in range(33, 127)} | {f"##{chr(code)}" for code in range(33, 127)}
    return {piece: number for number, piece in enumerate(["[UNK]", *sorted(characters | stripped - {""})])}


def network_options(recipe: Recipe) -> dict[str, Any]:
    """Return the recipe's network options, each checked to be one of PointerConfig's."""
    legal = PointerConfig.options()
    for key in recipe.network:
        if key not in legal:
            raise RecipeError(unknown_key(key, legal, where=f"recipe {recipe.name!r} network"))
    return dict(recipe.network)


def new_network(
    recipe: Recipe, vocabulary: Vocabulary, pieces: dict[str, int], weights: ObjectiveWeights
) -> PointerNetwork:
    """Return a network that starts from the packaged tower and word vectors, or from nothing."""
    network = PointerNetwork(PointerConfig(vocab_size=len(vocabulary), **network_options(recipe)))
    if weights.pretrained:
        load_pretrained_tower(network.tower, network.config.tower)
        with torch.no_grad():
            for own, vector in word_vectors(vocabulary, pieces).items():
                network.words.table.weight[own] = vector
    return network


def save_objective(objective: nn.Module, folder: Path, *, vocabulary: Vocabulary) -> None:
    """Write the trained network, without what served training only, in bfloat16."""
    assert isinstance(objective, PointerObjective)
    save_network(objective.network, vocabulary, folder)
