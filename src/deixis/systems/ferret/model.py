"""The Ferret network (You et al., 2023): CLIP's vectors between words, a sampler for regions of any shape.

One square picture becomes one vector a patch, through one linear map. A region's vector is sampled from the
tower's own features, before that map.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn

from deixis.layers.picture_features import PictureFeatures
from deixis.layers.projectors import build_projector
from deixis.layers.regions.point_draws import DrawnRegions
from deixis.layers.regions.sampler_building import build_adapter, build_sampler
from deixis.layers.towers.building import build_feature_tower
from deixis.systems.ferret.config import FerretConfig
from deixis.systems.spliced.network import SplicedNetwork


class FerretNetwork(SplicedNetwork):
    """The whole network; ``forward`` and ``generate`` are the base's.

    pixels: one square picture for each row of text, normalised (B, 3, S, S).
    """

    config: FerretConfig
    config_class = FerretConfig

    def __init__(self, config: FerretConfig) -> None:
        super().__init__(config)
        self.tower = build_feature_tower(config.tower, select_layer=config.select_layer)
        width, out_width = self.tower.width, config.hidden_size
        self.projector = build_projector(config.projector, inputs=width, outputs=out_width)
        self.sampler = build_sampler(
            config.sampler, width=width, out_width=out_width, point_order=config.point_order
        )
        self.region_adapter = build_adapter(
            config.region_adapter and config.sampler is None,
            width=width,
            out_width=out_width,
            point_order=config.point_order,
        )
        self.post_init()
        self.set_generation()

    def least_tokens(self) -> int:
        """Return how many tokens any picture becomes."""
        return int(self.tower.cells(self.config.side) ** 2)

    def encode_pictures(self, pixels: Tensor) -> PictureFeatures:
        """Encode square pictures (B, 3, S, S), normalised, each to n * n tokens and a map of n x n."""
        features = self.tower(pixels)  # (B, n * n, C)
        tokens = self.projector(features.to(self.dtype))  # (B, n * n, D)
        cells = self.tower.cells(pixels.shape[-1])
        maps = features.transpose(1, 2).unflatten(2, (cells, cells))  # (B, C, n, n)
        return PictureFeatures(tokens=tuple(tokens), maps=tuple(maps))

    def unused_modules(self, pixels: Any, regions: DrawnRegions | None) -> Iterable[nn.Module | None]:
        """Return the encoders that a batch with these inputs doesn't use."""
        if pixels is None:
            yield from (self.tower, self.projector)
        if regions is None or not len(regions):
            yield from (self.sampler, self.region_adapter)
