"""How a recipe of the family becomes something to train: a network, new or saved, and its data."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from deixis.data.synthesis.phrasebook import Phrasebook
from deixis.errors import RecipeError
from deixis.layers.language.small_decoders import small_language
from deixis.layers.language.word_vectors import source_pieces, word_vectors
from deixis.layers.towers.feature_grid import FeatureGridTower
from deixis.layers.towers.pretrained import PACKAGED, load_pretrained_tower
from deixis.progress import SILENT, Progress
from deixis.systems.network_options import STORED, check_declared, from_options, stored_options
from deixis.systems.sources import Sources, own_pieces
from deixis.systems.spliced.answering import SplicedSystem, save_system, template_of
from deixis.systems.spliced.config import SplicedConfig
from deixis.systems.spliced.network import SplicedNetwork
from deixis.systems.spliced.training.initial_parts import Initial, Reading, as_ferret, fill
from deixis.systems.spliced.training.objective import SplicedObjective
from deixis.text.prompt_tokens import TextCodec
from deixis.text.tokenizers.codecs.opening import WordCodec
from deixis.text.tokenizers.word_pieces.vocabulary import build_vocabulary
from deixis.training.loop import TrainingParts
from deixis.training.recipes.recipe import Recipe
from deixis.training.recipes.strict import renamed

LOG = logging.getLogger("deixis")
LARGEST_VIEW = 4096
VIEW = 256  # pixels of the longer side of a training view
WORD_SPREAD = 0.1  # standard deviation of word vectors that start from pretrained ones
OWN = ("view", "pretrained", "initial")  # options of a recipe that are no fields of the configuration


@dataclass(frozen=True)
class Member:
    """A system of the family: its classes, and how a network becomes a system.

    reading: what it knows of the tokenizers of published decoders.
    """

    config: type[SplicedConfig]
    network: type[SplicedNetwork]
    system: Callable[[SplicedNetwork, TextCodec], SplicedSystem]
    opened: Callable[[Path], SplicedSystem]
    reading: Reading = as_ferret


def family_parts(
    member: Member, recipe: Recipe, *, data: Path, start: Path | None, progress: Progress = SILENT
) -> TrainingParts:
    """Return what the loop needs to train a member of the family.

    The network is a saved one (``start``), with new parts where the recipe's options ask for them; or made of
    published parts (``initial``); or a small one whose words are those of the data.
    """
    where = f"recipe {recipe.name!r}"
    options = checked_options(recipe, member)
    if recipe.augmentation.square:
        raise RecipeError(
            f"{where}: this family resizes pictures by itself and places are in the original's pixels; "
            "expected augmentation: {square: false}"
        )
    if recipe.mixed_with is not None:
        raise RecipeError(f"{where}: this family mixes no models; leave mixed_with out")
    view = view_side(options.pop("view", VIEW), where=where)
    initial = Initial.below(data, options.pop("initial", {}), where=where)
    sources = Sources.of(recipe, data, progress=progress)
    progress.phase(f"{recipe.name}: making the network")
    if start is not None or initial.folders:
        check_not_small(options, where=where)
    if start is not None:
        system = changed(member, member.opened(start), options, initial=initial, where=where)
    elif initial.folders:
        system = assembled(member, options, initial=initial, where=where)
    else:
        template = template_of(options.get("template") or member.config().template)
        texts = [*sources.texts(), *[template.opening] * 2]
        system = small_system(member, options, texts, where=where)
    book = Phrasebook(sources.scenes)
    return TrainingParts(
        objective=SplicedObjective(system.network),
        source=sources.examples(phrasebook=book, side=view, request=system.request),
        data=sources.identity(),
        collate=system.collate(),
        save=lambda objective, folder: save_objective(objective, folder, codec=system.codec),
    )


def changed(
    member: Member, system: SplicedSystem, options: Mapping[str, Any], *, initial: Initial, where: str
) -> SplicedSystem:
    """Return an earlier stage's system with other options; its new parts are published ones or fresh."""
    if not options and not initial.folders:
        return system
    fields, codec = initial.fields(member.reading)
    old = system.network.config.to_dict()
    legal = inspect.signature(member.config.__init__).parameters
    kept = {name: old[name] for name in legal if name in old and name != "kwargs"}
    network = built(member, kept | fields | dict(options), where=where)
    report(fill(network, system.network.state_dict() | initial.state(network), where=where), where=where)
    with from_options(where=where):
        return member.system(network, codec or system.codec)


def assembled(member: Member, options: Mapping[str, Any], *, initial: Initial, where: str) -> SplicedSystem:
    """Return a system made of published parts; what none of them holds is fresh."""
    fields, codec = initial.fields(member.reading)
    if codec is None:
        raise RecipeError(
            f"{where}: initial names no language; expected the folder of a decoder such as Vicuna's"
        )
    network = built(member, fields | dict(options), where=where)
    report(fill(network, initial.state(network), where=where), where=where)
    with from_options(where=where):
        return member.system(network, codec)


