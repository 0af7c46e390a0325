"""Every promise fails on a system that breaks it."""

from __future__ import annotations

from pathlib import Path

import pytest

from deixis.systems.pointer.answering import PointerSystem
from tests.contract.broken import FLAWS, broken_subject
from tests.contract.promises import PROMISES, Promise


@pytest.mark.parametrize(("promise", "flaw", "complaint"), FLAWS, ids=[flaw.__name__ for _, flaw, _ in FLAWS])
def test_a_broken_promise_is_noticed(
    promise: Promise, flaw: type[PointerSystem], complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(AssertionError, match=complaint):
        promise(broken_subject(flaw), tmp_path)


def test_every_promise_can_fail() -> None:
    assert {promise for promise, _, _ in FLAWS} == set(PROMISES)
