"""The Ferret-v2 system, and Ferret-UI's: Ferret's dialect, another way to see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from deixis.data.grit.rendering import INCLUDE_COORDINATES, PROVIDE_BOXES
from deixis.pictures.opening import Picture
from deixis.systems.ferret.dialect import FerretDialect
from deixis.systems.ferret.point_sampling import PointSampling
from deixis.systems.ferret_v2.model import FerretV2Network
from deixis.systems.ferret_v2.tiles import TiledPicture, TiledPixels, Tiling
from deixis.systems.spliced.answering import SplicedSystem
from deixis.systems.spliced.network import SplicedNetwork
from deixis.systems.spliced.opening import open_member
from deixis.text.prompt_tokens import TextCodec

FERRET_UI_TEMPLATES = ("ferret_llama_3", "ferret_gemma_instruct")


@dataclass(frozen=True)
class TiledPreparation:
    """Pictures resized as a whole and cut into tiles of the grid that suits them best."""

    tiling: Tiling

    def view(self, picture: Picture) -> tuple[Picture, TiledPicture]:
        """Return the canvas that the tiles were cut from (or the whole, without tiles), and all pixels."""
        prepared = self.tiling.prepare(picture)
        return prepared.canvas or prepared.whole, prepared

    def stack(self, prepared: Sequence[TiledPicture]) -> TiledPixels:
        """Return prepared pictures as one batch."""
        return TiledPixels.stack(prepared)


class FerretV2System(SplicedSystem):
    """Ferret-v2 (Zhang et al., 2024) and Ferret-UI; pictures are seen whole and in tiles."""

    name = "ferret_v2"


def ferret_v2_system(network: SplicedNetwork, codec: TextCodec) -> FerretV2System:
    """Return the system of a network and its tokenizer.

    Requests for boxes end with the sentence of the Ferret-v2 paper, or with Ferret-UI's where its templates
    are used (ferret_v2.md, 10).
    """
    assert isinstance(network, FerretV2Network)
    network.tower.checked_cells(network.tiling.side)
    network.tile_tower.checked_cells(network.tiling.crop)
    published_ui = network.config.template in FERRET_UI_TEMPLATES
    return FerretV2System(
        network,
        codec,
        TiledPreparation(network.tiling),
        dialect=FerretDialect(),
        sampling=PointSampling.of(network.config.sampler),
        request=PROVIDE_BOXES if published_ui else INCLUDE_COORDINATES,
    )


def open_ferret_v2(folder: Path, *, dtype: torch.dtype | None = torch.float32) -> FerretV2System:
    """Return the system saved in ``folder``, in ``dtype``; None is the one that it is stored in."""
    return open_member(FerretV2Network, folder, make=ferret_v2_system, dtype=dtype)
