"""The dummy as a system that answers."""

from __future__ import annotations

from pathlib import Path

import torch

from deixis.systems.ferret.answering import FerretSystem
from deixis.systems.ferret.dialect import FerretDialect
from deixis.systems.ferret.point_sampling import PointSampling
from deixis.systems.spliced.network import SplicedNetwork
from deixis.systems.spliced.opening import open_member
from deixis.systems.spliced.preparation import SquarePreparation
from deixis.text.prompt_tokens import TextCodec
from tests.systems.dummy.network import DummyNetwork


class DummySystem(FerretSystem):
    """Says what a Ferret of the same weights says."""

    name = "dummy"


def dummy_system(network: SplicedNetwork, codec: TextCodec) -> DummySystem:
    """Return the system of a network and its tokenizer."""
    assert isinstance(network, DummyNetwork)
    return DummySystem(
        network,
        codec,
        SquarePreparation(network.config.side, network.tower.normalisation),
        dialect=FerretDialect(),
        sampling=PointSampling.of(network.config.sampler),
    )


def open_dummy(folder: Path, *, dtype: torch.dtype | None = torch.float32) -> DummySystem:
    """Return the system saved in ``folder``."""
    return open_member(DummyNetwork, folder, make=dummy_system, dtype=dtype)
