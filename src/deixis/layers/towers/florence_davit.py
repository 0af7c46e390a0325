"""DaViT (Ding et al., 2022) as Florence-2 has it (Xiao et al., 2023), as a tower of features.

The network is the library's; the output of its last block is not normalised.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.nn import functional
from transformers import Florence2VisionConfig
from transformers.models.florence2.modeling_florence2 import Florence2VisionBackbone

from deixis.errors import UsageError
from deixis.layers.towers.dinov2 import IMAGENET_PIXELS
from deixis.layers.towers.feature_tower import FeatureTower

# Florence-2-large, what Florence-VL was trained with.
LARGE_768: dict[str, Any] = {
    "embed_dim": [256, 512, 1024, 2048],
    "num_heads": [8, 16, 32, 64],
    "num_groups": [8, 16, 32, 64],
    "depths": [1, 1, 9, 1],
    "window_size": 12,
    "patch_size": [7, 3, 3, 3],
    "patch_stride": [4, 2, 2, 2],
    "patch_padding": [3, 1, 1, 1],
    "drop_path_rate": 0.1,
    "mlp_ratio": 4.0,
    "qkv_bias": True,
    "activation_function": "gelu",
    "side": 768,
}
LAST = -1


class DavitTower(FeatureTower):
    """The map after the last stage, and those after earlier ones brought to its size.

    settings: fields where they differ from Florence-2-large's at 768 pixels. stages: whose maps are read, -1
    is the last one; a larger map is averaged over the cells of the last one's.
    """

    vision: Florence2VisionBackbone

    def __init__(self, settings: Mapping[str, Any], *, stages: Sequence[int] = (LAST,)) -> None:
        super().__init__()
        fields = {**LARGE_768, **settings}
        self.side = int(fields.pop("side"))
        lengths = {name: len(value) for name, value in fields.items() if isinstance(value, list | tuple)}
        if len(set(lengths.values())) != 1:
            raise UsageError(f"a DaViT's lists are of lengths {lengths}; expected one entry for each stage")
        count = lengths["embed_dim"]
        config = Florence2VisionConfig(**fields, patch_prenorm=[stage > 0 for stage in range(count)])
        self.vision = Florence2VisionBackbone(config)
        self.stages = tuple(stage_number(one, count=count) for one in stages)
        self.widths = tuple(int(fields["embed_dim"][stage]) for stage in self.stages)
        self.width, self.normalisation = sum(self.widths), IMAGENET_PIXELS
        self.windows = tuple(
            zip(fields["patch_size"], fields["patch_stride"], fields["patch_padding"], strict=True)
        )

    def cells(self, side: int) -> int:
        """Return how many cells a row of the last map has; less than one for a picture that is too small."""
        for kernel, stride, padding in self.windows:
            side = (side + 2 * padding - kernel) // stride + 1
        return side

    def states(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """Turn normalised pixels (B, 3, S, S) into one state (B, n * n, C) for each stage that is read."""
        dtype, last = pixels.dtype, None
        kept: dict[int, Tensor] = {}
        for stage, last in enumerate(self.maps(pixels)):
            if stage in self.stages:
                kept[stage] = last
        assert last is not None
        rows, columns = last.shape[-2:]
        fitted = [functional.adaptive_avg_pool2d(kept[stage], (rows, columns)) for stage in self.stages]
        return tuple(one.flatten(2).transpose(1, 2).to(dtype) for one in fitted)

    def maps(self, pixels: Tensor) -> Iterator[Tensor]:
        """Yield the map (B, C, h, w) after each stage."""
        convolutions: Any = self.vision.convs
        stages: Any = self.vision.blocks
        hidden = pixels.to(convolutions[0].conv.weight.dtype)
        for embedding, blocks in zip(convolutions, stages, strict=True):
            hidden = embedding(hidden)
            for block in blocks:
                hidden = block(hidden)
            yield hidden


def stage_number(stage: int, *, count: int) -> int:
    """Return a stage counted from the first; UsageError for one that a tower of ``count`` stages lacks.

    >>> stage_number(-1, count=4)
    3
    """
    if not -count <= stage < count:
        raise UsageError(
            f"stage {stage} was asked for; a DaViT of {count} stages has {-count} to {count - 1}"
        )
    return stage % count
