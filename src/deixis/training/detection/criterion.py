"""The loss of the region proposer: every decoder layer and the first stage, each matched for itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from deixis.errors import UsageError
from deixis.layers.proposals.proposing import SOURCES, Source
from deixis.layers.proposals.region_proposer import Detection
from deixis.training.detection.box_losses import StageLosses, stage_losses
from deixis.training.detection.matching import Costs, Pairs, match

FIRST = "enc"


@dataclass(frozen=True)
class Weights:
    """How much each loss counts."""

    classes: float = 2.0
    shift: float = 5.0
    overlap: float = 2.0

    def total(self, stage: StageLosses) -> Tensor:
        """Return the loss of a stage."""
        return self.classes * stage.classes + self.shift * stage.shift + self.overlap * stage.overlap


@dataclass(frozen=True)
class DetectionLoss:
    """The loss, what it consists of, and who was matched.

    stages, matchings: by name, "last" for the last decoder layer, "0" … for those before it, "enc" for the
    first stage. cardinality: how many objects a picture has on average; with one class, what is
    published as the error of their number is always this.
    """

    total: Tensor
    stages: dict[str, StageLosses]
    matchings: dict[str, list[Pairs]]
    cardinality: float

    def named(self) -> dict[str, Tensor]:
        """Return all losses by their published names, for instance ``loss_giou_enc``."""
        losses: dict[str, Tensor] = {}
        for name, stage in self.stages.items():
            end = "" if name == "last" else f"_{name}"
            losses[f"loss_ce{end}"] = stage.classes
            losses[f"loss_bbox{end}"] = stage.shift
            losses[f"loss_giou{end}"] = stage.overlap
            losses[f"cardinality_error{end}"] = torch.tensor(self.cardinality)
        return losses


@dataclass(frozen=True)
class DetectionCriterion:
    """Matching and losses (groma.md section 12.2). gamma, alpha: of the focal loss.

    auxiliary: whether the decoder layers before the last one learn by themselves.
    """

    costs: Costs = field(default_factory=Costs)
    weights: Weights = field(default_factory=Weights)
    alpha: float = 0.25
    gamma: float = 2.0
    auxiliary: bool = True

    def __call__(self, found: Detection, objects: Sequence[Tensor], *, source: Source) -> DetectionLoss:
        """Return the loss of what was found, given each picture's objects (M_i, 4).

        Boxes are cx cy w h as fractions of the sides. source: whose class head is taught; the other one gets
        no gradient.
        """
        if source not in SOURCES:
            raise UsageError(f"source {source!r} is not known; expected one of {', '.join(SOURCES)}")
        layers = len(found.boxes)
        logits = found.logits[source][..., 0]  # (N, B, Q)
        stages = {"last": (logits[-1], found.boxes[-1])}
        if self.auxiliary:
            stages |= {str(number): (logits[number], found.boxes[number]) for number in range(layers - 1)}
        stages[FIRST] = (found.first.logits[..., 0], found.first.boxes)
        return self.of_stages(stages, objects)

    def of_stages(self, stages: dict[str, tuple[Tensor, Tensor]], objects: Sequence[Tensor]) -> DetectionLoss:
        """Return the loss of stages, each logits (B, Q) and boxes (B, Q, 4)."""
        logits, _ = next(iter(stages.values()))
        if len(objects) != len(logits):
            raise UsageError(f"{len(objects)} lists of objects came with {len(logits)} pictures")
        total = sum(map(len, objects))
        losses, matchings = {}, {}
        for name, (own, boxes) in stages.items():
            matchings[name] = match(own, boxes, objects, costs=self.costs)
            losses[name] = stage_losses(
                own,
                boxes,
                objects,
                matchings[name],
                alpha=self.alpha,
                gamma=self.gamma,
                count=max(total, 1),
            )
        summed = torch.stack([self.weights.total(stage) for stage in losses.values()]).sum()
        return DetectionLoss(summed, losses, matchings, total / max(len(objects), 1))
