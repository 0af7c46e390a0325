"""The Ferret system: the family with square pictures, regions of any shape and coordinates as text."""

from __future__ import annotations

from pathlib import Path

import torch

from deixis.systems.ferret.dialect import FerretDialect
from deixis.systems.ferret.model import FerretNetwork
from deixis.systems.ferret.point_sampling import PointSampling
from deixis.systems.spliced.answering import SplicedSystem
from deixis.systems.spliced.network import SplicedNetwork
from deixis.systems.spliced.opening import open_member
from deixis.systems.spliced.preparation import SquarePreparation
from deixis.systems.spliced.regions import NoSampling, RegionSampling
from deixis.text.prompt_tokens import TextCodec


class FerretSystem(SplicedSystem):
    """Ferret (You et al., 2023); without any region encoder, regions are coordinates in the text alone."""

    name = "ferret"


def ferret_system(network: SplicedNetwork, codec: TextCodec) -> FerretSystem:
    """Return the system of a network and its tokenizer."""
    assert isinstance(network, FerretNetwork)
    config = network.config
    network.tower.checked_cells(config.side)
    vectors = config.sampler is not None or config.region_adapter
    sampling: RegionSampling = PointSampling.of(config.sampler) if vectors else NoSampling()
    system = FerretSystem(
        network,
        codec,
        SquarePreparation(config.side, network.tower.normalisation),
        dialect=FerretDialect(region_tokens=vectors, spells_boxes=config.boxes != "none"),
        sampling=sampling,
    )
    if not vectors:
        system.region_token = None  # a tokenizer may have one; no prompt of this system does
    return system


def open_ferret(folder: Path, *, dtype: torch.dtype | None = torch.float32) -> FerretSystem:
    """Return the system saved in ``folder``, in ``dtype``; None is the one that it is stored in."""
    return open_member(FerretNetwork, folder, make=ferret_system, dtype=dtype)
