"""Relaxed accuracy (PlotQA, ChartQA): numbers may be off by 5 %, other answers not at all."""

from __future__ import annotations

import math

TOLERANCE = 0.05


def number_in(text: str) -> float | None:
    """Return the number that a text is, None if it is none; a percentage is a fraction.

    >>> number_in("12%"), number_in("3.5"), number_in("three"), number_in("nan")
    (0.12, 3.5, None, None)
    """
    stripped = text.strip()
    percent = stripped.endswith("%")
    try:
        value = float(stripped.rstrip("%"))
    except ValueError:
        return None
    if not math.isfinite(value):
        return None
    return value / 100 if percent else value


def relaxed_match(answer: str, truth: str) -> bool:
    """Tell whether an answer is right: a number within 5 % of the true one, or the same text but for case.

    Zero has to be met exactly. An empty answer is never right.

    >>> relaxed_match("104", "100"), relaxed_match("106", "100"), relaxed_match("yes", "Yes")
    (True, False, True)
    >>> relaxed_match("0.0", "0"), relaxed_match("14", "14%")
    (True, False)
    """
    said, true = number_in(answer), number_in(truth)
    if said is not None and true is not None:
        return abs(said - true) <= TOLERANCE * abs(true)
    text = answer.strip().lower()
    return bool(text) and text == truth.strip().lower()
