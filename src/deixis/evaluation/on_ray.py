"""The questions of tasks answered by workers of Ray Data, on one machine or many, and kept here.

Each worker loads the system and answers what is asked about whole pictures, as the runner would; its answers
are kept in the log of this process, from which the report is then made as ever: it is the same, bit for bit.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deixis.evaluation.ablations import find_ablation
from deixis.evaluation.keeping.answer_log import AnswerLog
from deixis.evaluation.keeping.kept_answers import KeptAnswers
from deixis.evaluation.runner import Piece, ask_of_scene
from deixis.evaluation.tasks import find_tasks


@dataclass(frozen=True)
class Job:
    """What every worker has to know: the system to load, and how it is asked."""

    model: str | None
    device: str
    dtype: str
    ablation: str
    max_new_tokens: int


class Worker:
    """A process of Ray with the system of a job."""

    def __init__(self, job: Job) -> None:
        from deixis.systems import load

        self.job, self.system = job, load(job.model, device=job.device, dtype=job.dtype)
        self.weights = self.system.fingerprint()

    def __call__(self, row: Mapping[str, Any]) -> dict[str, bytes]:
        """Return the answers to what is asked about one picture, as the log keeps them, by their digests."""
        scene, named = pickle.loads(row["piece"])
        pairs = [(find_tasks([name])[0], item) for name, item in named]
        log = AnswerLog()
        ask_of_scene(
            KeptAnswers(self.system, log, weights=self.weights),
            (scene, pairs),
            picture_shown=find_ablation(self.job.ablation).picture,
            max_new_tokens=self.job.max_new_tokens,
        )
        return {"entries": pickle.dumps(log.entries())}


class Unanswered(Exception):
    """Something was asked that isn't kept."""


class Nobody:
    """A system that answers nothing, so that it shows what isn't kept."""

    def __init__(self, name: str) -> None:
        self.name = name

    def ask(self, *asked: Any, **settings: Any) -> Any:
        """Raise Unanswered."""
        raise Unanswered


def is_answered(piece: Piece, job: Job, kept: KeptAnswers) -> bool:
    """Tell whether everything that is asked about a picture is kept."""
    picture_shown = find_ablation(job.ablation).picture
    nobody = KeptAnswers(Nobody(kept.name), kept.log, weights=kept.weights)
    try:
        ask_of_scene(nobody, piece, picture_shown=picture_shown, max_new_tokens=job.max_new_tokens)
    except Unanswered:
        return False
    return True


def started() -> Any:
    """Return Ray, started on this machine unless it has joined a cluster; ModuleNotFoundError without it."""
    import ray
    import ray.data

    if not ray.is_initialized():
        ray.init(include_dashboard=False, log_to_driver=False)
    return ray


def answered_on_ray(every: Sequence[Piece], job: Job, kept: KeptAnswers, *, workers: int) -> None:
    """Have what isn't kept answered by so many workers, and keep the answers as they come.

    ModuleNotFoundError: Ray isn't installed.
    """
    pieces = [piece for piece in every if not is_answered(piece, job, kept)]
    if not pieces:
        return
    rows = [
        {"piece": pickle.dumps((scene, [(task.name, item) for task, item in own]))} for scene, own in pieces
    ]
    found = started().data.from_items(rows)
    found = found.map(Worker, fn_constructor_args=(job,), concurrency=workers, num_cpus=1)
    for row in found.iter_rows():
        kept.log.keep(pickle.loads(row["entries"]))
