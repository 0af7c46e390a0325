"""Settings of an answer: what they are by default, and which values are refused."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from deixis.engine.settings import MOST_NEW_TOKENS, Settings
from deixis.errors import UsageError


def test_an_answer_is_greedy_and_free_unless_asked() -> None:
    plain = Settings()
    assert (plain.temperature, plain.top_p, plain.seed) == (0.0, 1.0, None)
    assert (plain.stop, plain.max_places, plain.grammar, plain.logprobs) == ((), None, None, False)
    assert plain.max_new_tokens == 64


def test_one_stop_is_a_list_of_one() -> None:
    assert Settings(stop="###") == Settings(stop=("###",)) == Settings(stop=["###"])  # type: ignore[arg-type]
    assert len({Settings(stop="a"), Settings(stop=("a",))}) == 1, "settings can be a key"  # type: ignore[arg-type]


def test_all_that_can_be_set_is_named() -> None:
    assert Settings.names() == (
        "temperature",
        "top_p",
        "seed",
        "stop",
        "max_new_tokens",
        "logprobs",
        "max_places",
        "grammar",
    )


@pytest.mark.parametrize(
    "given",
    [
        {"temperature": 0},
        {"temperature": 2},
        {"temperature": 100.0},
        {"top_p": 1e-6},
        {"top_p": 1},
        {"seed": 0},
        {"seed": 2**63 - 1},
        {"stop": ()},
        {"stop": ["x" * 200] * 16},
        {"max_new_tokens": 1},
        {"max_new_tokens": MOST_NEW_TOKENS},
        {"max_places": 0},
        {"logprobs": True, "grammar": False},
    ],
    ids=str,
)
def test_values_within_bounds_are_kept(given: dict[str, Any]) -> None:
    settings = Settings(**given)
    for name, value in given.items():
        assert getattr(settings, name) == (tuple(value) if name == "stop" else value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("temperature", -0.1, "temperature is -0.1; expected a number from 0 to 100"),
        ("temperature", 101, "temperature is 101; expected"),
        ("temperature", math.nan, "temperature is nan"),
        ("temperature", math.inf, "temperature is inf"),
        ("temperature", "1", "temperature is '1'; expected a number"),
        ("temperature", True, "temperature is True"),
        ("temperature", None, "temperature is None"),
        ("top_p", 0, "top_p is 0; expected a share above 0, up to 1"),
        ("top_p", 0.0, "top_p is 0; expected a share above 0"),
        ("top_p", 1.01, "top_p is 1.01; expected a number from 0 to 1"),
        ("top_p", -1, "top_p is -1"),
        ("seed", -1, "seed is -1; expected a whole number from 0"),
        ("seed", 2**63, "expected a whole number from 0 to 9223372036854775807"),
        ("seed", 1.0, "seed is 1.0; expected a whole number"),
        ("seed", True, "seed is True"),
        ("seed", "7", "seed is '7'"),
        ("stop", "", "expected up to 16 texts of 1 to 200 letters"),
        ("stop", ["a", ""], "expected up to 16 texts"),
        ("stop", ["a"] * 17, "expected up to 16 texts"),
        ("stop", ["a" * 201], "expected up to 16 texts"),
        ("stop", [1], r"stop is \(1,\); expected"),
        ("stop", [b"a"], "expected up to 16 texts"),
        ("max_new_tokens", 0, "max_new_tokens is 0; expected a whole number from 1 to 1024"),
        ("max_new_tokens", 1025, "max_new_tokens is 1025; expected"),
        ("max_new_tokens", 8.0, "max_new_tokens is 8.0"),
        ("max_new_tokens", True, "max_new_tokens is True"),
        ("max_new_tokens", None, "max_new_tokens is None"),
        ("max_places", -1, "max_places is -1; expected a whole number from 0 to 1024"),
        ("max_places", True, "max_places is True"),
        ("logprobs", 1, "logprobs is 1; expected True or False"),
        ("logprobs", None, "logprobs is None; expected True or False"),
        ("grammar", 0, "grammar is 0; expected True or False"),
        ("grammar", "json", "grammar is 'json'; expected True or False"),
    ],
)
def test_values_out_of_bounds_are_refused_by_name(name: str, value: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Settings(**{name: value})


@pytest.mark.parametrize("stop", [None, 3, 0.5])
def test_a_stop_that_is_no_list_of_texts_is_refused(stop: Any) -> None:
    with pytest.raises(UsageError, match=re.escape(f"stop is ({stop!r},); expected")):
        Settings(stop=stop)


def test_a_long_list_of_stops_is_not_told_in_full() -> None:
    with pytest.raises(UsageError) as mistake:
        Settings(stop=("x" * 5000,))
    assert len(str(mistake.value)) < 300
