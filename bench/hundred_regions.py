"""Naming a hundred regions of one picture: together, through the engine, and one after the other."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from bench.ask import photo
from bench.benchmark import Benchmark, Goal, Side
from bench.timing import repeated

SINGLY, LISTED, SERVED = "one by one", "as a list", "through the engine"
QUESTION = "what is {it}?"
BENCHMARK = Benchmark(
    name="hundred_regions",
    what="100 regions of a photo of 512 x 512 pixels named by the embedded model, the picture encoded before",
    given={"model": "pointer", "rows": 10},
    sides=tuple(
        Side(name, f"bench.hundred_regions:{function}", threads=None)
        for name, function in ((SINGLY, "singly"), (LISTED, "listed"), (SERVED, "served"))
    ),
    goals=(
        Goal("time of a list", LISTED, 1 / 8, over=SINGLY),
        Goal("time through the engine", SERVED, 1 / 8, over=SINGLY),
    ),
    tolerance=1e-3,
)


def singly(given: dict[str, Any]) -> dict[str, Any]:
    """Time single questions."""
    import deixis

    model, picture = deixis.load(given["model"]), deixis.open_picture(photo())
    return timed(
        given, lambda: [model.ask(picture, QUESTION, regions=one) for one in regions(picture, given["rows"])]
    )


def listed(given: dict[str, Any]) -> dict[str, Any]:
    """Time a list of questions."""
    import deixis

    model, picture = deixis.load(given["model"]), deixis.open_picture(photo())
    own = regions(picture, given["rows"])
    return timed(given, lambda: model.ask(picture, [QUESTION] * len(own), regions=own))


def served(given: dict[str, Any]) -> dict[str, Any]:
    """Time the same questions to the engine."""
    import deixis
    from deixis.serving.engine import Engine, Models

    picture = deixis.open_picture(photo())
    own = [(QUESTION, one) for one in regions(picture, given["rows"])]
    with ExitStack() as stack:
        engine = stack.enter_context(Engine(Models({"served": given["model"]})))
        return timed(given, lambda: engine.ask_many(picture, own))


def timed(given: dict[str, Any], ask: Callable[[], list[Any]]) -> dict[str, Any]:
    """Return the times of asking, after a first time that encodes the picture, and what was answered."""
    answers, times = repeated(given, ask)
    return {**times, "items": len(answers), "values": [answer.text for answer in answers]}


def regions(picture: Any, rows: int) -> list[dict[str, Any]]:
    """Return boxes that lie over a picture as a grid, each reaching into its neighbours."""
    from deixis import Box

    width, height = picture.frame.size
    across, down = width / rows, height / rows
    return [
        {
            "it": Box(
                max(column - 0.5, 0) * across,
                max(row - 0.5, 0) * down,
                min(column + 1.5, rows) * across,
                min(row + 1.5, rows) * down,
            )
        }
        for row in range(rows)
        for column in range(rows)
    ]
