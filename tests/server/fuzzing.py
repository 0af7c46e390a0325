"""Requests made up from the server's own schema, right ones and wrong ones: none may find a fault of its own.

``python -m tests.server.fuzzing --cases 6000`` is the long run (``make fuzz``); the tests have a short one.
"""

from __future__ import annotations

import argparse
import logging
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import hypothesis
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, strategies
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from deixis.server.application import create_app
from tests.server.asking import CHAT, PICTURE, data_url, png, user
from tests.serving.serving import served

CHECKS = (
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
WRONG = 8  # one of so many is wrong by the schema: those take long to make up
LOG = logging.getLogger("fuzzing")
# What a generator knows too little of to come upon by itself: pictures, and names of models.
ADDRESSES = strategies.one_of(
    strategies.just(data_url(png(16, 12))),
    strategies.sampled_from(["picture:0", "http://example.org/a.png", "file:///etc/passwd", "data:,x", "x"]),
)


@contextmanager
def application() -> Iterator[FastAPI]:
    """An application over the network of the embedded model, at tiny size."""
    with served() as engine:
        yield create_app(engine, hosts=None)


def fuzz(app: FastAPI, *, cases: int, seed: int) -> Counter[tuple[str, int]]:
    """Send so many requests or more, and return how often each path answered with each status."""
    schemathesis.openapi.format("uri", ADDRESSES)
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    operations = [result.ok() for result in schema.get_all_operations()]
    weights = {CHAT: 12, "/v1/pictures": 12, "/v1/models/{model}": 8}
    share = sum(weights.get(one.path, 1) for one in operations)
    seen: Counter[tuple[str, int]] = Counter()
    for operation in operations:
        most = max(round(cases * weights.get(operation.path, 1) / share), 2)
        wrong = most // WRONG if may_be_wrong(operation) else 0
        for mode, count in ((GenerationMode.POSITIVE, most - wrong), (GenerationMode.NEGATIVE, wrong)):
            if count:
                send(operation, mode, count=count, seed=seed, seen=seen)
                LOG.info("%d requests", seen.total())
    return seen


def may_be_wrong(operation: Any) -> bool:
    """Tell whether a request can be wrong by its schema at all: bytes and words in a path can't."""
    return any(body.media_type == "application/json" for body in operation.body)


def send(operation: Any, mode: Any, *, count: int, seed: int, seen: Counter[tuple[str, int]]) -> None:
    """Send requests of one kind to one route, and check what comes back."""

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def run(case: Any) -> None:
        if operation.path == CHAT and mode is GenerationMode.POSITIVE:
            deepen(case.body, seen.total())
        response = case.call()
        seen[operation.path, response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    run()


def deepen(body: dict[str, Any], number: int) -> None:
    """Let two of three right requests come further than most: they show a picture, and answers are short."""
    asked = body["messages"][-1]
    parts = asked["content"] if isinstance(asked.get("content"), list) else []
    regions = [part for part in parts if part["type"] == "region"]
    if number % 3 == 1:
        body["messages"] = [user(PICTURE, "What is ", *regions, "?")]
        body["model"] = None
    elif number % 3 == 2:
        body["messages"] = [user(PICTURE, *parts), *body["messages"][1:]]
    body["max_tokens"], body["max_completion_tokens"] = 1 + number % 6, None


def main() -> None:
    """Make the long run and say what came back."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.basicConfig(level=logging.CRITICAL, format="%(asctime)s %(message)s")
    LOG.setLevel(logging.INFO)
    with application() as app:
        seen = fuzz(app, cases=arguments.cases, seed=arguments.seed)
    for (path, status), count in sorted(seen.items()):
        print(f"{count:6,}  {status}  {path}")
    print(f"{seen.total():6,}  requests, none with a fault of the server's own")


if __name__ == "__main__":
    main()
