"""How a recipe of Groma becomes something to train: a proposer on boxes, the whole network on dialogues."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from deixis.checkpoints.files.writing import share_like
from deixis.checkpoints.library_logging import quiet_transformers
from deixis.data.example_source import ExampleSource
from deixis.data.groma.detection import ClassHead, ProposalSource
from deixis.data.mixture import JoinedSource
from deixis.data.sources import detect_layout
from deixis.data.synthesis.phrasebook import Phrasebook
from deixis.errors import RecipeError
from deixis.layers.towers.pretrained import PACKAGED
from deixis.progress import Progress
from deixis.systems.groma.config import GromaConfig
from deixis.systems.groma.detector.config import GromaProposerConfig
from deixis.systems.groma.prompts import FIRST_ANSWER, FIRST_QUESTION, groma_template
from deixis.systems.groma.training.collate import GromaCollate
from deixis.systems.groma.training.detection import ProposalCollate, ProposerObjective
from deixis.systems.groma.training.objective import GromaObjective
from deixis.systems.groma.training.starting import (
    legal_fields,
    model_type,
    new_proposer,
    opened_proposer,
    started_system,
)
from deixis.systems.network_options import STORED, check_declared, stored_options
from deixis.systems.read_source import ReadSource
from deixis.systems.sources import Sources
from deixis.systems.spliced.answering import save_system
from deixis.systems.spliced.training.building import VIEW, view_side
from deixis.systems.spliced.training.initial_parts import Initial
from deixis.text.prompt_tokens import TextCodec
from deixis.training.loop import TrainingParts
from deixis.training.recipes.recipe import Recipe
from deixis.training.recipes.strict import renamed

OWN = ("pretrained", "initial")  # options of a recipe that are no fields of a configuration
DETECTION_OWN = (*OWN, "augmented", "rejected")
LAYOUT_SA1B = "sa1b"


def training_parts(
    recipe: Recipe, *, data: Path, start: Path | None, work: Path, progress: Progress
) -> TrainingParts:
    """Return what the loop needs to train Groma by ``recipe`` on the datasets below ``data``.

    Sources that are all for detection train the proposer, with its vision encoder's states as they are;
    dialogues train the whole network.
    """
    where = f"recipe {recipe.name!r}"
    detects = {choice.detection for choice in recipe.sources}
    if len(detects) > 1:
        raise RecipeError(
            f"{where} has sources for detection and sources of dialogues; the proposer learns in a stage of "
            "its own: make a recipe of each"
        )
    if recipe.mixed_with is not None or recipe.objective:
        raise RecipeError(f"{where}: Groma mixes no models and its losses have no options; leave them out")
    sources = Sources.of(recipe, data, detection=True, marked=True, progress=progress)
    progress.phase(f"{recipe.name}: making the network")
    if detects == {True}:
        return proposer_parts(recipe, sources, data=data, start=start)
    return dialogue_parts(recipe, sources, data=data, start=start)


def options_of(recipe: Recipe, config: type[Any], own: tuple[str, ...], *, where: str) -> dict[str, Any]:
    """Return the recipe's network options under the names that the configuration has, each checked."""
    options = stored_options(recipe.network, [*own, *legal_fields(config)], where=where)
    if isinstance(options.get("tower"), str):
        options["tower"] = {"kind": options["tower"]}
    named = isinstance(options.get("language"), str)  # a small decoder, by its name
    check_declared(
        {name: value for name, value in options.items() if name != "language" or not named},
        config.fields(),
        where=where,
    )
    return options


