"""What the family learns from: the next word of every answer, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deixis.layers.regions.point_draws import DrawnRegions
from deixis.systems.spliced.network import SplicedNetwork
from deixis.text.token_sequence import IGNORED
from deixis.training.losses import Loss, Objective


class SplicedObjective(Objective):
    """A network whose only loss is that of the next word of an answer."""

    def __init__(self, network: SplicedNetwork) -> None:
        super().__init__()
        self.network = network

    def counts(self, batch: Mapping[str, Any]) -> dict[str, int]:
        """Return how many tokens of answers are predicted."""
        return {"language_model": int((batch["labels"][:, 1:] != IGNORED).sum())}

    def losses(self, batch: Mapping[str, Any]) -> dict[str, Loss]:
        """Return "language_model"; see SplicedCollate for the batch.

        Where the network cuts a row that has become too long with its picture, the words that are cut off
        count as predicted without loss.
        """
        output = self.network(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            labels=batch["labels"],
            pixel_values=batch["pixel_values"],
            picture_counts=batch["picture_counts"],
            regions=DrawnRegions(
                points=batch["region_points"],
                pictures=batch["region_pictures"],
                starts=batch["region_starts"],
            ),
        )
        count, predicted = self.counts(batch)["language_model"], len(output.logits)
        mean = output.loss if predicted == count else output.loss * (predicted / max(count, 1))
        return {"language_model": Loss(mean, count)}
