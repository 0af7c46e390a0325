"""Whether a base is the one that a delta was made from: what can be seen before anything is written."""

from __future__ import annotations

import torch
from torch import Tensor

from deixis.checkpoints.convert.delta import ADDED, Beginnings
from deixis.checkpoints.files.lazy import Tensors, shown
from deixis.errors import BadWeights

# Numbers looked at in all, and in one matrix.
LOOKED_AT = 1 << 21
IN_ONE = 1 << 17
# A fine-tuned model differs from its start by far less than this part of it.
LARGEST_DIFFERENCE = 0.5
# From the right base none of the small sums is rounded; from another model of the kind, a third of them, and
# from a near relative (1 % away) one in sixty.
ROUNDED = 0.005
FEWEST = 100


def check_base(base: Tensors, delta: Tensors, *, added: Beginnings = ADDED) -> None:
    """Raise BadWeights where the base can't be the right one. added: what no plain language model has.

    Told by: keys of an assembled model in the base, keys that only the base has, a delta as large as weights,
    and float16 sums that don't come out even. The last works because ``target - base`` has no digit below
    those of target and base: where it is small, its sum with the right base needs no rounding. From other
    weights, of the same shapes, much of it does.
    """
    check_keys(base, delta, added)
    ratio, rounded, small = measured(base, delta)
    if ratio > LARGEST_DIFFERENCE:
        raise BadWeights(
            f"the delta's numbers are {ratio:.2f} times as large as the base's; the sum would be no model. "
            "Expected a small difference: probably --delta is a whole checkpoint (give it as --folder), or "
            "base and delta are exchanged"
        )
    if small >= FEWEST and rounded > ROUNDED * small:
        raise BadWeights(
            f"{100 * rounded / small:.1f} % of {small} small float16 sums of base and delta had to be "
            "rounded; from the base that the delta was made from, none would be. Probably the base is "
            "another model of the same size, such as Vicuna v1.5 in place of v1.3; --any-base goes on with "
            "it all the same"
        )


def check_keys(base: Tensors, delta: Tensors, added: Beginnings) -> None:
    """Raise BadWeights where the base holds what no plain language model does, or what the delta lacks."""
    if assembled := [key for key in base if key.startswith(added)]:
        key = assembled[0]
        raise BadWeights(
            f"the base holds {key} {shown(base[key].shape)} ({base[key].where}); expected a plain language "
            "model; probably it is a multimodal checkpoint, or --base and --delta are exchanged"
        )
    if lacking := [key for key in base if key not in delta]:
        key = lacking[0]
        raise BadWeights(
            f"the base holds {key} {shown(base[key].shape)} ({base[key].where}), the delta doesn't (and "
            f"{len(lacking)} such keys in all); a file of the delta is missing, or the base is a larger "
            "model"
        )


def measured(base: Tensors, delta: Tensors) -> tuple[float, int, int]:
    """Return how large the delta is next to the base, and of how many small sums how many are rounded."""
    squares = torch.zeros(2, dtype=torch.float64)
    rounded, small, seen = 0, 0, 0
    for key, part in base.items():
        if len(part.shape) != 2 or key not in delta or seen >= LOOKED_AT:
            continue
        whole = part.read().to(torch.float16)
        one = whole.flatten()[:IN_ONE]
        other = delta[key].read()[: whole.shape[0]].to(torch.float16).flatten()[:IN_ONE]
        squares += torch.stack([other.double().square().sum(), one.double().square().sum()])
        found = small_sums(one, other)
        rounded, small, seen = rounded + found[0], small + found[1], seen + one.numel()
    ratio = float(squares[0] / squares[1]) ** 0.5 if squares[1] else 0.0
    return ratio, rounded, small


def small_sums(base: Tensor, delta: Tensor) -> tuple[int, int]:
    """Return how many float16 sums are rounded, and how many have a delta below an eighth of the base."""
    counted = (delta != 0) & (delta.float().abs() < base.float().abs() / 8)
    exact = base.float() + delta.float()
    rounded = exact != (base + delta).float()
    return int((rounded & counted).sum()), int(counted.sum())
