"""Which regions of a batch its texts speak of, where a text that was cut has fewer region tokens."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import torch
from torch import Tensor

from deixis.layers.regions.point_draws import DrawnRegions

LOG = logging.getLogger("deixis")


def owners_of(regions: DrawnRegions, picture_counts: Sequence[int]) -> Tensor:
    """Return the row (R,) that each region belongs to. picture_counts: how many pictures each row has.

    >>> drawn = DrawnRegions(torch.zeros(2, 1, 2), torch.tensor([0, 2]), torch.zeros(1, 2).long())
    >>> owners_of(drawn, [2, 1]).tolist()
    [0, 1]
    """
    rows = [row for row, count in enumerate(picture_counts) for _ in range(count)]
    return torch.tensor(rows, dtype=torch.int64)[regions.pictures.cpu()]


def with_tokens(owners: Tensor, input_ids: Tensor, attention_mask: Tensor | None, *, token: int) -> Tensor:
    """Return, as truth values (R,), which regions the region tokens of their rows stand for.

    owners (R,): the row of ``input_ids`` (B, T) that each region belongs to; those of a row are in reading
    order. A row with more regions than tokens uses its first ones, whatever other rows have, as published
    programs do; a warning counts the rest. Too few regions are left as they are.

    >>> with_tokens(torch.tensor([0, 0, 1]), torch.tensor([[9, 1], [9, 1]]), None, token=9).tolist()
    [True, False, True]
    """
    places = input_ids == token  # (B, T)
    if attention_mask is not None:
        places = places & attention_mask.bool()
    kept = torch.ones(len(owners), dtype=torch.bool)
    for row, tokens in enumerate(places.sum(dim=1).tolist()):
        own = (owners.cpu() == row).nonzero()[:, 0]
        if len(own) > tokens:
            kept[own[tokens:]] = False
            LOG.warning(
                "row %d of the batch has %d region tokens and %d regions; the last %d are left out",
                row,
                tokens,
                len(own),
                len(own) - tokens,
            )
    return kept


def spoken_of(
    regions: DrawnRegions,
    input_ids: Tensor,
    attention_mask: Tensor | None,
    *,
    token: int,
    picture_counts: Sequence[int],
) -> DrawnRegions:
    """Return the regions of a batch without those that no token stands for, see ``with_tokens``."""
    kept = with_tokens(owners_of(regions, picture_counts), input_ids, attention_mask, token=token)
    if bool(kept.all()):
        return regions
    kept = kept.to(regions.pictures.device)
    return DrawnRegions(regions.points[kept], regions.pictures[kept], regions.starts[:, kept])
