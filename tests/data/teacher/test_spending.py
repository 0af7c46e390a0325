"""What a teacher costs, and the cap on it."""

from __future__ import annotations

import threading

import pytest

from deixis.data.teacher.spending import Budget, Prices, Spending, read_budget, read_prices
from deixis.endpoints.chat import Usage
from deixis.errors import UsageError


@pytest.mark.parametrize("text", ["5 USD", "5usd", "$5 usd", "5$", "5.00 dollars"])
def test_money(text: str) -> None:
    assert read_budget(text) == Budget(dollars=5.0)


@pytest.mark.parametrize("text", ["", "5", "USD", "-5USD", "nan USD", "1.5tokens", "1e9tokens", "9" * 40])
def test_budgets_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="such as 5USD or 200000tokens"):
        read_budget(text)


@pytest.mark.parametrize("text", ["", "1", "1,2,3", "-1,2", "a,b", "inf,1", "1;2"])
def test_prices_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match=r"such as 2\.5,10"):
        read_prices(text)
    assert read_prices(" 2.5, 10 ") == Prices(2.5, 10.0)


def test_what_is_under_way_counts() -> None:
    spending = Spending(Budget(tokens=1000))
    first = spending.set_aside(Usage(300, 200))
    assert first == Usage(300, 200)
    assert spending.set_aside(Usage(300, 201)) is None
    second = spending.set_aside(Usage(300, 200))
    assert second is not None and spending.set_aside(Usage(1, 0)) is None
    spending.settle(first, Usage(300, 20))
    assert spending.used.total == 320
    assert spending.set_aside(Usage(100, 80)) is None  # for prompts have been seen to take 300
    spending.settle(second, Usage())
    assert spending.set_aside(Usage(100, 80)) == Usage(300, 80)


def test_a_cap_in_dollars() -> None:
    spending = Spending(Budget(dollars=0.01), Prices(2.0, 10.0))
    spending.add(Usage(1000, 0))
    assert spending.cost == pytest.approx(0.002)
    assert spending.set_aside(Usage(1000, 601)) is None
    assert spending.set_aside(Usage(1000, 600)) is not None
    assert str(spending) == "1,000 tokens, 0.00 USD"
    with pytest.raises(UsageError, match="needs prices"):
        Spending(Budget(dollars=1.0))


def test_threads_never_set_aside_too_much() -> None:
    spending, got = Spending(Budget(tokens=100)), list[Usage]()

    def take() -> None:
        for _ in range(20):
            if aside := spending.set_aside(Usage(1, 1)):
                got.append(aside)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 50
