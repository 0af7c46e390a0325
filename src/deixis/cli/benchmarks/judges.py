"""The judge that the flags of `deixis evaluate --benchmark` name."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from deixis.cli.messages import LOG
from deixis.errors import UsageError

if TYPE_CHECKING:
    from deixis.endpoints.chat import ChatRequest
    from deixis.evaluation.benchmarks.benchmark import Benchmark, Judge


def judge_of(arguments: argparse.Namespace, benchmark: Benchmark[Any]) -> Judge | None:
    """Return the judge that the flags name, its replies kept beside the answers; None for none."""
    from deixis.endpoints.endpoint import Endpoint
    from deixis.endpoints.kept_replies import KeptReplies
    from deixis.endpoints.keys import is_openai

    if arguments.judge is None:
        if benchmark.judge == "needed":
            LOG.warning("%s needs a judge (--judge URL); answers are kept and stay unjudged", benchmark.title)
        return None
    if benchmark.judge == "no":
        raise UsageError(f"{benchmark.title} needs no judge; leave --judge out")
    variable = arguments.judge_key or ("" if is_openai(arguments.judge) else None)
    endpoint = Endpoint(arguments.judge, key_variable=variable)
    endpoint.key_to_send()
    if arguments.answers is None:
        return asked_once(endpoint.complete)
    folder = arguments.answers.with_name(f"{arguments.answers.name}.judge")
    return KeptReplies(endpoint.complete, folder, asked=endpoint.address)


def asked_once(judge: Judge) -> Judge:
    """Return a judge that is asked the same only once: two readings of a reply are mostly one."""
    known: dict[ChatRequest, str] = {}

    def asked(request: ChatRequest) -> str:
        if request not in known:
            known[request] = judge(request)
        return known[request]

    return asked
