"""The ViP-LLaVA network (Cai et al., 2024): several levels of CLIP, side by side, between the words.

Nothing in it knows of regions: they are painted on the picture before it comes here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn

from deixis.layers.picture_features import PictureFeatures
from deixis.layers.projectors import build_projector
from deixis.layers.regions.point_draws import DrawnRegions
from deixis.layers.towers.building import build_feature_tower
from deixis.systems.spliced.network import SplicedNetwork
from deixis.systems.vip_llava.config import VipLlavaConfig

LAST_BUT_ONE = -2  # what a tower without levels is asked for; it has one state only


class VipLlavaNetwork(SplicedNetwork):
    """The whole network; ``forward`` and ``generate`` are the base's.

    pixels: square pictures, normalised (B, 3, S, S).
    """

    config: VipLlavaConfig
    config_class = VipLlavaConfig

    def __init__(self, config: VipLlavaConfig) -> None:
        super().__init__(config)
        levels = LAST_BUT_ONE if config.select_layers is None else config.select_layers
        self.tower = build_feature_tower(config.tower, select_layer=levels)
        self.feature_norm = nn.LayerNorm(self.tower.width) if config.feature_norm else None
        self.projector = build_projector(
            config.projector, inputs=self.tower.width, outputs=config.hidden_size
        )
        self.post_init()
        self.set_generation()

    @property
    def longest(self) -> int | None:
        """The length that rows are cut to after their pictures have been put in."""
        return self.config.max_tokens

    def least_tokens(self) -> int:
        """Return how many tokens a picture becomes."""
        return self.tower.cells(self.config.side) ** 2

    def encode_pictures(self, pixels: Tensor) -> PictureFeatures:
        """Encode square pictures (B, 3, S, S), normalised, each to n * n tokens; there are no region maps."""
        features = self.tower(pixels).to(self.dtype)  # (B, n * n, C * levels)
        if self.feature_norm is not None:
            features = self.feature_norm(features)
        tokens = self.projector(features)  # (B, n * n, D)
        return PictureFeatures(tokens=tuple(tokens), maps=tuple(token[:0] for token in tokens))

    def unused_modules(self, pixels: Any, regions: DrawnRegions | None) -> Iterable[nn.Module | None]:
        """Return the encoders that a batch with these inputs doesn't use."""
        if pixels is None:
            yield from (self.tower, self.feature_norm, self.projector)
