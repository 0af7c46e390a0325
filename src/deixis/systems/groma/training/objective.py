"""What Groma learns from in its second and third stage: the next token of every answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deixis.systems.groma.detector.selection import shuffled
from deixis.systems.groma.model import GivenBoxes, GromaNetwork
from deixis.text.token_sequence import IGNORED
from deixis.training.losses import Loss, Objective


class GromaObjective(Objective):
    """A network whose loss is that of the next token; it chooses the place of a ``<ground_box>`` itself.

    While it learns, places are in an order by chance, as published: in that of scores ``<r0>`` is the
    likeliest place whatever is asked for, and a network learns to say nothing else.
    """

    def __init__(self, network: GromaNetwork) -> None:
        super().__init__()
        self.network = network

    def counts(self, batch: Mapping[str, Any]) -> dict[str, int]:
        """Return how many tokens of answers are predicted."""
        return {"language_model": int((batch["labels"][:, 1:] != IGNORED).sum())}

    def losses(self, batch: Mapping[str, Any]) -> dict[str, Loss]:
        """Return "language_model"; see GromaCollate for the batch."""
        shares = batch.get("refer_shares")
        output = self.network(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            labels=batch["labels"],
            pixel_values=batch["pixel_values"],
            regions=GivenBoxes(
                refer=batch["refer_boxes"].split(batch["refer_counts"]),
                ground=batch["ground_boxes"].split(batch["ground_counts"]),
                order=shuffled if self.training else None,
                shares=None if shares is None else shares.split(batch["refer_counts"]),
            ),
        )
        return {"language_model": Loss(output.loss, self.counts(batch)["language_model"])}
