"""Freed memory goes back to the system, now and then, while something is done."""

from __future__ import annotations

import psutil
import pytest
import torch

from deixis.serving.giving_back import GivingBack, heap_given_back

MIB = 1 << 20


def test_it_is_done_now_and_then_and_once_after_the_last_thing() -> None:
    now, given = [100.0], []

    def give_back() -> bool:
        given.append(now[0])
        return True

    own = GivingBack(give_back, every=10, clock=lambda: now[0])
    assert own.look(0) is None and not given, "nothing was done yet"
    now[0] = 104.0
    assert own.look(3) == 6.0 and not given
    now[0] = 110.0
    assert own.look(5) is None and given == [110.0]
    now[0] = 190.0
    assert own.look(5) is None and given == [110.0], "nothing was done since"
    assert own.look(6) is None and given == [110.0, 190.0]


def test_what_lies_between_kept_things_goes_back() -> None:
    if not heap_given_back():
        pytest.skip("the C library of this system gives nothing back")
    pieces = [torch.ones(16_000) for _ in range(1600)]  # 98 MiB, in pieces too small for memory of their own
    kept = pieces[::16]
    del pieces
    before = psutil.Process().memory_info().rss
    assert heap_given_back()
    assert before - psutil.Process().memory_info().rss > 50 * MIB
    assert all(one.sum() == 16_000 for one in kept)
