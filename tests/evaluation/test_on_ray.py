"""Tasks and benchmarks over two workers of Ray on this machine: the reports of one process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from deixis.cli import main
from tests.evaluation.benchmarks.published.small_region_files import REGION_WRITERS
from tests.toy.pack import write_toy_pack


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """Ray on this machine, for all tests of this file."""
    ray = pytest.importorskip("ray", reason="Ray isn't installed: pip install 'deixis[ray]'")
    pytest.importorskip("ray.data", reason="Ray Data isn't installed: pip install 'deixis[ray]'")
    yield
    ray.shutdown()


def require_same(words: list[str], folder: Path, *, asked: str) -> None:
    """Run the same by Ray, by Ray once more and without it: nothing but how it ran differs."""
    kept = ["--answers", str(folder / "a")]
    for name, more in (("2", ["--ray", "2", *kept]), ("3", ["--ray", "2", *kept]), ("1", [])):
        assert main([*words, *more, "--json", str(folder / name)]) == 0
    reports = [json.loads((folder / name).read_text()) for name in ("1", "2", "3")]
    runs = [report.pop("run") for report in reports]
    texts = [json.dumps(report) for report in reports]
    assert texts[0] == texts[1] == texts[2]
    if asked:
        assert runs[1][asked] > 0 == runs[2][asked]


@pytest.mark.slow
def test_the_report_is_the_same(tmp_path: Path, cluster: None) -> None:
    pack = write_toy_pack(tmp_path / "toy", pictures=12)
    words = ["evaluate", "--data", str(pack), "--split", "val", "--tasks", "grounding,naming,presence"]
    require_same([*words, "--quiet"], tmp_path, asked="asked_now")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vcr", "ferret_bench"])
def test_a_benchmark_is_the_same(tmp_path: Path, cluster: None, name: str) -> None:
    REGION_WRITERS[name](tmp_path / "data")
    words = ["evaluate", "--benchmark", name, "--data", str(tmp_path / "data"), "--quiet"]
    require_same([*words, "--max-new-tokens", "8"], tmp_path, asked="")


def test_endpoints_have_workers_of_their_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", "--data", str(tmp_path), "--split", "val", "--ray", "2"]
    assert main([*words, "--model", "http://127.0.0.1:9/v1"]) == 2
    assert "isn't available for endpoints, which take --workers" in capsys.readouterr().err
    assert main(["evaluate", "--benchmark", "pope", "--data", str(tmp_path), "--ray", "0"]) == 2
    assert "--ray 0 is for a system of this package, with 1 to" in capsys.readouterr().err
