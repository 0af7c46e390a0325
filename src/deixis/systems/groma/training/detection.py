"""What Groma's proposer learns in the first stage: where there is anything, whatever it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from deixis.data.groma.detection import ProposalExample
from deixis.errors import RecipeError
from deixis.pictures.normalising import Normalisation
from deixis.systems.groma.detector.network import GromaProposerNetwork
from deixis.systems.groma.preparation import unit_edges
from deixis.training.batches import Batch
from deixis.training.detection.criterion import DetectionCriterion
from deixis.training.losses import Loss, Objective

LOSS = "detection"


@dataclass(frozen=True)
class ProposalCollate:
    """Turns views into a batch; travels to loader workers. normalisation: of the vision encoder."""

    normalisation: Normalisation

    def __call__(self, examples: Sequence[ProposalExample]) -> Batch:
        """Return pixel_values (B, 3, S, S), boxes (N, 4) cx cy w h of all pictures, counts, the class head.

        RecipeError for pictures of both heads in one batch: ``order: source_groups`` keeps them apart.
        """
        heads = sorted({example.head for example in examples})
        if len(heads) > 1:
            raise RecipeError(
                f"one batch has pictures for the class heads {' and '.join(heads)}; choose "
                "order: source_groups, which takes every batch from one source"
            )
        boxes = [
            unit_edges(
                [box.as_tuple() for box in example.boxes],
                width=example.picture.width,
                height=example.picture.height,
            )
            for example in examples
        ]
        return {
            "names": [example.name for example in examples],
            "pixel_values": torch.stack([self.normalisation.tensor(one.picture.pixels) for one in examples]),
            "boxes": torch.cat(boxes),
            "counts": [len(own) for own in boxes],
            "head": heads[0],
        }


class ProposerObjective(Objective):
    """A proposer with its losses."""

    def __init__(self, network: GromaProposerNetwork, criterion: DetectionCriterion | None = None) -> None:
        super().__init__()
        self.network = network
        self.criterion = DetectionCriterion() if criterion is None else criterion

    def counts(self, batch: Mapping[str, Any]) -> dict[str, int]:
        """Return how many boxes there are."""
        return {LOSS: len(batch["boxes"])}

    def losses(self, batch: Mapping[str, Any]) -> dict[str, Loss]:
        """Return "detection", a sum over all boxes of the batch divided by their number."""
        found = self.network(batch["pixel_values"])
        objects = batch["boxes"].split(batch["counts"])
        loss = self.criterion(found, objects, source=batch["head"]).total
        # The other head learns nothing from this batch, but has a gradient: of zero.
        spare: Tensor = sum((own.sum() * 0.0 for own in found.logits.values()), loss.new_zeros(()))
        return {LOSS: Loss(loss + spare, len(batch["boxes"]))}
