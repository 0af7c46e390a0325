"""Replies of several processes: the order means nothing, twice and missing are refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from deixis.errors import RecordError
from deixis.evaluation.benchmarks.grounding.merged_replies import merged


def test_parts_in_any_order_are_one_set() -> None:
    parts = [{"c": 3}, {}, {"a": 1, "b": 2}]
    assert list(merged(parts, "abc").items()) == list(merged(parts[::-1], "abc").items())
    assert list(merged(parts, "cab")) == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([{"a": 1}, {"b": 2, "a": 1}], r"part 1 has 1 ids \(a\), which an earlier"),
        ([{"a": 1}], r"1 ids \(b\) of 2 without a reply"),
        ([{"a": 1, "b": 2, "x": 0}], r"1 ids \(x\) in no item"),
    ],
)
def test_twice_missing_and_unknown_are_refused(parts: Sequence[Mapping[str, int]], message: str) -> None:
    with pytest.raises(RecordError, match=message):
        merged(parts, ["a", "b"])
