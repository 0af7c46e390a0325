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
from deixis.text.prompt_tokens import TextCodec


class FerretSystem(SplicedSystem):
    """Ferret (You et al., 2023)."""

    name = "ferret"


def ferret_system(network: SplicedNetwork, codec: TextCodec) -> FerretSystem:
    """Return the system of a network and its tokenizer."""
    assert isinstance(network, FerretNetwork)
    network.tower.checked_cells(network.config.side)
    return FerretSystem(
        network,
        codec,
        SquarePreparation(network.config.side, network.tower.normalisation),
        dialect=FerretDialect(),
        sampling=PointSampling.of(network.config.sampler),
    )


def open_ferret(folder: Path, *, dtype: torch.dtype | None = torch.float32) -> FerretSystem:
    """Return the system saved in ``folder``, in ``dtype``; None is the one that it is stored in."""
    return open_member(FerretNetwork, folder, make=ferret_system, dtype=dtype)