def built(member: Member, fields: Mapping[str, Any], *, where: str) -> SplicedNetwork:
    """Return a network of a configuration; RecipeError for options that no network can be made of."""
    with from_options(where=where):
        return member.network(member.config(**fields))


def view_side(given: object, *, where: str) -> int:
    """Return the longer side of training views; RecipeError for what is none."""
    if type(given) is not int or not 8 <= given <= LARGEST_VIEW:
        raise RecipeError(f"{where}: view is {given!r:.80}; expected 8 to {LARGEST_VIEW} pixels")
    return given


def report(fresh: list[str], *, where: str) -> None:
    """Log which parts start fresh."""
    if fresh:
        LOG.warning("%s: parts that start fresh: %s", where, ", ".join(fresh))


def packaged_parts(recipe: Recipe) -> list[str]:
    """Return the names of the packaged weights that a small new network by a recipe starts from."""
    options = renamed(recipe.network, STORED, where=f"recipe {recipe.name!r} network")
    if recipe.starts_from is not None or options.get("initial") or not options.get("pretrained", True):
        return []
    encoders = (options.get(name) for name in ("tower", "local_tower"))
    named = [one.get("kind") if isinstance(one, Mapping) else one for one in encoders]
    return ["minilm", *(name for name in named if isinstance(name, str) and name in PACKAGED)]


def checked_options(recipe: Recipe, member: Member) -> dict[str, Any]:
    """Return the recipe's network options, each checked to be one that the member has.

    Vision encoders may be given by their names.
    """
    parameters = inspect.signature(member.config.__init__).parameters
    legal = [*OWN, *(name for name in parameters if name not in ("self", "kwargs"))]
    options = stored_options(recipe.network, legal, where=f"recipe {recipe.name!r} network")
    for name in ("tower", "local_tower"):
        if isinstance(options.get(name), str):
            options[name] = {"kind": options[name]}
    named = isinstance(options.get("language"), str)  # a small decoder, by its name
    declared = {name: value for name, value in options.items() if name != "language" or not named}
    check_declared(declared, member.config.fields(), where=f"recipe {recipe.name!r} network")
    if recipe.objective:
        raise RecipeError(
            f"recipe {recipe.name!r}: this family learns from the next word alone, its objective has no "
            f"options; leave objective out (it is {recipe.objective!r:.80})"
        )
    return options


def check_not_small(options: Mapping[str, Any], *, where: str) -> None:
    """Raise RecipeError for options of a small new network, where a network is there or made of parts."""
    if "pretrained" in options or isinstance(options.get("language"), str):
        raise RecipeError(
            f"{where}: pretrained, and a language given by its name, are for small new networks; this one "
            "starts from an earlier stage or from published parts"
        )


def small_system(
    member: Member, options: Mapping[str, Any], texts: list[str], *, where: str
) -> SplicedSystem:
    """Return a small system that starts from packaged towers and word vectors, or from nothing.

    options: fields of the member's configuration; ``language`` may be the name of a small decoder. pretrained
    (default true): start from packaged weights.
    """
    fields = dict(options)
    pretrained = bool(fields.pop("pretrained", True))
    pieces = source_pieces() if pretrained else own_pieces(texts)
    codec = WordCodec(build_vocabulary(texts, pieces))
    if isinstance(fields.get("language", "small"), str):
        fields["language"] = small_language(fields.get("language", "small"), words=len(codec), positions=4096)
    own: dict[str, Any] = {"codec": "words", "region_token_id": codec.region, "bos_token_id": codec.bos}
    own |= {"eos_token_id": codec.eos, "pad_token_id": codec.pad}
    network = built(member, own | fields, where=where)
    if pretrained:
        for name in ("tower", "local_tower"):
            tower = getattr(network, name, None)
            if isinstance(tower, FeatureGridTower):
                load_pretrained_tower(tower.vision, getattr(network.config, name)["kind"])
        start_words(network, word_vectors(codec.vocabulary, pieces))
    with from_options(where=where):
        return member.system(network, codec)


@torch.no_grad()
def start_words(network: SplicedNetwork, vectors: Mapping[int, Tensor]) -> None:
    """Let the decoder's word table start from wider, pretrained vectors: their principal directions."""
    table = network.get_parameter("language.model.embed_tokens.weight")
    ids = torch.tensor(sorted(vectors))
    known = torch.stack([vectors[int(i)] for i in ids])  # (V, E)
    centred = known - known.mean(dim=0)
    _, _, directions = torch.linalg.svd(centred, full_matrices=False)
    narrow = centred @ directions[: table.shape[1]].T  # (V, up to D)
    narrow = functional.pad(narrow, (0, table.shape[1] - narrow.shape[1]))  # (V, D)
    table.normal_(std=WORD_SPREAD)
    table[ids] = narrow * (WORD_SPREAD / narrow.std())


def save_objective(objective: nn.Module, folder: Path, *, codec: TextCodec) -> None:
    """Write the trained network in bfloat16, with its tokenizer."""
    assert isinstance(objective, SplicedObjective)
    save_system(objective.network.eval().cpu(), codec, folder, dtype=torch.bfloat16)
