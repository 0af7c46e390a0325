"""Losses that average exactly: each is a mean together with how many it is the mean of.

A step may be made of many passes, held by many processes. Its loss is, name by name, the mean over all that
is learnt in the whole step, so that it doesn't matter how the step was cut. Gradients are added up pass by
pass; therefore the counts of the whole step have to be known before the first of them, from the data alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from deixis.errors import RecordError


@dataclass(frozen=True)
class Loss:
    """One loss of one batch.

    mean: (), over ``count`` things that are learnt; 0, not NaN, where there are none. count: a number or an
    integer tensor (), a function of the data alone. weight: how much it counts in the total.
    """

    mean: Tensor
    count: Tensor | int
    weight: float = 1.0

    @classmethod
    def of_sum(cls, total: Tensor, count: Tensor | int, *, weight: float = 1.0) -> Loss:
        """Return the loss whose sum over ``count`` things is ``total``.

        >>> import torch
        >>> float(Loss.of_sum(torch.tensor(6.0), 4).mean), float(Loss.of_sum(torch.tensor(0.0), 0).mean)
        (1.5, 0.0)
        """
        return cls(
            total / (count.clamp(min=1) if isinstance(count, Tensor) else max(count, 1)), count, weight
        )

    def share(self, total: int) -> Tensor | float:
        """Return which part of a step's mean this batch's is, where the whole step counts ``total``."""
        return self.count / max(total, 1)


class Objective(nn.Module):
    """A network with its losses: what the loop minimises. Subclasses give ``counts`` and ``losses``."""

    def counts(self, batch: Mapping[str, Any]) -> dict[str, int]:
        """Return how many things each loss is the mean of in a batch, without asking the network.

        The names are the same for every batch. They are those of ``losses``.
        """
        raise NotImplementedError

    def losses(self, batch: Mapping[str, Any]) -> dict[str, Loss]:
        """Return the losses of a batch, by name; each counts what ``counts`` says."""
        raise NotImplementedError

    def forward(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return the mean losses of one batch by name, and "total", their weighted sum.

        Raises RecordError where nothing in the batch is learnt from.
        """
        check_supervised(self.counts(batch), [batch])
        losses = self.losses(batch)
        return {name: loss.mean for name, loss in losses.items()} | {"total": weighted(losses)}


def weighted(losses: Mapping[str, Loss], totals: Mapping[str, int] | None = None) -> Tensor:
    """Return the weighted sum () of losses.

    totals: by name what the whole step counts; the sum is then this batch's part of the step's loss, and the
    parts of all batches add up to it.

    >>> import torch
    >>> one, three = Loss(torch.tensor(5.0), 1), Loss(torch.tensor(1.0), 3)
    >>> float(weighted({"words": one}, {"words": 4}) + weighted({"words": three}, {"words": 4}))
    2.0
    """
    parts = [
        loss.weight * loss.mean * (1.0 if totals is None else loss.share(totals[name]))
        for name, loss in losses.items()
    ]
    return sum(parts[1:], parts[0])


def added_up(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return counts of several batches as those of all of them together."""
    total: dict[str, int] = {}
    for one in counts:
        for name, count in one.items():
            total[name] = total.get(name, 0) + count
    return total


def check_supervised(totals: Mapping[str, int], batches: Sequence[Mapping[str, Any]]) -> None:
    """Raise RecordError, naming the pictures, unless something is learnt."""
    if not any(totals.values()):
        names = [name for batch in batches for name in batch.get("names", [])]
        raise RecordError(f"no answer in this batch is learnt from; pictures: {names}")