def proposer_parts(recipe: Recipe, sources: Sources, *, data: Path, start: Path | None) -> TrainingParts:
    """Return what trains the proposer."""
    where = f"recipe {recipe.name!r} network"
    options = options_of(recipe, GromaProposerConfig, DETECTION_OWN, where=where)
    initial = Initial.below(data, options.pop("initial", {}), where=where)
    views: dict[str, Any] = {name: options.pop(name) for name in ("augmented", "rejected") if name in options}
    check_views(views, where=where)
    if start is None:
        network = new_proposer(options, initial, where=where)
    else:
        if model_type(start) != GromaProposerConfig.model_type:
            raise RecipeError(
                f"{where}: {start} is no proposer; a stage of detection goes on with one, or anew"
            )
        network = opened_proposer(start, options, where=where)
    side = network.config.side
    found = [proposal_source(read, side=side, views=views) for read in sources.read if read.scenes]
    return TrainingParts(
        objective=ProposerObjective(network),
        source=found[0] if len(found) == 1 else JoinedSource(found),
        data=sources.identity(),
        collate=ProposalCollate(network.perceiver.tower.normalisation),
        save=save_proposer,
    )


def check_views(views: Mapping[str, Any], *, where: str) -> None:
    """Raise RecipeError for views that can't be drawn."""
    if not isinstance(views.get("augmented", True), bool):
        raise RecipeError(f"{where}: augmented is {views['augmented']!r:.60}; expected true or false")
    if views.get("rejected", "redrawn") not in ("redrawn", "replaced"):
        raise RecipeError(f"{where}: rejected is {views['rejected']!r:.60}; expected redrawn or replaced")


def proposal_source(read: ReadSource, *, side: int, views: Mapping[str, Any]) -> ExampleSource:
    """Return the views of one source; SA-1B teaches a class head of its own."""
    head: ClassHead = "sa1b" if detect_layout(read.folder) == LAYOUT_SA1B else "coco"
    return ProposalSource(read.scenes, head=head, side=side, **views)


def dialogue_parts(recipe: Recipe, sources: Sources, *, data: Path, start: Path | None) -> TrainingParts:
    """Return what trains the whole network."""
    where = f"recipe {recipe.name!r} network"
    options = options_of(recipe, GromaConfig, (*OWN, "view"), where=where)
    view = view_side(options.pop("view", VIEW), where=where)
    initial = Initial.below(data, options.pop("initial", {}), where=where)
    template = groma_template(options.get("template") or "llava")
    texts = [*sources.texts(), *[template.opening, FIRST_QUESTION, FIRST_ANSWER] * 2]
    system = started_system(options, start=start, initial=initial, texts=texts, where=where)
    collate: GromaCollate = system.collate()
    return TrainingParts(
        objective=GromaObjective(system.network),
        source=sources.examples(phrasebook=Phrasebook(sources.scenes), side=view),
        data=sources.identity(),
        collate=collate,
        save=lambda objective, folder: save_dialogue(objective, folder, codec=system.codec),
    )


def save_proposer(objective: nn.Module, folder: Path) -> None:
    """Write the trained proposer with its vision encoder."""
    assert isinstance(objective, ProposerObjective)
    folder.mkdir(parents=True, exist_ok=True)
    with quiet_transformers():
        objective.network.eval().cpu().save_pretrained(folder, max_shard_size="5GB")
    share_like(folder / "config.json")


def save_dialogue(objective: nn.Module, folder: Path, *, codec: TextCodec) -> None:
    """Write the trained network with its tokenizer."""
    assert isinstance(objective, GromaObjective)
    save_system(objective.network.eval().cpu(), codec, folder)


def packaged_parts(recipe: Recipe) -> list[str]:
    """Return the names of the packaged weights that a small new network by a recipe starts from."""
    options = renamed(recipe.network, STORED, where=f"recipe {recipe.name!r} network")
    if not options.get("pretrained", True):
        return []
    initial = options.get("initial") or {}
    parts = []
    speaks = not all(choice.detection for choice in recipe.sources)
    named = options.get("language", None if recipe.starts_from else "small")  # a small decoder, by its name
    if speaks and "language" not in initial and isinstance(named, str):
        parts.append("minilm")
    tower = options.get("tower")
    named = tower.get("kind") if isinstance(tower, Mapping) else tower
    if recipe.starts_from is None and isinstance(named, str) and named in PACKAGED:
        parts.append(named)
    return parts
