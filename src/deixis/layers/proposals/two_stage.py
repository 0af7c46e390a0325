"""The first stage: every cell of every map as a box, and the best of them as what the queries begin with."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from deixis.errors import UsageError
from deixis.layers.proposals.deformable_attention import Shapes

SMALLEST = 0.05  # side of a first box at the finest level; it doubles from level to level
EDGE = 0.01  # a first box with a number nearer to 0 or 1 counts for nothing


def cell_centres(shapes: Shapes, *, device: torch.device) -> Tensor:
    """Return the middles (S, 2) x, y of all cells, level by level, row by row."""
    centres = []
    for high, wide in shapes:
        rows, columns = (
            (torch.arange(count, dtype=torch.float32, device=device) + 0.5) / count for count in (high, wide)
        )
        down, across = torch.meshgrid(rows, columns, indexing="ij")
        centres.append(torch.stack([across, down], dim=-1).flatten(0, 1))
    return torch.cat(centres)


def first_boxes(shapes: Shapes, *, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the logits (S, 4) of each cell's first box, and whether it counts (S, 1).

    The logits of one that doesn't are infinite.
    """
    sides = torch.cat(
        [torch.full((high * wide, 2), SMALLEST * 2.0**level) for level, (high, wide) in enumerate(shapes)]
    ).to(device)
    boxes = torch.cat([cell_centres(shapes, device=device), sides], dim=-1)  # (S, 4)
    counts = ((boxes > EDGE) & (boxes < 1 - EDGE)).all(dim=-1, keepdim=True)
    logits = torch.log(boxes / (1 - boxes))
    return logits.masked_fill(~counts, torch.inf), counts


@dataclass(frozen=True)
class FirstStage:
    """What the first stage says of all S cells: logits (B, S, 1) and boxes (B, S, 4).

    chosen (B, Q): the cells that the queries begin with, the likeliest first. start (B, Q, 4): the logits of
    their boxes, without gradient.
    """

    logits: Tensor
    boxes: Tensor
    chosen: Tensor
    start: Tensor

    @classmethod
    def of(cls, logits: Tensor, box_logits: Tensor, *, queries: int) -> FirstStage:
        """Return the stage with its best cells; UsageError where there are too few of them."""
        cells = logits.shape[1]
        if cells < queries:
            raise UsageError(
                f"the proposer's maps have {cells} cells in all, but it makes {queries} proposals; give it "
                "larger pictures, more levels, or fewer proposals"
            )
        chosen = logits[..., 0].topk(queries, dim=1).indices  # (B, Q)
        start = box_logits.gather(1, chosen[..., None].expand(-1, -1, 4)).detach()
        return cls(logits, box_logits.sigmoid(), chosen, start)
