"""Ferret's spatial-aware visual sampler: a region of any shape as one vector (arXiv 2310.07704, section 3).

Points drawn in the region are read from the picture's feature map; in each stage the farthest points stay and
each pools its nearest neighbours; what is left is flattened and projected. Weight names are the original's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self, cast

import torch
from torch import Tensor, nn

from deixis.errors import BadRegion, UsageError
from deixis.layers.regions.map_reading import MapReading, cells_of, read_points
from deixis.layers.regions.neighbour_pooling import Factor, NeighbourPooling, PairFactors, factorised
from deixis.layers.regions.point_draws import DrawnRegions
from deixis.layers.regions.point_sets import PointSet, choose_point_sets, rows_of
from deixis.layers.regions.sampler_size import PointOrder, SamplerSize

REGIONS_AT_ONCE = {"cpu": 4}  # what fits a processor's cache; memory is bounded on other devices too
REGIONS_ELSEWHERE = 32


class VisualSampler(nn.Module):
    """Turn regions of pictures into vectors of ``out_width``.

    point_order: "xy" reads a point at column x and row y, with all coordinates in float32. "transposed" reads
    it at column y and row x, with everything rounded to the precision of maps and weights: the weights
    published for Ferret and Ferret-UI were trained so.
    """

    def __init__(
        self,
        *,
        width: int,
        out_width: int,
        size: SamplerSize | None = None,
        point_order: PointOrder = "xy",
    ) -> None:
        super().__init__()
        if point_order not in ("xy", "transposed"):
            raise UsageError(f"point_order is {point_order!r}; expected 'xy' or 'transposed'")
        self.width, self.out_width, self.point_order = width, out_width, point_order
        self.size = size = size or SamplerSize()
        self.diff_projector_list = nn.ModuleList(nn.Linear(width + 2, width + 2) for _ in size.anchors)
        self.agg_projector_list = nn.ModuleList(
            NeighbourPooling(width=width, pooling=size.pooling) for _ in size.anchors
        )
        self.flatten_projector = nn.Linear(size.anchors[-1] * width, width)
        self.dim_projector = nn.Linear(width, out_width)
        self.kept: tuple[tuple[Any, ...], list[PairFactors]] | None = None

    def forward(
        self, maps: Sequence[Tensor], drawn: DrawnRegions, *, chosen: Sequence[PointSet] | None = None
    ) -> Tensor:
        """Return (R, out_width), one row for each drawn region, in the weights' (or autocast's) precision.

        maps: one (width, H, W) a picture, of any sizes; a picture may have no regions. No regions at all give
        no rows, which still depend on maps and weights with gradients of 0. chosen: the points of every
        stage, instead of those that ``choose`` gives. Raises BadRegion where maps and regions don't belong
        together.
        """
        self.check(maps, drawn)
        chosen = self.choose(drawn) if chosen is None else chosen
        device, precision = maps[0].device, self.working_dtype()
        chosen = [PointSet(each.anchors.to(device), each.neighbours.to(device)) for each in chosen]
        points = self.placed(drawn).to(device)
        if self.point_order == "transposed" and precision.itemsize < torch.float32.itemsize:
            features = self.rounded_features(self.point_features(maps, drawn).to(precision), points, chosen)
        else:
            with torch.autocast(device.type, enabled=False):
                features = self.exact_features(maps, self.reading(maps, drawn), points.float(), chosen)
        features = features.flatten(1).to(self.flatten_projector.weight.dtype)  # (R, A D)
        return self.dim_projector(self.flatten_projector(features))

    def choose(self, drawn: DrawnRegions) -> list[PointSet]:
        """Return which points stay and which are pooled, stage by stage."""
        points = self.placed(drawn)
        return choose_point_sets(
            points, drawn.starts, anchors=self.size.anchors, neighbours=self.size.neighbours
        )

    def point_features(self, maps: Sequence[Tensor], drawn: DrawnRegions) -> Tensor:
        """Return (R, P, width) float32: the maps read at the drawn points."""
        return self.reading(maps, drawn).to(maps[0].device).of(cells_of(maps).float())

    def exact_features(
        self, maps: Sequence[Tensor], reading: MapReading, points: Tensor, chosen: Sequence[PointSet]
    ) -> Tensor:
        """Return (R, A, width) float32: the features of the last stage's anchors, all in float32.

        reading: on the CPU, of the cells of all maps. points: (R, P, 2).
        """
        used, reading = reading.narrowed()
        cells = cells_of(maps).index_select(0, used.to(points.device)).float()  # (cells, D)
        reading = reading.to(points.device)
        first, *others = zip(self.factors(), self.agg_projector_list, chosen, strict=True)
        factors, pool, sets = first
        read_neighbours = first_projection(cells, factors.neighbour, reads=points.shape[:2].numel())
        read_anchors = first_projection(cells, factors.anchor, reads=sets.anchors.numel())
        finished = []
        for some in regions_at_once(points):
            place, kept, read = points[some], sets.anchors[some], reading.of_regions(some)
            of_points = read_neighbours(read, place)  # (R, P, D)
            place = rows_of(place, kept)
            of_anchors = read_anchors(read.at(kept), place) + factors.constant  # (R, A, D)
            features = pool(of_points, of_anchors, sets.neighbours[some])
            for its_factors, its_pool, its_sets in others:
                of_points = its_factors.neighbour(features, place)
                kept = its_sets.anchors[some]
                features, place = rows_of(features, kept), rows_of(place, kept)
                of_anchors = its_factors.anchor(features, place) + its_factors.constant
                features = its_pool(of_points, of_anchors, its_sets.neighbours[some])
            finished.append(features)
        return torch.cat(finished)  # (R, A, D)

    def rounded_features(self, features: Tensor, points: Tensor, chosen: Sequence[PointSet]) -> Tensor:
        """Return what ``exact_features`` does, rounded after each step as published, in the precision given.

        features: (R, P, width) at the points (R, P, 2).
        """
        finished = []
        for some in regions_at_once(points):
            read, place = features[some], points[some]
            for (difference, pool), sets in zip(self.stages(), chosen, strict=True):
                kept = sets.anchors[some]
                z = torch.cat([read, place], dim=-1)  # (R, N, D + 2)
                read = pool.pair_by_pair(difference, z, kept, sets.neighbours[some])
                place = rows_of(place, kept)
            finished.append(read)
        return torch.cat(finished)  # (R, A, D)

    def reading(self, maps: Sequence[Tensor], drawn: DrawnRegions) -> MapReading:
        """Return where the maps' cells are read, on the CPU."""
        points = drawn.points.cpu()
        if self.point_order == "transposed":
            points = points.flip(-1).to(maps[0].dtype)
        sizes = [(one.shape[1], one.shape[2]) for one in maps]
        return read_points(points.float(), drawn.pictures.cpu(), sizes=sizes)

    def placed(self, drawn: DrawnRegions) -> Tensor:
        """Return the points (R, P, 2), on the CPU, in the precision in which distances are taken."""
        points = drawn.points.cpu().float()
        return points.to(self.working_dtype()) if self.point_order == "transposed" else points

    def working_dtype(self) -> torch.dtype:
        """Return the precision of the weights, or that of an autocast around the call."""
        weight = self.dim_projector.weight
        if torch.is_autocast_enabled(weight.device.type):
            return torch.get_autocast_dtype(weight.device.type)
        return weight.dtype

    def factors(self) -> list[PairFactors]:
        """Return the factors of every stage; outside of training they are kept until the weights change."""
        stages = self.stages()
        weights = [
            weight
            for linear, pooling in stages
            for weight in (*linear.parameters(), *pooling.net.parameters())
        ]
        if self.training or torch.is_grad_enabled() or any(weight.is_inference() for weight in weights):
            return [factorised(*stage) for stage in stages]
        # A change in place raises the version, a replaced tensor lies elsewhere.
        key = tuple((weight.data_ptr(), weight._version, weight.device, weight.dtype) for weight in weights)
        kept = self.kept  # read once: another thread may replace it meanwhile
        if kept is None or kept[0] != key:
            kept = self.kept = key, [factorised(*stage).packed() for stage in stages]
        return kept[1]

    def stages(self) -> list[tuple[nn.Linear, NeighbourPooling]]:
        """Return Wd, and what pools with Wa, of every stage."""
        pairs = zip(self.diff_projector_list, self.agg_projector_list, strict=True)
        return [(cast(nn.Linear, one), cast(NeighbourPooling, other)) for one, other in pairs]

    def train(self, mode: bool = True) -> Self:
        """Set the mode, as of every module, and forget factors of earlier weights."""
        self.kept = None
        return super().train(mode)

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "kept": None}

    def _apply(self, *arguments: Any, **named: Any) -> Self:
        self.kept = None
        return super()._apply(*arguments, **named)

    def check(self, maps: Sequence[Tensor], drawn: DrawnRegions) -> None:
        """Raise BadRegion where maps and regions don't belong together."""
        shapes = [tuple(one.shape) for one in maps]
        if not maps or any(len(shape) != 3 or shape[0] != self.width for shape in shapes):
            raise BadRegion(
                f"maps have shapes {shapes}; expected one of ({self.width}, H, W) for each picture"
            )
        if len(drawn) and not 0 <= int(drawn.pictures.min()) <= int(drawn.pictures.max()) < len(maps):
            raise BadRegion(
                f"regions are in the pictures {sorted(set(drawn.pictures.tolist()))}, counted from 0, but "
                f"there are {len(maps)} maps; give a map for every picture, also for one without regions"
            )
        points, stages = drawn.points.shape[1], len(drawn.starts)
        if points != self.size.points or stages != len(self.size.anchors):
            raise BadRegion(
                f"regions were drawn with {points} points and {stages} stages, the sampler has others: "
                f"draw with count={self.size.points}, stages={self.size.anchors}"
            )


def regions_at_once(points: Tensor) -> tuple[Tensor, ...]:
    """Return the numbers of the regions of points (R, P, 2), in groups that are handled together."""
    at_once = REGIONS_AT_ONCE.get(points.device.type, REGIONS_ELSEWHERE)
    return torch.arange(len(points), device=points.device).split(at_once)


def first_projection(cells: Tensor, factor: Factor, *, reads: int) -> Callable[[MapReading, Tensor], Tensor]:
    """Return the function of a reading and its points (R, P, 2) that reads and projects: (R, P, D).

    Both steps are linear, so their order is free: cells (cells, D) are projected once for all regions if
    there are fewer of them than points to be read, otherwise what was read is.
    """
    if len(cells) > reads:
        return lambda reading, points: factor(reading.of(cells), points)
    rows = torch.cat([factor.feature_part(cells), factor.of_place.t()])  # (cells + 2, D)
    return lambda reading, points: reading.with_coordinates(points, rows=len(cells)).of(rows)
