"""The questions of a benchmark answered by workers of Ray Data, on one machine or many."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from deixis.evaluation.benchmark_table import find_benchmark
from deixis.evaluation.benchmarks.asking.asking import Questions, Replied, asked_for, replies_about
from deixis.evaluation.on_ray import started


@dataclass(frozen=True)
class BenchmarkJob:
    """What every worker has to know: the system to load, what it is asked, and how."""

    model: str | None
    device: str
    dtype: str
    benchmark: str
    max_new_tokens: int
    max_pixels: int


class BenchmarkWorker:
    """A process of Ray with the system of a job."""

    def __init__(self, job: BenchmarkJob) -> None:
        from deixis.systems import load

        self.job = job
        self.system = asked_for(
            find_benchmark(job.benchmark), load(job.model, device=job.device, dtype=job.dtype)
        )

    def __call__(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the replies to one piece of questions, in their order, with the piece's number."""
        job = self.job
        replied = replies_about(
            self.system,
            pickle.loads(row["piece"]),
            max_new_tokens=job.max_new_tokens,
            max_pixels=job.max_pixels,
        )
        return {"number": row["number"], "replies": pickle.dumps([reply for _, reply in replied])}


def replied_on_ray(pieces: Sequence[Questions], *, job: BenchmarkJob, workers: int) -> Iterator[Replied]:
    """Yield the replies to each piece as so many workers have them; truths never leave this process.

    ModuleNotFoundError: Ray isn't installed.
    """
    if not pieces:
        return
    rows = [
        {
            "number": number,
            "piece": pickle.dumps([(replace(item, truth=None), prompt) for item, prompt in piece]),
        }
        for number, piece in enumerate(pieces)
    ]
    found = started().data.from_items(rows)
    found = found.map(BenchmarkWorker, fn_constructor_args=(job,), concurrency=workers, num_cpus=1)
    for row in found.iter_rows():
        replies = pickle.loads(row["replies"])
        yield [(item, reply) for (item, _), reply in zip(pieces[row["number"]], replies, strict=True)]
