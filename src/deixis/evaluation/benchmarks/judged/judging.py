"""A judge asked with its failures caught: they are the judge's, never the answer's."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from deixis.endpoints.chat import ChatRequest
from deixis.errors import EndpointError
from deixis.evaluation.benchmarks.benchmark import Mark, Scoring, unjudged

NO_JUDGE = "no judge was given"


def asked(scoring: Scoring, request: ChatRequest) -> str | Mark:
    """Return the judge's reply, or the mark of an answer that it gave none to.

    UsageError is raised all the same: without a key or with a wrong address every further request fails too.
    """
    if scoring.judge is None:
        return unjudged(NO_JUDGE)
    try:
        return scoring.judge(request)
    except EndpointError as fault:
        return unjudged(str(fault))


def judge_words(name: str) -> dict[str, Any]:
    """Return the published words to a judge, from a file of this folder."""
    file = resources.files("deixis.evaluation.benchmarks.judged").joinpath(name)
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content
