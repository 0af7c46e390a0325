"""The fusing step of Ferret's visual sampler: at each anchor, its neighbours' features, projected and pooled.

As published (arXiv 2310.07704, section 3), for every pair of an anchor a and a neighbour j,
``LayerNorm(ReLU(Wa [Wd (z_j - z_a) + bd ; z_a] + ba))`` with z = [feature, x, y]. All before the ReLU is
linear. With Wa = [W1 | W2] it equals ``A z_j + B z_a + c``, where A = W1 Wd, B = W2 - W1 Wd and
c = ba + W1 bd: projections of points, of which there are far fewer than pairs. In half precision the two
differ by what every pair's difference is rounded to; ``pair_by_pair`` rounds where published weights did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from deixis.layers.regions.point_sets import rows_of

Pooling = Literal["max", "mean"]
PAIR_BYTES = 1 << 20  # of pairs normalised at once without gradients on a CPU: about what its cache holds


@dataclass(frozen=True)
class Factor:
    """A matrix for z = [feature, x, y], in float32.

    of_feature: (D, D), perhaps in oneDNN's own format, without gradients. of_place: (D, 2).
    """

    of_feature: Tensor
    of_place: Tensor

    def feature_part(self, features: Tensor) -> Tensor:
        """Return (..., D), the product with features (..., D) alone."""
        if not self.of_feature.is_mkldnn:
            return functional.linear(features, self.of_feature)
        product = functional.linear(features.flatten(0, -2).to_mkldnn(), self.of_feature)
        return product.to_dense().unflatten(0, features.shape[:-1])

    def __call__(self, features: Tensor, points: Tensor) -> Tensor:
        """Return (..., D), the product with features (..., D) and their points (..., 2)."""
        return self.feature_part(features) + functional.linear(points, self.of_place)

    def packed(self) -> Factor:
        """Return the factor for products without gradients, on a CPU in oneDNN's format (faster on some)."""
        if self.of_feature.device.type != "cpu" or not torch.backends.mkldnn.is_available():
            return self
        return Factor(self.of_feature.to_mkldnn(), self.of_place.contiguous())


@dataclass(frozen=True)
class PairFactors:
    """A, B and c, float32 (D,), of one stage."""

    neighbour: Factor
    anchor: Factor
    constant: Tensor

    def packed(self) -> PairFactors:
        """Return the factors for many products without gradients."""
        return PairFactors(self.neighbour.packed(), self.anchor.packed(), self.constant)


def factorised(difference: nn.Linear, aggregation: NeighbourPooling) -> PairFactors:
    """Return the factors of a stage's two projections, as a function of their weights, in float32."""
    weight, bias = (one.float() for one in aggregation.projection())  # (D, 2 (D + 2)), (D,)
    of_difference, of_anchor = weight.chunk(2, dim=1)
    neighbour = of_difference @ difference.weight.float()
    constant = bias + of_difference @ difference.bias.float()
    width = len(weight)
    of_neighbours, of_anchors = (
        Factor(one[:, :width], one[:, width:]) for one in (neighbour, of_anchor - neighbour)
    )
    return PairFactors(of_neighbours, of_anchors, constant)


class NeighbourPooling(nn.Module):
    """Normalise and pool the pairs of each anchor; holds Wa, as a convolution of width 1, and the norm."""

    def __init__(self, *, width: int, pooling: Pooling) -> None:
        super().__init__()
        self.pooling = pooling
        self.net = nn.Sequential(nn.Conv1d(2 * (width + 2), width, kernel_size=1))
        self.norm = nn.LayerNorm(width)

    def forward(self, of_points: Tensor, of_anchors: Tensor, neighbours: Tensor) -> Tensor:
        """Return (R, A, D) float32.

        of_points: (R, N, D), A z of every point. of_anchors: (R, A, D), B z + c of every anchor.
        neighbours: int64 (R, A, K), numbers of points.
        """
        regions, points, width = of_points.shape
        first = torch.arange(regions, device=neighbours.device)[:, None, None] * points
        rows = (neighbours + first).flatten(0, 1)  # (R A, K)
        table, anchors = of_points.flatten(0, 1), of_anchors.flatten(0, 1)
        at_once = max(len(rows), 1)
        if table.device.type == "cpu" and not torch.is_grad_enabled():
            at_once = max(PAIR_BYTES // (rows.shape[1] * width * 4), 1)
        pooled = [
            self.pooled(self.pairs(table, some_anchors, some_rows))
            for some_anchors, some_rows in zip(anchors.split(at_once), rows.split(at_once), strict=True)
        ]
        return torch.cat(pooled).unflatten(0, neighbours.shape[:2])  # (R, A, D)

    def pairs(self, table: Tensor, anchors: Tensor, rows: Tensor) -> Tensor:
        """Return (A, K, D): every pair after the norm. table: (N, D). anchors: (A, D). rows: int64 (A, K)."""
        pairs = table.index_select(0, rows.flatten()).unflatten(0, rows.shape)  # (A, K, D)
        pairs = pairs.add_(anchors[:, None]).relu_()
        weight, bias = self.norm.weight.float(), self.norm.bias.float()
        return functional.layer_norm(pairs, weight.shape, weight, bias, self.norm.eps)

    def pair_by_pair(self, difference: nn.Linear, z: Tensor, anchors: Tensor, neighbours: Tensor) -> Tensor:
        """Return (R, A, D) from z (R, N, D + 2), every pair projected by itself in the precision of z.

        difference: Wd. anchors: int64 (R, A). neighbours: int64 (R, A, K).
        """
        at_anchors = rows_of(z, anchors)[:, :, None].expand(
            -1, -1, neighbours.shape[2], -1
        )  # (R, A, K, D + 2)
        at_neighbours = rows_of(z, neighbours.flatten(1)).unflatten(1, neighbours.shape[1:])
        both = torch.cat([difference(at_neighbours - at_anchors), at_anchors], dim=-1)  # (R, A, K, 2 (D + 2))
        active = functional.linear(both, *self.projection()).relu()
        return self.pooled(self.norm(active).flatten(0, 1)).unflatten(0, anchors.shape)

    def projection(self) -> tuple[Tensor, Tensor]:
        """Return Wa (D, 2 (D + 2)) and ba (D,)."""
        return self.net.get_parameter("0.weight").squeeze(-1), self.net.get_parameter("0.bias")

    def pooled(self, pairs: Tensor) -> Tensor:
        """Return (A, D): the pairs (A, K, D) of each anchor as one vector."""
        return pairs.amax(dim=1) if self.pooling == "max" else pairs.mean(dim=1)
