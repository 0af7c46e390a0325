"""Trained designs side by side by what they make of whole pictures: captions, names, length and time.

The comparison of integrations in the Florence-VL paper (section 5.3), on a dataset at hand and with any
systems that small recipes train.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from deixis.data.opening import open_scene
from deixis.data.scene import Scene
from deixis.errors import UsageError
from deixis.evaluation.metrics.captions.caption_scores import score_captions
from deixis.evaluation.metrics.intervals import EXPLAINED, interval_over_pictures
from deixis.evaluation.report import TaskResult
from deixis.progress import SILENT, Progress
from deixis.runs.unseen import paired_interval
from deixis.studies.study import shown

QUESTION = "Describe the picture."
MAX_NEW_TOKENS = 64
BATCH = 8  # pictures whose captions' loss is one number
COLUMNS = ("run", "positions", "s a step", "loss of captions", "CIDEr", "ROUGE-L", "naming")


class Captioning(Protocol):
    """What is asked of a system: an answer with a ``text``."""

    def ask(self, picture: Any, question: str, *, max_new_tokens: int) -> Any:
        """Return the answer to a question about a picture."""
        ...


@dataclass(frozen=True)
class Captioned:
    """Scores of a system's captions. cider, rouge_l: of each picture (n,), by ``pictures``; as papers print.

    empty: how many captions had no words.
    """

    pictures: tuple[str, ...]
    cider: NDArray[np.float64]
    rouge_l: NDArray[np.float64]
    empty: int = 0

    def interval(self, values: NDArray[np.float64], *, seed: int = 0) -> tuple[float, float]:
        """Return the 95 % interval over pictures of the mean of ``values`` (n,)."""
        own = {"value": values}
        return interval_over_pictures(
            own, self.pictures, measure=lambda drawn: float(drawn["value"].mean()), seed=seed
        )

    def cell(self, values: NDArray[np.float64]) -> str:
        """Return a mean with its interval for a table."""
        low, high = self.interval(values)
        return f"{values.mean():.1f} ({low:.1f} to {high:.1f})"

    def to_dict(self) -> dict[str, Any]:
        """Return the scores for JSON."""
        own = {"CIDEr": self.cider, "ROUGE-L": self.rouge_l}
        return {
            "pictures": len(self.pictures),
            "empty": self.empty,
            **{
                name: {"value": float(values.mean()), "ci95": list(self.interval(values))}
                for name, values in own.items()
            },
        }


@dataclass(frozen=True)
class CaptionRow:
    """What became of one run.

    positions: how long the prompt about a picture is, the picture in it. step: seconds that a step of
    training took; None where no log says. unseen (m,): the loss of captions, a number for every eight
    pictures. naming: the task of that name.
    """

    run: str
    recipe: str
    weights: str
    positions: int
    step: float | None
    unseen: NDArray[np.float64]
    captions: Captioned
    naming: TaskResult

    def to_dict(self) -> dict[str, Any]:
        """Return the row for JSON."""
        return {
            "run": self.run,
            "recipe": self.recipe,
            "weights": self.weights,
            "positions": self.positions,
            "seconds_a_step": self.step,
            "unseen": self.unseen.tolist(),
            "captions": self.captions.to_dict(),
            "naming": self.naming.to_dict(),
        }


@dataclass(frozen=True)
class CaptionStudy:
    """All rows, and what they were measured on. set_aside: sentences about the dataset's faults."""

    rows: tuple[CaptionRow, ...]
    data: str
    set_aside: Sequence[str] = ()

    def to_json(self) -> str:
        """Return the study as JSON."""
        content = {
            "study": "captions",
            "data": self.data,
            "question": QUESTION,
            "max_new_tokens": MAX_NEW_TOKENS,
            "intervals": EXPLAINED,
            "set_aside": list(self.set_aside),
            "rows": [row.to_dict() for row in self.rows],
        }
        return json.dumps(content, indent=2) + "\n"

    def to_markdown(self) -> str:
        """Return the table, and below it how it was measured."""
        lines = ["| " + " | ".join(COLUMNS) + " |", "|" + " --- |" * len(COLUMNS)]
        for row in self.rows:
            cells = [
                row.run,
                str(row.positions),
                "not known" if row.step is None else f"{row.step:.2f}",
                self.loss(row),
                row.captions.cell(row.captions.cider),
                row.captions.cell(row.captions.rouge_l),
                shown(row.naming),
            ]
            lines.append("| " + " | ".join(cells) + " |")
        first = self.rows[0]
        lines += [
            "",
            f"Measured on {self.data}; 95 % intervals ({EXPLAINED}). Loss: of captions alone, mean of "
            f"{len(first.unseen)} batches of {BATCH} pictures that no run saw; in brackets how far it is "
            f"from the first row's, batch by batch. CIDEr and ROUGE-L: of {len(first.captions.pictures):,} "
            f'answers to "{QUESTION}" against all captions of a picture, times 100. Naming: n = '
            f"{first.naming.n:,}. Positions: of that question's prompt.",
        ]
        lines += [f"- {sentence}" for sentence in self.set_aside]
        return "\n".join(lines) + "\n"

    def loss(self, row: CaptionRow) -> str:
        """Return a row's loss and its distance from the first row's."""
        mean = f"{row.unseen.mean():.3f}"
        if row is self.rows[0]:
            return mean
        low, high = paired_interval(self.rows[0].unseen, row.unseen)
        return f"{mean} ({low:+.3f} to {high:+.3f})"


def with_captions(scenes: Sequence[Scene]) -> list[Scene]:
    """Return the scenes that have captions; UsageError for none."""
    kept = [scene for scene in scenes if scene.captions]
    if not kept:
        raise UsageError(f"none of {len(scenes):,} pictures has a caption; expected a dataset with captions")
    return kept


def captioned(
    system: Captioning, scenes: Sequence[Scene], *, what: str, progress: Progress = SILENT
) -> Captioned:
    """Return the scores of a system's captions of pictures. what: the system, for who waits."""
    said: dict[str, str] = {}
    for scene in progress.track(scenes, what, unit="picture"):
        picture, _ = open_scene(scene)
        said[scene.id] = system.ask(picture, QUESTION, max_new_tokens=MAX_NEW_TOKENS).text
    true = {scene.id: [caption.text for caption in scene.captions] for scene in scenes}
    scores = score_captions(said, true, with_meteor=False)
    return Captioned(
        tuple(sorted(said)),
        100 * np.array(scores.cider_each),
        100 * np.array(scores.rouge_each),
        sum(not text.strip() for text in said.values()),
    )


def check_losses(rows: Sequence[CaptionRow]) -> None:
    """Raise UsageError where there is no loss, or a different number of batches."""
    counts = {len(row.unseen) for row in rows}
    if counts & {0, 1} or len(counts) > 1:
        raise UsageError(
            f"losses of {sorted(counts)} batches of {BATCH} pictures; expected two or more, and as many for "
            f"each run: give a split of at least {2 * BATCH} pictures"
        )
