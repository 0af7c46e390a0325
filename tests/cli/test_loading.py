"""Opening a system on the command line leaves the garbage collector as it was, whatever happens."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from deixis.cli.loading import open_system
from deixis.errors import MissingWeights
from deixis.systems.pointer.answering import PointerSystem
from tests.systems.pointer.tiny import saved_system


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """Give the collector back what was taken from it, and turn it on."""
    yield
    gc.unfreeze()
    gc.enable()


@pytest.mark.parametrize("collecting", [True, False])
def test_a_system_is_opened_and_the_collector_is_as_it_was(tmp_path: Path, collecting: bool) -> None:
    saved_system(tmp_path)
    (gc.enable if collecting else gc.disable)()
    assert isinstance(open_system(str(tmp_path)), PointerSystem)
    assert gc.isenabled() is collecting


def test_what_was_loaded_is_not_walked_over_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    monkeypatch.setattr("deixis.systems.load", lambda name: seen.append(gc.isenabled()))
    gc.unfreeze()
    open_system(None)
    assert seen == [False] and gc.get_freeze_count() > 0


def test_a_failure_leaves_the_collector_on(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights):
        open_system(str(tmp_path))
    assert gc.isenabled()
