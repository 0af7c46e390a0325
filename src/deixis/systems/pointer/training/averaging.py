"""The weighted mean of two networks of one kind, part by part.

Two runs that went on from the same weights lie in one valley; between them it is often deeper than at either
(Wortsman et al., "Model soups", 2022).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from deixis.errors import RecipeError
from deixis.systems.pointer.model import PointerNetwork
from deixis.training.recipes.parameter_names import begins

NETWORK = "network."  # what recipes write in front of a parameter's name


@torch.no_grad()
def average(network: PointerNetwork, other: PointerNetwork, shares: Mapping[str, float]) -> None:
    """Move a network's weights towards the other's, by the share (0..1) of the longest key that fits a name.

    RecipeError where both differ in the shape of a part, or where nothing's name begins with a key.
    """
    theirs = other.state_dict()
    unused = set(shares)
    for name, tensor in network.state_dict().items():
        fitting = [key for key in shares if begins(NETWORK + name, key)]
        unused -= set(fitting)
        share = shares[max(fitting, key=len)] if fitting else 0.0
        if share == 0 or not tensor.is_floating_point():
            continue
        if name not in theirs or theirs[name].shape != tensor.shape:
            raise RecipeError(
                f"{name} can't be mixed: it is {tuple(tensor.shape)} in one model and "
                f"{tuple(theirs[name].shape) if name in theirs else 'missing'} in the other"
            )
        tensor.lerp_(theirs[name], share)
    if unused:
        raise RecipeError(f"no part's name begins with {sorted(unused)}, of which a share is to be mixed in")
