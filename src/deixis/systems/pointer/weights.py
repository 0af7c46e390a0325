"""Saving and opening a pointer system as the folder that the ecosystem expects."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file
from torch import nn

from deixis.checkpoints.files.lazy import Tensors
from deixis.checkpoints.files.safetensors_file import read_safetensors
from deixis.checkpoints.files.settings import read_settings
from deixis.checkpoints.generation_fields import generation_fields
from deixis.errors import BadWeights
from deixis.files.declared_fields import EVERYWHERE, checked
from deixis.layers.places.place_map import STRIDE, resized_position
from deixis.systems.pointer.core import PointerCore
from deixis.systems.pointer.options import PointerOptions
from deixis.text.tokenizers.word_pieces.vocabulary import Vocabulary

if TYPE_CHECKING:
    from deixis.systems.pointer.model import PointerNetwork

FILE, CONFIG, WHAT = "model.safetensors", "config.json", "pointer system"
Names = tuple[str, ...]
# Parts that changed options may add.
ADDED: Names = ("second_look.", "region_detail.", "region_view.", "region_namer.")
LEFT_OUT: Names = ("region_view.", "region_namer.")  # ... and those that they may leave out
# Parts that belong to a tower: those of another one start as made.
OF_TOWER: Names = ("tower.", "mapper.laterals.", "region_namer.")
POSITION_MAPS = ("mapper.coarse_position", "mapper.fine_position")
READ_POSITION = "reader.position"


def save_network(
    network: PointerCore, vocabulary: Vocabulary, folder: Path, *, dtype: torch.dtype = torch.bfloat16
) -> None:
    """Write config.json, safetensors (sharded above 5 GB), tokenizer.json and generation_config.json."""
    from deixis.checkpoints.files.writing import share_like
    from deixis.checkpoints.library_logging import quiet_transformers
    from deixis.systems.pointer.model import PointerNetwork, generation_settings

    folder.mkdir(parents=True, exist_ok=True)
    known = isinstance(network, PointerNetwork)
    stored: Any = copy.deepcopy(network) if known else PointerNetwork.like(network)
    nn.Module.to(stored, dtype)
    stored.generation_config = generation_settings()
    with quiet_transformers():
        stored.save_pretrained(folder, max_shard_size="5GB")
    share_like(folder / CONFIG)
    vocabulary.save(folder)


def load_network(
    folder: Path, *, dtype: torch.dtype | None = torch.float32
) -> tuple[PointerNetwork, Vocabulary]:
    """Return the network, in ``dtype`` (None: as stored), and vocabulary of a saved folder, for training.

    BadWeights where tensors are missing, left over or of another shape.
    """
    from deixis.checkpoints.saved_network import open_network
    from deixis.systems.pointer.model import PointerNetwork

    network: PointerNetwork = open_network(PointerNetwork, folder, what=WHAT, dtype=dtype)
    return network, vocabulary_of(folder, network.config)


def load_core(folder: Path, *, dtype: torch.dtype | None = torch.float32) -> tuple[PointerCore, Vocabulary]:
    """Return what answers of the network saved in a folder, in ``dtype`` (None: as stored), and its words.

    The same as ``load_network``, without ``transformers`` and in a fraction of its time.
    """
    file = folder / FILE
    if not file.is_file():  # in several parts, or missing: the other way says which
        network, vocabulary = load_network(folder, dtype=dtype)
        return network, vocabulary
    options = options_of(folder)
    generation_fields(folder)  # not used here, but a broken file is told of when a folder is opened
    try:
        header = read_safetensors(file)
    except BadWeights as fault:
        raise BadWeights(f"{folder} is not a complete {WHAT}: {fault}") from fault
    check_sizes(options, header, folder=folder)
    # Drawing weights that are replaced at once takes a tenth of a second; on the meta device, which would
    # save that, torch imports its compiler, which takes seconds.
    try:
        with torch.random.fork_rng(devices=[]):
            core = PointerCore(options)
    except Exception as fault:  # layers refuse sizes with any kind
        raise BadWeights(f"{folder / CONFIG} is of no {WHAT}: {fault}") from fault
    try:
        tensors = load_file(file)
    except Exception as fault:  # safetensors raises a kind of its own, or OSError
        raise BadWeights(f"{folder} is not a complete {WHAT}: {fault}") from fault
    wanted = core.state_dict()
    wrong = {
        "missing": sorted(wanted.keys() - tensors.keys()),
        "unexpected": sorted(tensors.keys() - wanted.keys()),
        "of another shape": sorted(
            name for name in wanted.keys() & tensors.keys() if wanted[name].shape != tensors[name].shape
        ),
    }
    if any(wrong.values()):
        found = {what: names for what, names in wrong.items() if names}
        raise BadWeights(f"the weights in {folder} don't fit its config.json: {found}")
    broken = [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
    if broken:
        raise BadWeights(f"the weights in {folder} hold infinity or NaN: {', '.join(broken)}")
    cast = {
        name: tensor.to(dtype) if dtype is not None and tensor.is_floating_point() else tensor
        for name, tensor in tensors.items()
    }
    core.load_state_dict(cast, assign=True)
    return core.eval(), vocabulary_of(folder, options)


def options_of(folder: Path) -> PointerOptions:
    """Return the options in a folder's ``config.json``; BadWeights for values that no network has."""
    path = folder / CONFIG
    settings = read_settings(path, largest=1 << 20)
    known = checked(settings, {**EVERYWHERE, **PointerOptions.fields()}, where=str(path))
    try:
        return PointerOptions(**{name: known[name] for name in PointerOptions.names() if name in known})
    except (TypeError, ValueError) as fault:
        raise BadWeights(f"{path} is of no pointer system: {fault}") from fault


