"""How a pointer recipe becomes something to train: scenes, vocabulary, network, losses, saving."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from deixis.data.dialogues import DialogueSource, template_texts
from deixis.data.mixing import JoinedSource
from deixis.data.phrasebook import Phrasebook, phrases_of
from deixis.data.record import Record, RecordSource, read_records
from deixis.data.scene import Scene
from deixis.data.sources import read_scenes
from deixis.errors import RecipeError
from deixis.language.vocabulary import Vocabulary, build_vocabulary
from deixis.layers.towers.pretrained import load_pretrained_tower
from deixis.systems.pointer.calibration import choose_rule
from deixis.systems.pointer.collate import PointerCollate
from deixis.systems.pointer.config import PointerConfig
from deixis.systems.pointer.model import PointerNetwork
from deixis.systems.pointer.objective import ObjectiveWeights, PointerObjective
from deixis.systems.pointer.teacher import phrase_vectors, source_pieces, word_vectors
from deixis.systems.pointer.weights import load_network, save_network
from deixis.training.batches import ExampleSource
from deixis.training.loop import TrainingParts
from deixis.training.recipe import Recipe
from deixis.training.strict import build, unknown_key


def training_parts(recipe: Recipe, *, data: Path, start: Path | None, work: Path) -> TrainingParts:
    """Return what the loop needs to train a pointer network by ``recipe`` on the datasets below ``data``."""
    weights = build(ObjectiveWeights, recipe.objective, where=f"recipe {recipe.name!r} objective")
    scenes, held_out = scenes_of(recipe, data)
    records = records_of(recipe, data)
    if not scenes and not records:
        raise RecipeError(f"recipe {recipe.name!r}: no picture below {data} has a phrase with a box")
    phrasebook = Phrasebook(scenes)
    names = {phrasebook.name(text) for text in phrasebook.texts}
    recorded = {text for record in records for text in phrases_in(record)}
    phrases = sorted({*phrasebook.texts, *names, *recorded})
    pieces = source_pieces() if weights.pretrained else {}
    if start is None:
        texts = list(texts_of(scenes, records))
        vocabulary = build_vocabulary(texts, pieces or own_pieces(texts))
        network = new_network(recipe, vocabulary, pieces, weights)
    else:
        network, vocabulary = load_network(start, options=network_options(recipe))
    vectors = None
    if weights.pretrained:
        vectors = phrase_vectors(phrases, cache=work.parent / "phrase_vectors.safetensors")
    config = network.config
    return TrainingParts(
        objective=PointerObjective(network, weights=weights, phrase_vectors=vectors),
        source=source_of(recipe, scenes, records, phrasebook=phrasebook, side=config.side),
        collate=PointerCollate(
            config, vocabulary, phrase_rows={text: row for row, text in enumerate(phrases)}
        ),
        save=lambda objective, folder: save_objective(
            objective, folder, vocabulary=vocabulary, held_out=held_out, phrasebook=phrasebook
        ),
    )


def scenes_of(recipe: Recipe, data: Path) -> tuple[list[Scene], list[Scene]]:
    """Return the scenes that are trained on and those held out; only scenes with a phrase that has a box."""
    scenes: list[Scene] = []
    held_out: list[Scene] = []
    for choice in recipe.sources:
        if choice.records is not None:
            continue
        found = read_scenes(data / choice.folder, choice.split)
        kept = len(found) - choice.hold_out
        scenes += [scene for scene in found[:kept] if phrases_of(scene)]
        held_out += [scene for scene in found[kept:] if phrases_of(scene)]
    return scenes, held_out


def records_of(recipe: Recipe, data: Path) -> list[Record]:
    """Return all records of the recipe's record files; RecordError says what is wrong in which line."""
    return [
        record
        for choice in recipe.sources
        if choice.records is not None
        for record in read_records(data / choice.folder / choice.records)
    ]


def source_of(
    recipe: Recipe, scenes: Sequence[Scene], records: Sequence[Record], *, phrasebook: Phrasebook, side: int
) -> ExampleSource:
    """Return the examples of scenes, with dialogues drawn anew each time, and of records, as they are."""
    sources: list[ExampleSource] = []
    if scenes:
        mix, views = recipe.dialogues, recipe.augmentation
        sources.append(DialogueSource(scenes, phrasebook=phrasebook, mix=mix, augmentation=views, side=side))
    if records:
        sources.append(RecordSource(records, side=side))
    return sources[0] if len(sources) == 1 else JoinedSource(sources)


def phrases_in(record: Record) -> list[str]:
    """Return the lower-cased phrases that a record gives places."""
    return [turn.answer[p.start : p.end].lower() for turn in record.turns for p in turn.phrases]


def texts_of(scenes: Sequence[Scene], records: Sequence[Record] = ()) -> Iterator[str]:
    """Yield every text that the vocabulary should cover; some twice, so that all their words count."""
    for record in records:
        for turn in record.turns:
            yield from (turn.question, turn.answer) * 2
    for scene in scenes:
        yield from (caption.text for caption in scene.captions)
        yield from phrases_of(scene)
    yield from template_texts() * 2


def own_pieces(texts: Sequence[str]) -> dict[str, int]:
    """Return whole words and single characters as pieces, where no pretrained pieces are used."""
    words = {word for text in texts for word in text.lower().replace("{", " ").replace("}", " ").split()}
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


def save_objective(
    objective: nn.Module,
    folder: Path,
    *,
    vocabulary: Vocabulary,
    held_out: Sequence[Scene],
    phrasebook: Phrasebook,
) -> None:
    """Write the trained network in bfloat16, without what served training only.

    The rule by which it reads places is chosen on the held-out scenes.
    """
    assert isinstance(objective, PointerObjective)
    network = objective.network.eval().cpu()
    if held_out:
        rule = choose_rule(network, vocabulary, held_out, phrasebook=phrasebook)
        network.config.place_rule = dataclasses.asdict(rule)
    save_network(network, vocabulary, folder)
