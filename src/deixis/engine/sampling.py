"""Choosing the next token of one answer: the likeliest, or one drawn with a source of chance of its own."""

from __future__ import annotations

import secrets

import torch
from torch import Tensor

from deixis.engine.settings import Settings

COLDEST = 1e-20  # at temperatures up to this only the likeliest is left, and dividing by them overflows


class Sampler:
    """Draws the tokens of one answer, the same for the same seed whatever other answers share the batch."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.generator: torch.Generator | None = None
        if settings.temperature > COLDEST:
            seed = secrets.randbits(63) if settings.seed is None else settings.seed
            self.generator = torch.Generator().manual_seed(seed)

    def choose(self, logits: Tensor) -> int:
        """Return a token by its logits (V,); minus infinity is never chosen.

        >>> sampler = Sampler(Settings(temperature=1.0, seed=0, top_p=0.5))
        >>> sampler.choose(torch.tensor([0.0, 5.0, -float("inf")]))
        1
        """
        if self.generator is None:
            return int(logits.argmax())
        # On the CPU and in float32, so that a seed means the same on every device.
        shares = (logits.float().cpu() / self.settings.temperature).softmax(dim=-1)
        if self.settings.top_p < 1:
            ordered, order = shares.sort(descending=True, stable=True)
            before = ordered.cumsum(dim=-1) - ordered
            beyond = before >= self.settings.top_p
            beyond[0] = False  # whatever is left of a share next to nothing, the likeliest stays
            shares = shares.masked_fill(torch.zeros_like(shares).bool().index_put((order,), beyond), 0.0)
        return int(torch.multinomial(shares, 1, generator=self.generator))
