"""The projection of one encoder fitted to texts: what the loss comes down to, and on pictures never seen.

The paper gives neither the projection's architecture nor batch, optimiser or rate; here it is one linear map
with a bias, trained by AdamW on batches of 128 different pictures with a caption each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from deixis.errors import UsageError
from deixis.layers.alignment import Alignment, align
from deixis.studies.alignment.pairs import CaptionVectors

POINTS = 40  # of a curve
ROUNDS = 5  # captions of every unseen picture that are compared


@dataclass(frozen=True)
class FitSettings:
    """How a projection is fitted; the rate falls to nothing as a cosine."""

    steps: int = 3000
    batch: int = 128
    rate: float = 1e-3
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 2 or not self.rate > 0:
            raise UsageError(
                f"steps {self.steps}, batch {self.batch}, rate {self.rate}; expected at least 1 step, 2 "
                "pairs, and a rate above 0"
            )


@dataclass(frozen=True)
class Point:
    """A point of a curve: mean losses, of the batches since the last point and of unseen pictures."""

    step: int
    trained: float
    unseen: float


@dataclass(frozen=True)
class Fitted:
    """What became of a fit. unseen (n,): the mean losses of all unseen batches; first: the share (0..1) of
    unseen pictures whose own text is nearest among those of their batch."""

    curve: tuple[Point, ...]
    unseen: np.ndarray
    first: float


class Projection(nn.Module):
    """A linear map with a bias; its input is scaled to spread 1, which another start would do as well."""

    def __init__(self, vectors: Tensor, width: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.spread: Tensor
        self.register_buffer("mean", vectors.mean(dim=0))
        self.register_buffer("spread", vectors.std(dim=0).clamp(min=1e-6))
        self.linear = nn.Linear(vectors.shape[1], width)

    def forward(self, vectors: Tensor) -> Tensor:
        """Turn vectors (…, D') into (…, D)."""
        return self.linear((vectors - self.mean) / self.spread)


def fit(
    pictures: Tensor,
    captions: CaptionVectors,
    *,
    unseen: tuple[Tensor, CaptionVectors],
    settings: FitSettings,
    told: Callable[[Point], None] = lambda point: None,
) -> Fitted:
    """Return how well a projection of pictures (n, D') meets their captions.

    unseen: other pictures and captions, by which it is judged. UsageError for fewer pictures than a batch.
    """
    for what, count in (("training", len(captions)), ("unseen", len(unseen[1]))):
        if count < settings.batch:
            raise UsageError(
                f"there are {count} {what} pictures for batches of {settings.batch}; choose a smaller --batch"
            )
    draw = torch.Generator().manual_seed(settings.seed)
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        projection = Projection(pictures, captions.vectors.shape[1])
    optimiser = torch.optim.AdamW(projection.parameters(), lr=settings.rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=settings.steps)
    order: list[int] = []
    losses: list[float] = []
    curve = []
    every = max(settings.steps // POINTS, 1)
    for step in range(1, settings.steps + 1):
        if len(order) < settings.batch:
            order = torch.randperm(len(captions), generator=draw).tolist()
        chosen, order = order[: settings.batch], order[settings.batch :]
        numbers = torch.randint(1 << 30, (len(chosen),), generator=draw).tolist()
        found = compared(projection, pictures[chosen], captions.chosen(chosen, numbers))
        optimiser.zero_grad()
        found.mean.backward()
        optimiser.step()
        schedule.step()
        losses.append(float(found.mean.detach()))
        if step % every == 0 or step == settings.steps:
            values, _ = judged(projection, *unseen, batch=settings.batch)
            curve.append(Point(step, float(np.mean(losses)), float(values.mean())))
            told(curve[-1])
            losses.clear()
    values, first = judged(projection, *unseen, batch=settings.batch)
    return Fitted(tuple(curve), values, first)


def compared(projection: nn.Module, pictures: Tensor, texts: Tensor) -> Alignment:
    """Return a batch of pictures (N, D') and texts (N, D) of unit length compared."""
    return align(functional.normalize(projection(pictures), dim=-1), texts)


@torch.no_grad()
def judged(
    projection: nn.Module, pictures: Tensor, captions: CaptionVectors, *, batch: int
) -> tuple[np.ndarray, float]:
    """Return the mean losses of whole batches of pictures, and the share whose own text is nearest.

    The pictures are drawn the same way for every projection, and come up with five captions in turn.
    """
    order = torch.randperm(len(captions), generator=torch.Generator().manual_seed(0)).tolist()
    losses, nearest = [], []
    for number in range(ROUNDS):
        for first in range(0, len(order) - batch + 1, batch):
            chosen = order[first : first + batch]
            found = compared(projection, pictures[chosen], captions.chosen(chosen, [number] * batch))
            losses.append(float(found.mean))
            own = torch.arange(batch)
            nearest.append(float((found.similarity.argmax(dim=1) == own).float().mean()))
    return np.array(losses), float(np.mean(nearest))