def check_sizes(options: PointerOptions, tensors: Tensors, *, folder: Path) -> None:
    """Raise BadWeights where a file's tables are not of the sizes that options say, from which all others
    follow.

    So no room is taken for a network that the file doesn't hold.
    """
    cells, width = options.side // STRIDE, options.width
    wanted = {
        "mapper.fine_position": (1, options.map_width, cells, cells),
        READ_POSITION: (options.picture_tokens, width),
        "words.table.weight": (options.vocab_size, options.size.word_width),
        "words.into.weight": (width, options.size.word_width),
    }
    for name, shape in wanted.items():
        if name not in tensors or tensors[name].shape != shape:
            found = f"is {list(tensors[name].shape)}" if name in tensors else "is missing"
            raise BadWeights(
                f"the weights in {folder} don't fit its config.json: {name} {found}; expected {list(shape)}"
            )


def vocabulary_of(folder: Path, options: PointerOptions) -> Vocabulary:
    """Return the vocabulary of a saved folder, which has to have as many words as the network."""
    try:
        vocabulary = Vocabulary.load(folder)
    except Exception as fault:  # tokenizers raise nothing more special
        raise BadWeights(f"{folder} is not a complete {WHAT}: {fault}") from fault
    if len(vocabulary) != options.vocab_size:
        raise BadWeights(
            f"{folder}: tokenizer.json has {len(vocabulary)} pieces, config.json says {options.vocab_size}"
        )
    if options.intents != (vocabulary.opening is not None):
        raise BadWeights(
            f"{folder}: config.json says intents: {options.intents}, and tokenizer.json has "
            f"{'no' if vocabulary.opening is None else 'the'} tokens for them; expected both or neither"
        )
    return vocabulary


def rebuilt(network: PointerNetwork, options: dict[str, Any]) -> PointerNetwork:
    """Return a network of changed options with the old one's weights; parts that it adds start as made.

    Another tower starts as made, too, and so does what reads its channels into the place map. Learned
    positions are resized: those of the place map, and those of another grid of picture tokens.
    BadWeights where the options ask for other parts of another size.
    """
    from deixis.systems.pointer.config import PointerConfig
    from deixis.systems.pointer.model import PointerNetwork

    known = {key: getattr(network.config, key) for key in PointerConfig.options()}
    changed = PointerNetwork(PointerConfig(**(known | {"vocab_size": network.config.vocab_size} | options)))
    state, wanted = network.state_dict(), changed.state_dict()
    added = ADDED
    if changed.config.tower != network.config.tower:
        added = ADDED + OF_TOWER
        state = {name: tensor for name, tensor in state.items() if not name.startswith(OF_TOWER)}
    for name in POSITION_MAPS:
        state[name] = resized_position(state[name], *wanted[name].shape[-2:])
    state[READ_POSITION] = resized_table(state[READ_POSITION], grid=changed.config.picture_grid)
    for name in sorted(state.keys() & wanted.keys()):
        if state[name].shape != wanted[name].shape:
            raise BadWeights(
                f"{name} is {tuple(state[name].shape)} in the old network and {tuple(wanted[name].shape)} in "
                "the changed one; what starts from a model keeps its decoder and widths"
            )
    report = changed.load_state_dict(state, strict=False)
    lost = [name for name in report.unexpected_keys if not name.startswith(LEFT_OUT)]
    if lost:
        raise BadWeights(f"the changed network has no place for {lost}")
    missing = [name for name in report.missing_keys if not name.startswith(added)]
    if missing:
        raise BadWeights(f"the old network has no {missing} for the changed one")
    return changed


def resized_table(table: torch.Tensor, *, grid: int) -> torch.Tensor:
    """Return vectors (n * n, W) of the cells of a square grid as one of ``grid`` cells a side, bilinear."""
    side = math.isqrt(len(table))
    cells = table.T.reshape(1, -1, side, side)
    return resized_position(cells, grid, grid)[0].flatten(1).T.contiguous()
