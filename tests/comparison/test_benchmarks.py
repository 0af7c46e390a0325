"""Reports of published benchmarks side by side: their numbers come from the same tabulating."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deixis.cli import main
from deixis.comparison.paired import differences
from deixis.comparison.saved_report import read_report
from tests.evaluation.benchmarks.published.small_files import WRITERS
from tests.evaluation.endpoint.fake_endpoint import served


@pytest.mark.parametrize(
    ("name", "first", "second"), [("pope", "yes", "no"), ("mme", "yes", "no"), ("gqa", "left", "no")]
)
def test_two_models(tmp_path: Path, name: str, first: str, second: str) -> None:
    WRITERS[name](tmp_path / name)
    paths = []
    for place, said in enumerate((first, second)):
        paths.append(tmp_path / f"{place}.json")
        with served(lambda request, said=said: said) as server:  # type: ignore[misc]
            words = [
                "evaluate",
                "--benchmark",
                name,
                "--data",
                str(tmp_path / name),
                "--model",
                server.address,
            ]
            assert main([*words, "--workers", "2", "--json", str(paths[-1]), "--quiet"]) == 0
    reports = [read_report(path) for path in paths]
    for one in differences(*reports):
        values = [report.content["table"].get(one.name, {}).get("value") for report in reports]
        assert [one.first, one.second] == pytest.approx(
            [float("nan") if value is None else value for value in values], nan_ok=True
        )
    assert main(["compare", *map(str, paths), "--out", str(tmp_path / "page")]) == 0
    assert "<img" in (tmp_path / "page" / "index.html").read_text()
    content = json.loads(paths[1].read_text())
    content["protocol"]["questions"] = "0"
    paths[1].write_text(json.dumps(content))
    assert main(["compare", *map(str, paths)]) == 2
