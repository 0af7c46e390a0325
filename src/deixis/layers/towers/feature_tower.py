"""What every tower of features promises, and the resizing of learnt position tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from deixis.errors import UsageError
from deixis.pictures.normalising import Normalisation

Interpolation = Literal["size", "scale_factor"]
"""How a table of positions is resized: to the new number of cells, or by a factor that is a little larger.

"scale_factor" is what ``transformers`` did when Groma was trained: (cells + 0.1) / own cells, and bicubic
samples are taken at steps of that factor, not of the ratio of sizes.
"""


class FeatureTower(nn.Module):
    """Square pictures in, one vector for each cell of a square grid out.

    width: of a vector. side: of the picture that the tower was made for, in pixels. normalisation: how pixels
    become its input. vision: the encoder itself, whose weights are known by this name.
    """

    width: int
    side: int
    normalisation: Normalisation
    vision: nn.Module

    def cells(self, side: int) -> int:
        """Return how many cells a row has for a picture of ``side`` pixels."""
        raise NotImplementedError

    def checked_cells(self, side: int) -> int:
        """Return the same; UsageError for a side that this tower can't see."""
        if (cells := self.cells(side)) < 1:
            raise UsageError(f"a picture of side {side} was asked for; this tower needs at least one patch")
        return cells

    def states(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """Turn normalised pixels (B, 3, S, S) into the states that were selected, in that order.

        Each (B, n * n, D), row by row; their widths D add up to ``width``.
        """
        raise NotImplementedError

    def forward(self, pixels: Tensor) -> Tensor:
        """Turn normalised pixels (B, 3, S, S) into vectors (B, n * n, width), row by row.

        Several states are side by side by channels.
        """
        states = self.states(pixels)
        return states[0] if len(states) == 1 else torch.cat(states, dim=-1)

    @property
    def mean(self) -> tuple[float, ...]:
        """The mean of each channel, for pixels in 0..1."""
        return self.normalisation.mean

    @property
    def std(self) -> tuple[float, ...]:
        """The standard deviation of each channel, for pixels in 0..1."""
        return self.normalisation.std


def selected_blocks(select_layer: int | Sequence[int], *, blocks: int) -> tuple[int, ...]:
    """Return after how many blocks each selected hidden state is there; one number selects one.

    >>> selected_blocks([-2, -5, -8, -11, 6], blocks=24)
    (23, 20, 17, 14, 6)
    """
    selected = [select_layer] if isinstance(select_layer, int) else list(select_layer)
    if not selected:
        raise UsageError("select_layer is empty; expected at least one hidden state, for instance -2")
    return tuple(blocks_before(one, blocks=blocks) for one in selected)


def states_after(
    blocks: Iterable[Callable[[Tensor], Tensor]], hidden: Tensor, *, selected: Sequence[int]
) -> tuple[Tensor, ...]:
    """Return the hidden states after ``selected`` numbers of blocks, in that order.

    No block behind the last of them runs, and no other state is kept.
    """
    kept = {0: hidden} if 0 in selected else {}
    for number, block in zip(range(1, max(selected) + 1), blocks, strict=False):
        hidden = block(hidden)
        if number in selected:
            kept[number] = hidden
    return tuple(kept[number] for number in selected)


def blocks_before(select_layer: int, *, blocks: int) -> int:
    """Return how many blocks run until the hidden state ``select_layer`` is there.

    Hidden state 0 is the input of the first block, k the output of block k; negative numbers count from the
    last. The blocks behind it have nothing to do.

    >>> blocks_before(-2, blocks=24)
    23
    """
    run = select_layer if select_layer >= 0 else blocks + 1 + select_layer
    if not 0 <= run <= blocks:
        raise UsageError(
            f"select_layer is {select_layer}, but a tower of {blocks} blocks has the hidden states 0 to "
            f"{blocks} (or {-blocks - 1} to -1)"
        )
    return run


def resized_positions(
    table: Tensor, cells: int | tuple[int, int], *, interpolation: Interpolation = "size"
) -> Tensor:
    """Return learnt positions (1 + n * n, D), the class token's first, for a grid of cells x cells.

    Two numbers are rows and columns. Bicubic, in float32 whatever the precision around it: in half precision
    the vectors would shift.
    """
    own = round((table.shape[0] - 1) ** 0.5)
    rows, columns = (cells, cells) if isinstance(cells, int) else cells
    if (own, own) == (rows, columns):
        return table
    with torch.autocast(table.device.type, enabled=False):
        grid = table[1:].float().reshape(1, own, own, -1).permute(0, 3, 1, 2)  # (1, D, n, n)
        if interpolation == "scale_factor":
            factors = ((rows + 0.1) / own, (columns + 0.1) / own)
            grid = functional.interpolate(grid, scale_factor=factors, mode="bicubic", align_corners=False)
        else:
            grid = functional.interpolate(grid, (rows, columns), mode="bicubic", align_corners=False)
        resized = grid.permute(0, 2, 3, 1).flatten(0, 2).to(table.dtype)  # (rows * columns, D)
    return torch.cat([table[:1], resized])
