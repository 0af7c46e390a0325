"""Weights published as a difference from those of another model, and how such a difference is made.

All sums are of float16, one addition an element, as the published deltas of Ferret need it. Of a matrix with
rows for added tokens, the rows that the base has are sums and the others are stored as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from deixis.checkpoints.files.lazy import LazyTensor, Tensors, shown
from deixis.errors import BadWeights

Beginnings = tuple[str, ...]
# A key like these may be in the delta and not in the base; any other key must be in both. A system whose
# deltas hold more parts of its own says so.
ADDED: Beginnings = ("model.mm_projector.", "model.vision_tower.")
# These have a row a token, and may have more of them in the delta.
ROW_A_TOKEN = ("model.embed_tokens.weight", "lm_head.weight")
PIECE = 1 << 22
LARGEST_HALF = 65504.0


@dataclass(frozen=True)
class Correction:
    """What no float16 delta reaches: places in a flattened tensor, (K,) int64, and their float16 values."""

    places: Tensor
    values: Tensor


@dataclass(frozen=True)
class Made:
    """A delta. ``corrections`` is filled while ``tensors`` are read."""

    tensors: dict[str, LazyTensor]
    corrections: dict[str, Correction]


def apply_delta(
    base: Tensors,
    delta: Tensors,
    *,
    corrections: Mapping[str, Correction] | None = None,
    added: Beginnings = ADDED,
) -> dict[str, LazyTensor]:
    """Return the tensors that base and delta stand for, each summed when it is read; all float16.

    Keys of the base alone are left out. added: beginnings of keys that the base may lack. BadWeights: the
    base lacks a key that it should have, or a shape doesn't fit.
    """
    tensors = {}
    for key, part in delta.items():
        check_pair(key, base.get(key), part, added)
        tensors[key] = whole(base.get(key), part, (corrections or {}).get(key))
    return tensors


def whole(base: LazyTensor | None, delta: LazyTensor, correction: Correction | None) -> LazyTensor:
    """Return one tensor of ``apply_delta``."""

    def read() -> Tensor:
        total = delta.read().to(torch.float16)
        if base is not None:
            add_rows(total, base.read().to(torch.float16))
        if correction is not None:
            total.view(-1)[correction.places] = correction.values
        return total

    return LazyTensor(delta.shape, torch.float16, delta.where, read)


def make_delta(base: Tensors, target: Tensors, *, added: Beginnings = ADDED) -> Made:
    """Return what ``apply_delta`` turns back into the target, bit for bit, and how it gets there.

    Keys of the base alone are left out. BadWeights as for ``apply_delta``.
    """
    made = Made({}, {})
    for key, part in target.items():
        check_pair(key, base.get(key), part, added)
        made.tensors[key] = difference(key, base.get(key), part, made.corrections)
    return made


def difference(
    key: str, base: LazyTensor | None, target: LazyTensor, corrections: dict[str, Correction]
) -> LazyTensor:
    """Return one tensor of ``make_delta``; reading it enters its correction, if it needs one."""

    def read() -> Tensor:
        total = target.read().to(torch.float16)
        if base is None:
            return total
        start = base.read().to(torch.float16)
        rows = start.shape[0]
        found, missed = nearest_delta(start, total[:rows])
        if missed.numel():
            corrections[key] = Correction(missed, total.view(-1)[missed].clone())
        total[:rows] = found
        return total

    return LazyTensor(target.shape, torch.float16, target.where, read)


def nearest_delta(base: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return float16 ``d`` with ``base + d`` equal to ``target`` in every bit, and the places without such a
    d.

    base, target: float16 of one shape. The second result is (K,) int64, places in the flattened tensor.

    ``base + d`` rounded does not fall when ``d`` grows, so the good ``d`` form an interval, and the true
    difference lies in it. If any float16 lies in it, then so does the next one below or above the true
    difference; the rounded difference is one of these two, and the other is its neighbour.

    A target near zero that a large base can't reach in float16, or a zero of the other sign, has none.
    """
    deltas, missed = [], []
    start = 0
    pieces = zip(base.flatten().split(PIECE), target.flatten().split(PIECE), strict=True)
    for one, other in pieces:
        delta = (other - one).clamp(-LARGEST_HALF, LARGEST_HALF)
        bad = ~same_bits(one + delta, other)
        for beside in (next_above, next_below, minus_zero):
            place = bad.nonzero().squeeze(1)
            neighbour = beside(delta[place])
            good = same_bits(one[place] + neighbour, other[place])
            delta[place[good]] = neighbour[good]
            bad[place[good]] = False
        deltas.append(delta)
        missed.append(bad.nonzero().squeeze(1) + start)
        start += one.numel()
    return torch.cat(deltas).view(base.shape), torch.cat(missed)


def next_above(values: Tensor) -> Tensor:
    """Return the next larger float16 of each finite value.

    >>> next_above(torch.tensor([0.0, 1.0, -1.0], dtype=torch.float16)).tolist()
    [5.960464477539063e-08, 1.0009765625, -0.99951171875]
    """
    bits = values.view(torch.int16).to(torch.int32)
    # In this order of whole numbers the float16 values rise one by one; both zeros are 0.
    order = torch.where(bits < 0, -(bits + 0x8000), bits) + 1
    return torch.where(order < 0, -order - 0x8000, order).to(torch.int16).view(torch.float16)


def next_below(values: Tensor) -> Tensor:
    """Return the next smaller float16 of each finite value."""
    return -next_above(-values)


def minus_zero(values: Tensor) -> Tensor:
    """Return -0.0 for each value: what leaves a base of -0.0 as it is."""
    return torch.full_like(values, -0.0)


def same_bits(one: Tensor, other: Tensor) -> Tensor:
    """Return where two float16 tensors agree in every bit."""
    return one.view(torch.int16) == other.view(torch.int16)


def add_rows(total: Tensor, base: Tensor) -> None:
    """Add the base to the rows that it has."""
    total[: base.shape[0]] += base


def check_pair(key: str, base: LazyTensor | None, delta: LazyTensor, added: Beginnings) -> None:
    """Raise BadWeights unless base and delta go together, or the base may lack the key."""
    if base is not None:
        check_shapes(key, base, delta)
    elif not key.startswith(added):
        raise BadWeights(
            f"the base has no {key}, which {delta.where} holds as {shown(delta.shape)}; only "
            f"{', '.join(added)} may be missing there; a file of the base is missing, or it is another model"
        )


def check_shapes(key: str, base: LazyTensor, delta: LazyTensor) -> None:
    """Raise BadWeights unless the base can be added to the delta, or to its first rows."""
    if base.shape == delta.shape:
        return
    same_columns = base.shape[1:] == delta.shape[1:] and len(base.shape) == 2
    if key in ROW_A_TOKEN and same_columns and base.shape[0] < delta.shape[0]:
        return
    if key in ROW_A_TOKEN and same_columns:
        cause = "the base has tokens added to it (give the plain decoder), or base and delta are exchanged"
    else:
        cause = "the base is a model of another size (7B and 13B don't mix), or not the delta's own"
    raise BadWeights(
        f"{key} is {shown(base.shape)} in the base ({base.where}) and {shown(delta.shape)} in "
        f"{delta.where}; {cause}"
    )
