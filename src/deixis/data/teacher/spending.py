"""What a teacher costs: tokens, and money where prices are known; and the cap on both."""

from __future__ import annotations

import math
import re
import threading
from dataclasses import dataclass

from deixis.endpoints.chat import Usage
from deixis.errors import UsageError

MILLION = 1e6
MOST = 1e12
BUDGET = re.compile(r"\$?\s*(\d{1,12}(?:\.\d{1,6})?)\s*(usd|\$|dollars?|tokens?)", re.IGNORECASE)
PRICES = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*,\s*(\d{1,9}(?:\.\d{1,9})?)\s*")


@dataclass(frozen=True)
class Prices:
    """US dollars for a million tokens of requests and of replies."""

    prompt: float
    completion: float

    def __post_init__(self) -> None:
        for price in (self.prompt, self.completion):
            if not 0 <= price < MOST:
                raise UsageError(f"a price is {price}; expected dollars for a million tokens, from 0")

    def cost(self, usage: Usage) -> float:
        """Return what some tokens cost, in dollars.

        >>> Prices(2.5, 10).cost(Usage(2_000_000, 100_000))
        6.0
        """
        return (usage.prompt * self.prompt + usage.completion * self.completion) / MILLION


@dataclass(frozen=True)
class Budget:
    """The most that may be spent: tokens or dollars; neither is no cap."""

    tokens: int | None = None
    dollars: float | None = None

    def __str__(self) -> str:
        return f"{self.tokens:,} tokens" if self.dollars is None else f"{self.dollars:g} USD"


def read_budget(text: str) -> Budget:
    """Return the budget that some words mean; UsageError for others.

    >>> read_budget("2.50 USD"), read_budget("300000tokens").tokens
    (Budget(tokens=None, dollars=2.5), 300000)
    """
    match = BUDGET.fullmatch(text.strip())
    whole = match is not None and (match[2].lower().startswith("token") and "." not in match[1])
    money = match is not None and not match[2].lower().startswith("token")
    if match is None or not (whole or money):
        raise UsageError(f"the budget is {text!r:.60}; expected an amount such as 5USD or 200000tokens")
    return Budget(tokens=int(match[1])) if whole else Budget(dollars=float(match[1]))


def read_prices(text: str) -> Prices:
    """Return the prices that "IN,OUT" means; UsageError for other words."""
    match = PRICES.fullmatch(text)
    if match is None:
        raise UsageError(
            f"the prices are {text!r:.60}; expected IN,OUT, dollars for a million tokens of requests and of "
            "replies, such as 2.5,10"
        )
    return Prices(float(match[1]), float(match[2]))


class Spending:
    """What has been spent, and what is set aside for requests whose replies haven't come yet.

    A request begins only if its most costly reply still fits; so the cap holds whatever is under way. Safe
    to use from several threads. UsageError: a budget in dollars without prices.
    """

    def __init__(self, budget: Budget | None = None, prices: Prices | None = None) -> None:
        self.budget, self.prices = budget or Budget(), prices
        if self.budget.dollars is not None and prices is None:
            raise UsageError("a budget in USD needs prices: those of a million tokens, as IN,OUT")
        self.used, self._aside, self._largest = Usage(), Usage(), 0
        self._lock = threading.Lock()

    @property
    def cost(self) -> float | None:
        """The dollars that were spent; None without prices."""
        return None if self.prices is None else self.prices.cost(self.used)

    def add(self, usage: Usage) -> None:
        """Count what was spent before, or by others."""
        with self._lock:
            self.used = self.used + usage

    def set_aside(self, most: Usage) -> Usage | None:
        """Return what is now set aside for a request, at least ``most``; None if that is beyond the budget.

        A prompt counts for at least as many tokens as the largest that a server has counted.
        """
        with self._lock:
            wanted = Usage(max(most.prompt, self._largest), most.completion)
            if not self._fits(self.used + self._aside + wanted):
                return None
            self._aside = self._aside + wanted
            return wanted

    def settle(self, aside: Usage, used: Usage) -> None:
        """Count what a request took in the place of what was set aside for it."""
        with self._lock:
            self._aside = self._aside + Usage(-aside.prompt, -aside.completion)
            self.used = self.used + used
            self._largest = max(self._largest, used.prompt)

    def _fits(self, usage: Usage) -> bool:
        if self.budget.tokens is not None and usage.total > self.budget.tokens:
            return False
        if self.budget.dollars is None or self.prices is None:
            return True
        cost = self.prices.cost(usage)
        return cost <= self.budget.dollars or math.isclose(cost, self.budget.dollars)

    def __str__(self) -> str:
        cost = self.cost
        return f"{self.used.total:,} tokens" + ("" if cost is None else f", {cost:.2f} USD")
