"""Which prediction answers for which object: the cheapest matching of each picture (Carion et al., 2020)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from deixis.errors import UsageError
from deixis.layers.proposals.box_forms import corners, overlaps

LOG_EPSILON = 1e-8
Pairs = tuple[Tensor, Tensor]
"""The numbers (M,) of matched predictions, in order, and of the object that each of them answers for."""


@dataclass(frozen=True)
class Costs:
    """How much a class, a shift of the four numbers and a lack of overlap count in matching.

    alpha, gamma: of the focal form of the class's cost.
    """

    classes: float = 2.0
    shift: float = 5.0
    overlap: float = 2.0
    alpha: float = 0.25
    gamma: float = 2.0

    def of(self, logits: Tensor, boxes: Tensor, objects: Tensor) -> Tensor:
        """Return what it costs (..., Q, M) to match logits (..., Q) and boxes (..., Q, 4) with (..., M, 4).

        Boxes are cx cy w h as fractions of the sides. Worked out in float32.
        """
        likely = logits.float().sigmoid()
        found = self.alpha * (1 - likely) ** self.gamma * -(likely + LOG_EPSILON).log()
        missed = (1 - self.alpha) * likely**self.gamma * -(1 - likely + LOG_EPSILON).log()
        own, their = boxes.float()[..., :, None, :], objects.float()[..., None, :, :]
        shift = torch.cdist(boxes.float(), objects.float(), p=1)  # (..., Q, M)
        overlap = overlaps(corners(own), corners(their))[1]
        return (
            self.classes * (found - missed)[..., None] + self.shift * shift - self.overlap * overlap
        )  # (..., Q, M)


@torch.no_grad()
def match(logits: Tensor, boxes: Tensor, objects: Sequence[Tensor], *, costs: Costs) -> list[Pairs]:
    """Return the matching of each picture: logits (B, Q), boxes (B, Q, 4), objects (M_i, 4) of each.

    The costs of all pictures are worked out at once, each with its own objects only. UsageError where a cost
    is no finite number.
    """
    from scipy.optimize import linear_sum_assignment

    counts = [len(own) for own in objects]
    if not any(counts):
        none = torch.zeros(0, dtype=torch.long, device=boxes.device)
        return [(none, none) for _ in counts]
    filled = torch.nn.utils.rnn.pad_sequence(list(objects), batch_first=True, padding_value=0.5)  # (B, M, 4)
    table = costs.of(logits, boxes, filled).cpu()  # (B, Q, M)
    if not bool(table.isfinite().all()):
        raise UsageError(
            "matching found boxes or logits that are no finite numbers; has the training diverged, or does a "
            "target hold NaN?"
        )
    pairs = []
    for own, count in zip(table.numpy(), counts, strict=True):
        chosen, answered = (torch.from_numpy(part) for part in linear_sum_assignment(own[:, :count]))
        pairs.append((chosen.to(boxes.device), answered.to(boxes.device)))
    return pairs
