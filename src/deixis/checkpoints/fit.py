"""Whether tensors are those of a network: every name, every shape, before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import nn

from deixis.checkpoints.convert.renaming import KeyTable
from deixis.checkpoints.files.lazy import Tensors, shown
from deixis.checkpoints.skeleton import skeleton_of, tied_names
from deixis.errors import BadWeights

# Parts that systems of the family have in common; a table adds those of its own.
CAUSES = {
    "tower.": "the vision encoder is of another size, or not whole; see --vision-encoder",
    "projector.": "the projector is of another kind or width than config.json says",
    "language.lm_head": "config.json is wrong about tie_word_embeddings, or a file is missing",
    "language.": "config.json and weights are of different checkpoints (7B and 13B?), or a file is missing",
}


def network_shapes(
    build: Callable[[], nn.Module], *, where: object = "config.json"
) -> dict[str, tuple[int, ...]]:
    """Return names and shapes of what a network stores, without making its numbers.

    Of weights that are one and the same, the first name. where: the file with its settings; BadWeights where
    they make no network.
    """
    network = skeleton_of(build, where=where)
    again = {name for group in tied_names(network) for name in group[1:]}
    return {key: tuple(tensor.shape) for key, tensor in network.state_dict().items() if key not in again}


def check_fit(
    tensors: Tensors, shapes: Mapping[str, tuple[int, ...]], *, table: KeyTable, where: str
) -> None:
    """Raise BadWeights for a tensor that is missing, left over or of another shape.

    tensors and shapes: by our names; messages give the original ones. where: the configuration's file.
    """
    for key, shape in shapes.items():
        if key not in tensors:
            raise BadWeights(
                f"{named(key, table)} is missing; expected {shown(shape)} by {where}; probable cause: "
                f"{cause(key, table)}"
            )
        if tensors[key].shape != shape:
            raise BadWeights(
                f"{tensors[key].where}: {named(key, table)} is {shown(tensors[key].shape)}, but {where} "
                f"makes it {shown(shape)}; probable cause: {cause(key, table)}"
            )
    if left := [key for key in tensors if key not in shapes]:
        key = left[0]
        raise BadWeights(
            f"{tensors[key].where}: there is no place for {named(key, table)} {shown(tensors[key].shape)} "
            f"(and {len(left)} tensors in all) in the network of {where}; probable cause: {cause(key, table)}"
        )


def named(key: str, table: KeyTable) -> str:
    """Return a tensor's original name, or ours where it has none."""
    try:
        return table.to_original(key)
    except BadWeights:
        return key


def cause(key: str, table: KeyTable) -> str:
    """Return what is probably wrong where this tensor, by our name, doesn't fit."""
    known = (*table.causes, *CAUSES.items())
    return next((text for start, text in known if key.startswith(start)), "it is of another system")
