"""The judge that the flags of `deixis evaluate --benchmark` name."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from deixis.cli.messages import LOG
from deixis.errors import UsageError

if TYPE_CHECKING:
    from deixis.endpoints.chat import ChatRequest
    from deixis.evaluation.benchmarks.benchmark import Benchmark, Judge


MOST_RUNS = 100


def judges_of(arguments: argparse.Namespace, benchmark: Benchmark[Any]) -> tuple[Judge, ...]:
    """Return the judge that the flags name, once for each of its runs; none where they name none.

    Its replies are kept beside the answers, those of several runs apart.
    """
    from deixis.endpoints.endpoint import Endpoint
    from deixis.endpoints.kept_replies import KeptReplies
    from deixis.endpoints.keys import is_openai

    runs = arguments.judge_runs
    if not 1 <= runs <= MOST_RUNS:
        raise UsageError(f"--judge-runs is {runs}; expected 1 to {MOST_RUNS}")
    if arguments.judge is None:
        if runs > 1:
            raise UsageError("--judge-runs is for a judge; give one with --judge URL")
        if benchmark.judge == "needed":
            LOG.warning("%s needs a judge (--judge URL); answers are kept and stay unjudged", benchmark.title)
        return ()
    if benchmark.judge == "no":
        raise UsageError(f"{benchmark.title} needs no judge; leave --judge out")
    variable = arguments.judge_key or ("" if is_openai(arguments.judge) else None)
    endpoint = Endpoint(arguments.judge, key_variable=variable)
    endpoint.key_to_send()
    if arguments.answers is None:
        return tuple(asked_once(endpoint.complete) for _ in range(runs))
    folder = arguments.answers.with_name(f"{arguments.answers.name}.judge")
    folders = [folder, *(folder.with_name(f"{folder.name}-{run}") for run in range(2, runs + 1))]
    return tuple(KeptReplies(endpoint.complete, own, asked=endpoint.address) for own in folders)


def asked_once(judge: Judge) -> Judge:
    """Return a judge that is asked the same only once: two readings of a reply are mostly one."""
    known: dict[ChatRequest, str] = {}

    def asked(request: ChatRequest) -> str:
        if request not in known:
            known[request] = judge(request)
        return known[request]

    return asked
