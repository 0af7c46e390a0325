"""Opening a system on the command line leaves the garbage collector as it was, whatever happens."""

from __future__ import annotations

import argparse
import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from deixis.cli.messages import said
from deixis.cli.system_flags import add_system_flags, open_system
from deixis.errors import MissingWeights, UsageError
from deixis.systems.pointer.answering import PointerSystem
from tests.systems.pointer.tiny import saved_system


def flags(*given: str) -> argparse.Namespace:
    """Return what a command line with these flags says."""
    parser = argparse.ArgumentParser()
    add_system_flags(parser)
    return parser.parse_args(given)


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
    assert isinstance(open_system(flags("--model", str(tmp_path))), PointerSystem)
    assert gc.isenabled() is collecting


def test_what_was_loaded_is_not_walked_over_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    made = saved_system(tmp_path)
    monkeypatch.setattr("deixis.systems.load", lambda *_, **__: seen.append(gc.isenabled()) or made)
    gc.unfreeze()
    open_system(flags())
    assert seen == [False] and gc.get_freeze_count() > 0


def test_a_failure_leaves_the_collector_on(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights):
        open_system(flags("--model", str(tmp_path)))
    assert gc.isenabled()


def test_where_it_computes_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved_system(tmp_path)
    given = flags("--model", str(tmp_path), "--device", "cpu", "--dtype", "bfloat16")
    with said(given):
        system = open_system(given)
    assert (system.device, system.dtype) == (torch.device("cpu"), torch.bfloat16)
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("deixis: pointer on cpu in bfloat16\n") == 1


def test_a_device_that_is_missing_is_an_error(tmp_path: Path) -> None:
    saved_system(tmp_path)
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="the device cuda is not on this machine; there is: "):
            open_system(flags("--model", str(tmp_path), "--device", "cuda"))
    with pytest.raises(UsageError, match="no device is called 'gpu'"):
        open_system(flags("--device", "gpu"))
    with pytest.raises(UsageError, match="dtype is 'int8'; expected one of"):
        open_system(flags("--device", "cpu", "--dtype", "int8"))
