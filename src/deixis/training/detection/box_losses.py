"""What a stage of a detector loses: focal loss of all predictions, L1 and GIoU of those that are matched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from deixis.layers.proposals.box_forms import corners, overlaps
from deixis.training.detection.matching import Pairs


@dataclass(frozen=True)
class StageLosses:
    """The losses of one stage, each a sum divided by the number of objects; not weighted yet."""

    classes: Tensor
    shift: Tensor
    overlap: Tensor


def stage_losses(
    logits: Tensor,
    boxes: Tensor,
    objects: Sequence[Tensor],
    pairs: Sequence[Pairs],
    *,
    alpha: float,
    gamma: float,
    count: float,
) -> StageLosses:
    """Return the losses of logits (B, Q) and boxes (B, Q, 4) cx cy w h. count: what sums are divided by."""
    pictures = torch.cat([torch.full_like(chosen, number) for number, (chosen, _) in enumerate(pairs)])
    chosen = torch.cat([own for own, _ in pairs])
    wanted = torch.cat([own[answered] for own, (_, answered) in zip(objects, pairs, strict=True)])
    targets = torch.zeros_like(logits, dtype=torch.float32)
    targets[pictures, chosen] = 1
    matched, wanted = boxes[pictures, chosen].float(), wanted.float()  # (M, 4) each
    overlap = overlaps(corners(matched), corners(wanted))[1]
    return StageLosses(
        classes=focal_loss(logits.float(), targets, alpha=alpha, gamma=gamma).sum() / count,
        shift=(matched - wanted).abs().sum() / count,
        overlap=(1 - overlap).sum() / count,
    )


def focal_loss(logits: Tensor, targets: Tensor, *, alpha: float, gamma: float) -> Tensor:
    """Return the focal loss (...) of logits (...) for targets 0 or 1 (Lin et al., 2017).

    >>> focal_loss(torch.zeros(1), torch.ones(1), alpha=0.25, gamma=2.0).item() < 0.05
    True
    """
    entropy = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    likely = logits.sigmoid()
    wrong = likely * (1 - targets) + (1 - likely) * targets
    share = alpha * targets + (1 - alpha) * (1 - targets)
    return share * entropy * wrong**gamma
