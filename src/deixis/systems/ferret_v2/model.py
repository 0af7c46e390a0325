"""The Ferret-v2 network (Zhang et al., 2024), and Ferret-UI's (You et al., 2024) with other settings.

The whole picture at low resolution goes through one tower, a grid of tiles through another (or the same).
Both become tokens, and their maps, added cell by cell, are what regions are sampled from.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from deixis.errors import UsageError
from deixis.layers.picture_features import PictureFeatures
from deixis.layers.projectors import build_projector
from deixis.layers.regions.point_draws import DrawnRegions
from deixis.layers.regions.sampler_building import build_adapter, build_sampler
from deixis.layers.towers.building import build_feature_tower
from deixis.layers.towers.feature_tower import FeatureTower
from deixis.systems.ferret_v2.config import FerretV2Config
from deixis.systems.ferret_v2.grids import Grid, grids_within, merge_tiles, unpadded
from deixis.systems.ferret_v2.tiles import NO_TILES, TiledPixels, Tiling
from deixis.systems.spliced.network import SplicedNetwork


class FerretV2Network(SplicedNetwork):
    """The whole network; ``forward`` and ``generate`` are the base's.

    pixels: a ``TiledPixels``, one picture for each row of text, prepared by ``tiling``.
    """

    config: FerretV2Config
    config_class = FerretV2Config

    def __init__(self, config: FerretV2Config) -> None:
        super().__init__(config)
        self.tower = build_feature_tower(config.tower, select_layer=config.select_layer)
        self.local_tower: FeatureTower | None = None
        if config.local_tower is not None:
            layer = config.select_layer if config.local_select_layer is None else config.local_select_layer
            self.local_tower = build_feature_tower(config.local_tower, select_layer=layer)
        width, local_width, out_width = self.tower.width, self.tile_tower.width, config.hidden_size
        if width != local_width and (
            not config.separate_projectors or config.region_feature_source == "encoder"
        ):
            raise UsageError(
                f"the vision encoders are {width} and {local_width} wide; they can share neither a projector "
                "nor a region map of encoder features: set separate_projectors=True and "
                "region_feature_source='projected'"
            )
        self.projector = build_projector(config.projector, inputs=width, outputs=out_width)
        self.local_projector: nn.Module | None = None
        if config.separate_projectors:
            self.local_projector = build_projector(config.projector, inputs=local_width, outputs=out_width)
        self.newline: nn.Parameter | None = None
        if config.merge == "spatial_unpad":
            self.newline = nn.Parameter(torch.randn(out_width) * out_width**-0.5)
        sampled = out_width if config.region_feature_source == "projected" else width
        order = config.point_order
        self.sampler = build_sampler(config.sampler, width=sampled, out_width=out_width, point_order=order)
        self.region_adapter = build_adapter(
            config.region_adapter and config.sampler is None,
            width=sampled,
            out_width=out_width,
            point_order=order,
        )
        self.post_init()
        self.set_generation()

    @property
    def tile_tower(self) -> FeatureTower:
        """The tower that tiles go through."""
        return self.tower if self.local_tower is None else self.local_tower

    @property
    def longest(self) -> int | None:
        """The length that rows are cut to after their pictures have been put in."""
        return self.config.max_tokens

    def least_tokens(self) -> int:
        """Return how many tokens a picture becomes at least that fills the smallest canvas."""
        assert self.config.global_side is not None
        whole = self.tower.cells(self.config.global_side) ** 2
        if not self.tiling.grids:
            return whole
        tiles = min(columns * rows for columns, rows in self.tiling.grids)
        return whole + tiles * self.tile_tower.cells(self.config.crop) ** 2

    @property
    def tiling(self) -> Tiling:
        """How pictures are prepared for this network."""
        config = self.config
        assert config.global_side is not None
        grids: tuple[Grid, ...] = ()
        if config.resolution == "any_res":
            grids = grids_within(
                [(columns, rows) for columns, rows in config.grids],
                tokens=config.max_image_tokens,
                whole=self.tower.cells(config.global_side) ** 2,
                tile=self.tile_tower.cells(config.crop) ** 2,
            )
        return Tiling(
            grids=grids,
            crop=config.crop,
            side=config.global_side,
            whole=self.tower.normalisation,
            tile=self.tile_tower.normalisation,
        )

    def encode_pictures(self, pixels: TiledPixels) -> PictureFeatures:
        """Encode prepared pictures, each to its tokens and the map that its regions are sampled from."""
        whole, tiles = self.features(pixels)  # (B, n * n, C) and (K, m * m, C')
        project_tiles = self.projector if self.local_projector is None else self.local_projector
        whole_seen = self.projector(whole.to(self.dtype))  # (B, n * n, D)
        tiles_seen = project_tiles(tiles.to(self.dtype)) if len(tiles) else whole_seen[:0]  # (K, m * m, D)
        counts = [columns * rows for columns, rows in pixels.grids]
        tokens, maps = [], []
        for index, (seen, raw) in enumerate(zip(tiles_seen.split(counts), tiles.split(counts), strict=True)):
            grid = pixels.grids[index]
            tokens.append(self.tokens(whole_seen[index], seen, grid=grid, size=pixels.sizes[index]))
            if self.config.region_feature_source == "projected":
                maps.append(self.region_map(whole_seen[index], seen, grid=grid))
            else:
                maps.append(self.region_map(whole[index], raw, grid=grid))
        return PictureFeatures(tokens=tuple(tokens), maps=tuple(maps))

    def features(self, pixels: TiledPixels) -> tuple[Tensor, Tensor]:
        """Return the towers' features of whole pictures (B, n * n, C) and of all tiles (K, m * m, C')."""
        if not len(pixels.tiles):
            whole = self.tower(pixels.whole)
            return whole, whole[:0]
        if self.local_tower is None and pixels.whole.shape[-1] == pixels.tiles.shape[-1]:
            both = self.tower(torch.cat([pixels.whole, pixels.tiles]))
            return both[: len(pixels.whole)], both[len(pixels.whole) :]
        return self.tower(pixels.whole), self.tile_tower(pixels.tiles)

    def tokens(self, whole: Tensor, tiles: Tensor, *, grid: Grid, size: tuple[int, int]) -> Tensor:
        """Return what the decoder reads (N, D): the whole (n * n, D), then the tiles (k, m * m, D)."""
        ends_lines = self.newline is not None and self.config.resolution == "any_res"
        if grid == NO_TILES:
            return torch.cat([whole, self.line_end(whole)]) if ends_lines else whole
        if self.config.merge == "flat":
            return torch.cat([whole, tiles.flatten(0, 1)])
        merged = merge_tiles(tiles, grid)  # (H, W, D)
        if self.newline is not None:
            rows, columns = unpadded(merged.shape[0], merged.shape[1], picture=size)
            merged = merged[rows, columns]
            ends = self.line_end(merged).expand(merged.shape[0], 1, -1)
            merged = torch.cat([merged, ends], dim=1)  # (H, W + 1, D)
        return torch.cat([whole, merged.flatten(0, 1)])

    def line_end(self, like: Tensor) -> Tensor:
        """Return the newline (1, D) in the dtype of the tokens around it."""
        assert self.newline is not None
        return self.newline.to(like.dtype)[None]

    def region_map(self, whole: Tensor, tiles: Tensor, *, grid: Grid) -> Tensor:
        """Return the map (C, H, W) that regions are sampled from: the tiles' plus the enlarged whole."""
        side = round(whole.shape[0] ** 0.5)
        own = whole.T.unflatten(1, (side, side))  # (C, n, n)
        if grid == NO_TILES or self.config.region_map == "global":
            return own
        merged = merge_tiles(tiles, grid).movedim(-1, 0)  # (C, H, W)
        mode = self.config.global_upsample
        with torch.autocast(whole.device.type, enabled=False):
            enlarged = functional.interpolate(
                own[None].float(),
                merged.shape[-2:],
                mode=mode,
                align_corners=None if mode == "nearest" else False,
            )[0]
        return enlarged.to(merged.dtype) + merged

    def unused_modules(self, pixels: Any, regions: DrawnRegions | None) -> Iterable[nn.Module | None]:
        """Return the encoders that a batch with these inputs doesn't use."""
        if pixels is None:
            yield from (self.tower, self.projector)
        if pixels is None or not len(pixels.tiles):
            yield from (self.local_tower, self.local_projector)
        if pixels is None and self.newline is not None:
            yield nn.ParameterList([self.newline])
        if regions is None or not len(regions):
            yield from (self.sampler, self.region_adapter)
