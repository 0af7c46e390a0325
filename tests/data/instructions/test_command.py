"""``deixis data rows``: counts by reason, as a table and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deixis.cli import main

GOOD = {"id": "1", "image": "a.jpg"} | {
    "conversations": [
        {"from": "human", "value": "<image>\nWhat?"},
        {"from": "gpt", "value": "A brown dog runs over the sand."},
    ]
}
SHORT = {**GOOD, "conversations": [GOOD["conversations"][0], {"from": "gpt", "value": "A dog."}]}


def test_counts_are_printed_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "rows.json", tmp_path / "counts.json"
    path.write_text(json.dumps([GOOD, SHORT]))
    assert main(["data", "rows", str(path), "--quiet"]) == 0
    assert "| kept | 2 | 100.0 % |" in capsys.readouterr().out
    assert main(["data", "rows", str(path), "--filter", "--json", str(out), "--quiet"]) == 0
    assert "| dropped: too short | 1 | 50.0 % |" in capsys.readouterr().out
    assert json.loads(out.read_text())["dropped"] == {"too short": 1}


def test_faulty_rows_are_counted_and_told_by_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, [GOOD, {"id": "2"}])))
    assert main(["data", "rows", str(path)]) == 2
    printed = capsys.readouterr()
    assert "| dropped: no conversation | 1 |" in printed.out and "1 of 2 rows are kept" in printed.err


def test_captions_and_files_that_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "captions.csv"
    table.write_text("key,status,vlm_caption\n1,success,A dog runs.\n")
    assert main(["data", "rows", str(table), "--captions"]) == 0
    assert "| kept | 1 |" in capsys.readouterr().out
    assert main(["data", "rows", str(table), "--captions", "--json", str(table)]) == 2
    assert "a file of rows itself" in capsys.readouterr().err
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    assert main(["data", "rows", str(tmp_path / "a.parquet")]) == 2
    assert "write it as .csv or .jsonl" in capsys.readouterr().err
