"""The server of this package as an endpoint: its report is that of the same model asked in this process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deixis
from deixis.cli import main
from deixis.systems.contract import System
from tests.client.real_server import Running, serving
from tests.toy.pack import write_toy_pack

# What a card says of who answered and by which way, which is all that may differ.
OF_THE_WAY = {"system", "weights", "region_format"}
TASKS = ["--split", "val", "--tasks", "grounding,naming_scribble", "--limit", "3"]
BENCHMARK = ["--benchmark", "flickr30k", "--limit", "3"]


@pytest.fixture(scope="module")
def system() -> System:
    """The embedded model, read once for both ways."""
    return deixis.load("pointer", device="cpu")


@pytest.fixture(scope="module")
def server(system: System) -> Iterator[Running]:
    with serving({"pointer": system}) as running:
        yield running


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_pack(tmp_path_factory.mktemp("toy"), pictures=6)


def report_of(model: str, pack: Path, path: Path, *words: str) -> dict[str, Any]:
    command = ["evaluate", "--data", str(pack), "--model", model, "--quiet", "--json", str(path)]
    assert main([*command, *words]) == 0
    content: dict[str, Any] = json.loads(path.read_text())
    return content


@pytest.mark.parametrize("words", [TASKS, BENCHMARK], ids=["tasks", "benchmark"])
def test_the_report_is_that_of_the_model_itself(
    words: list[str],
    system: System,
    server: Running,
    pack: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("deixis.systems.load", lambda *_, **__: system)
    paths = [tmp_path / "here.json", tmp_path / "there.json"]
    here = report_of("pointer", pack, paths[0], *words)
    there = report_of(f"{server.address}/v1", pack, paths[1], *words, "--workers", "2")
    pointed = 0
    cards = [report["protocol"] for report in (here, there)]
    assert {
        name for name in {**cards[0], **cards[1]} if cards[0].get(name) != cards[1].get(name)
    } <= OF_THE_WAY
    assert cards[1]["weights"] in (None, cards[0]["weights"]), "other weights answered"
    assert here.get("tasks") == there.get("tasks") and here.get("table") == there.get("table")
    for own, other in zip(here["items"], there["items"], strict=True):
        # Other questions in the batch of an answer move its places by rounding alone.
        own_places, other_places = own.pop("places"), other.pop("places")
        own.pop("read", ""), other.pop("read", "")
        assert own == other
        assert np.allclose(own_places, other_places, atol=1e-3)
        pointed += len(own_places)
    assert pointed
    capsys.readouterr()
    assert (
        main(["compare", *map(str, paths), "--despite", "region_format", "--out", str(tmp_path / "page")])
        == 0
    )
    assert f"0 of {len(here['items'])} items differ" in capsys.readouterr().out
