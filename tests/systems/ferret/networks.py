"""Networks of a few thousand random weights, one of each kind, and batches that they read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from deixis.layers.regions.point_draws import DrawnRegions
from deixis.regions.pixels import RegionPixels
from deixis.systems.ferret.config import FerretConfig
from deixis.systems.ferret.model import FerretNetwork
from deixis.systems.ferret_v2.config import FerretV2Config
from deixis.systems.ferret_v2.model import FerretV2Network
from deixis.systems.ferret_v2.tiles import NO_TILES, TiledPixels
from deixis.text.splicing import IGNORED, PICTURE_MARKER

SIDE, WORDS, REGION = 64, 60, 59
GRID_TOWER = {"kind": "efficientnet_tiny", "side": SIDE}
VIT = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "image_size": SIDE,
    "patch_size": 16,
}
CLIP_TOWER = {"kind": "clip", "intermediate_size": 32, **VIT}
DINOV2_TOWER = {"kind": "dinov2", "mlp_ratio": 2, **VIT}
SAMPLER = {"points": 32, "anchors": [8, 4], "neighbours": [4, 4], "pooling": "max"}
LLAMA = {
    "model_type": "llama",
    "vocab_size": WORDS,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 512,
    "initializer_range": 0.2,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
GEMMA = {**LLAMA, "model_type": "gemma"}


def ferret(**changes: Any) -> FerretNetwork:
    """Return a tiny Ferret."""
    torch.manual_seed(0)
    settings = {
        "language": LLAMA,
        "tower": CLIP_TOWER,
        "side": SIDE,
        "sampler": SAMPLER,
        "region_token_id": REGION,
    }
    return FerretNetwork(FerretConfig(**{**settings, **changes})).eval()


def ferret_v2(**changes: Any) -> FerretV2Network:
    """Return a tiny Ferret-v2."""
    torch.manual_seed(0)
    settings = {
        "language": LLAMA,
        "tower": CLIP_TOWER,
        "local_tower": DINOV2_TOWER,
        "global_side": SIDE,
        "crop": SIDE,
        "sampler": SAMPLER,
        "region_token_id": REGION,
    }
    return FerretV2Network(FerretV2Config(**{**settings, **changes})).eval()


def square_pixels(*, pictures: int = 2) -> Tensor:
    """Return pictures for a Ferret."""
    return torch.randn(pictures, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def tiled_pixels(*, grids: tuple[tuple[int, int], ...] = ((2, 1), (1, 1)), side: int = SIDE) -> TiledPixels:
    """Return pictures for a Ferret-v2."""
    generator = torch.Generator().manual_seed(1)
    count = sum(columns * rows for columns, rows in grids)
    return TiledPixels(
        whole=torch.randn(len(grids), 3, side, side, generator=generator),
        tiles=torch.randn(count, 3, SIDE, SIDE, generator=generator),
        grids=grids,
        sizes=tuple((max(columns, 1) * 50, max(rows, 1) * 60) for columns, rows in grids),
    )


@dataclass(frozen=True)
class Batch:
    """What ``forward`` takes."""

    input_ids: Tensor
    attention_mask: Tensor
    labels: Tensor
    pixel_values: Any
    regions: DrawnRegions | None

    def inputs(self) -> dict[str, Any]:
        """Return everything but the labels."""
        return {
            "input_ids": self.input_ids,
            "attention_mask": self.attention_mask,
            "pixel_values": self.pixel_values,
            "regions": self.regions,
        }


def drawn(*, counts: tuple[int, ...] = (2, 1)) -> DrawnRegions:
    """Return so many regions in each picture."""
    boxes = [RegionPixels.rectangle(2, 3, 30, 20, width=50, height=60)]
    boxes.append(RegionPixels.rectangle(10, 30, 20, 59, width=50, height=60))
    pictures = [[boxes[number % 2] for number in range(count)] for count in counts]
    generator = torch.Generator().manual_seed(2)
    return DrawnRegions.draw(pictures, count=32, stages=(8, 4), generator=generator)


def batch(pixels: Any, *, regions: bool = True) -> Batch:
    """Return two rows of different lengths, the first with two regions and the second with one."""
    one, two = (REGION, 5) if regions else (5, 5)
    rows = [[1, PICTURE_MARKER, 7, one, 8, one, 9, 10, 2], [1, PICTURE_MARKER, one, 11, two, 2, 0, 0, 0]]
    ids = torch.tensor(rows)
    labels = ids.masked_fill((ids <= 0) | (ids == REGION), IGNORED)
    labels[:, :3] = IGNORED
    return Batch(ids, (ids != 0).long(), labels, pixels, drawn() if regions else None)


def no_tiles() -> TiledPixels:
    """Return two pictures seen at low resolution only."""
    return tiled_pixels(grids=(NO_TILES, NO_TILES))
