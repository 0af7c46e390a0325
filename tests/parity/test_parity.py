"""Every golden case against our own arithmetic; ids are ``family/kind/case``, for ``-k groma`` to choose."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.parity.checks import FAMILIES
from tests.parity.planning import Planned, parametrise


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    parametrise(metafunc, families=FAMILIES, own=Path(__file__).parent / "cases")


def test_parity(planned: Planned) -> None:
    planned.run()
