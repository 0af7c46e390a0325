"""One line of a few megabytes, whatever is in it: checked in seconds, with a bounded number of problems."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis.records.check import check_records, count_records
from deixis.records.record_line import MOST_MISTAKES
from deixis.regions import rle

FULL = {"mask": {"size": [10_000, 10_000], "counts": rle.compress([0, 100_000_000])}}
TURNS = [{"user": "What?", "assistant": "A thing."}]
NAMES = {f"b{number}": {"point": [1, 1]} for number in range(20_000)}


def line(regions: Any = None, turns: Any = None, **more: Any) -> str:
    values = {"picture": "p.jpg", "frame": "pixels", "regions": regions or {}, "turns": turns or TURNS}
    return json.dumps(values | more)


@pytest.mark.parametrize(
    "content",
    [
        line({f"m{number}": FULL for number in range(60)}),
        line({"m": {"mask": {"size": [10_000, 10_000], "counts": "1" * 2_000_000}}}),
        line({"m": {"mask": {"size": [10_000, 10_000], "counts": [1] * 600_000}}}),
        line(NAMES, [{"user": "{c}" * 200_000, "assistant": "a"}]),
        line(NAMES, [{"user": "{b19999}" * 100_000, "assistant": "{b19999}" * 100_000}]),
        line(NAMES, [{"user": f"{{b{number}}}", "assistant": "[a](z)"} for number in range(20_000)]),
        line(**{f"k{number}": 1 for number in range(100_000)}),
        "{" + ",".join(f'"k{number}":1' for number in range(100_000)) + ',"k99999":2}',
        line(**{"k" * 2_000_000: 1}),
        line(turns=[5] * 500_000),
        line([1] * 500_000),
        line({"a": {"polygon": [[1, 1]] * 200_000}}),
        "[" * 2_000_000,
        '{"a":' * 400_000,
        line(turns=[{"user": "{" * 1_000_000, "assistant": "[" * 1_000_000}]),
        line({"a" * 1_000_000: {"box": [1, 1, 2, 2]}}),
    ],
)
def test_a_line_is_checked_in_seconds(tmp_path: Path, content: str) -> None:
    Image.new("RGB", (64, 40)).save(tmp_path / "p.jpg")
    (tmp_path / "own.jsonl").write_text(content + "\n")
    began = time.monotonic()
    problems = check_records(tmp_path / "own.jsonl")
    count_records(tmp_path / "own.jsonl")
    assert time.monotonic() - began < 20  # on a busy machine, too
    assert 1 <= len(problems) <= MOST_MISTAKES + 1
    assert all(len(problem.field) + len(problem.message) < 2_500 for problem in problems)


def test_the_rest_of_many_mistakes_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "own.jsonl").write_text(line(turns=[5] * 500, picture=3) + "\n")
    *_, last = check_records(tmp_path / "own.jsonl")
    assert last.message == "has more than 100 mistakes; the others are not looked for"


@pytest.mark.parametrize("depth", [100, 400, 900, 980, 990, 1_000, 5_000])
def test_depth_is_told_wherever_reading_still_allows_it(tmp_path: Path, depth: int) -> None:
    Image.new("RGB", (64, 40)).save(tmp_path / "p.jpg")
    deep = '{"a": ' + "[" * depth + "]" * depth + "}"
    content = line({"a": 0}).replace('{"a": 0}', deep)
    (tmp_path / "own.jsonl").write_text(content + "\n")
    assert check_records(tmp_path / "own.jsonl")
