"""Tasks over two workers of Ray on this machine: the report is that of one process, bit for bit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deixis.cli import main
from tests.toy.pack import write_toy_pack


@pytest.mark.slow
def test_the_report_is_the_same(tmp_path: Path) -> None:
    ray = pytest.importorskip("ray", reason="Ray isn't installed: pip install 'deixis[ray]'")
    pytest.importorskip("ray.data", reason="Ray Data isn't installed: pip install 'deixis[ray]'")
    pack = write_toy_pack(tmp_path / "toy", pictures=12)
    words = [
        "evaluate",
        "--data",
        str(pack),
        "--split",
        "val",
        "--tasks",
        "grounding,naming,presence",
        "--quiet",
    ]
    try:
        assert (
            main([*words, "--ray", "2", "--answers", str(tmp_path / "a"), "--json", str(tmp_path / "2")]) == 0
        )
        assert (
            main([*words, "--ray", "2", "--answers", str(tmp_path / "a"), "--json", str(tmp_path / "3")]) == 0
        )
    finally:
        ray.shutdown()
    assert main([*words, "--json", str(tmp_path / "1")]) == 0
    reports = [json.loads((tmp_path / name).read_text()) for name in ("1", "2", "3")]
    runs = [report.pop("run") for report in reports]
    texts = [json.dumps(report) for report in reports]
    assert texts[0] == texts[1] == texts[2]
    assert runs[1]["asked_now"] > 0 == runs[2]["asked_now"]


def test_endpoints_have_workers_of_their_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", "--data", str(tmp_path), "--split", "val", "--ray", "2"]
    assert main([*words, "--model", "http://127.0.0.1:9/v1"]) == 2
    assert "endpoints take --workers" in capsys.readouterr().err
