"""The dummy's network: Ferret's, saved under another name."""

from __future__ import annotations

from deixis.systems.ferret.config import FerretConfig
from deixis.systems.ferret.model import FerretNetwork


class DummyConfig(FerretConfig):
    """Ferret's fields."""

    model_type = "deixis_dummy"

    # A class without one would get a constructor of the library's, which sets none of our fields.
    __init__ = FerretConfig.__init__


class DummyNetwork(FerretNetwork):
    """Ferret's parts."""

    config: DummyConfig
    config_class = DummyConfig
