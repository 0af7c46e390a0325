"""Every registered system opens with all of its buffers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deixis.systems import SYSTEMS, load
from tests.contract.subjects import SUBJECTS
from tests.systems.buffers import as_made, empty_memory_of_nan


@pytest.mark.parametrize("name", SYSTEMS)
def test_all_buffers_of_a_system(name: str, tmp_path: Path) -> None:
    SUBJECTS[name]().make(tmp_path)
    with empty_memory_of_nan():
        system: Any = load(tmp_path)
    assert as_made(system.pretrained, tmp_path) >= 2  # the decoder's rotary frequencies at least
