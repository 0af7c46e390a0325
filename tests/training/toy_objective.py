"""Something to train that is no system: a table of words, two losses of different counts, and dropout."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from deixis.training.batches import Batch
from deixis.training.loop import TrainingParts
from deixis.training.losses import Loss, Objective
from deixis.training.recipes.recipe import Recipe
from deixis.training.recipes.strict import build
from deixis.training.state.checkpoints import checkpoints

WORDS, WIDTH, NOTHING = 20, 8, -100


class Sentences:
    """Numbered sentences of unequal length; every fifth has nothing that its last word is worth."""

    def __len__(self) -> int:
        return 10

    def example(self, index: int, rng: np.random.Generator) -> tuple[str, list[int], list[float]]:
        """Return a name, words, and what the sentence is worth, in up to one number."""
        words = np.random.default_rng(index).integers(0, WORDS, size=3 + index % 4).tolist()
        return f"sentence {index}", words, [] if index % 5 == 0 else [float(index)]


def collate(examples: Sequence[tuple[str, list[int], list[float]]]) -> Batch:
    """Return ids and labels (B, T), worth (B,) and whether it is known (B,)."""
    longest = max(len(words) for _, words, _ in examples)
    rows = [words + [NOTHING] * (longest - len(words)) for _, words, _ in examples]
    return {
        "names": [name for name, _, _ in examples],
        "ids": torch.tensor(rows).clamp(min=0),
        "labels": torch.tensor(rows),
        "worth": torch.tensor([sum(worth) for _, _, worth in examples]),
        "known": torch.tensor([bool(worth) for _, _, worth in examples]),
    }


class ToyObjective(Objective):
    """Predicts the next word, and what a sentence is worth; draws from every generator if asked to."""

    def __init__(self, *, dropped: float = 0.0, noisy: bool = False) -> None:
        super().__init__()
        self.words, self.value = nn.Embedding(WORDS, WIDTH), nn.Linear(WIDTH, 1)
        self.head = nn.Linear(WIDTH, WORDS)
        self.dropped, self.noisy = dropped, noisy

    def counts(self, batch: Mapping[str, Any]) -> dict[str, int]:
        return {
            "language_model": int((batch["labels"][:, 1:] != NOTHING).sum()),
            "worth": int(batch["known"].sum()),
        }

    def losses(self, batch: Mapping[str, Any]) -> dict[str, Loss]:
        hidden: Tensor = functional.dropout(self.words(batch["ids"]), self.dropped, self.training)
        if self.noisy:
            hidden = hidden * (1 + 0.1 * random.random() + 0.1 * np.random.rand())  # noqa: NPY002
        learnt = batch["labels"][:, 1:] != NOTHING
        said = self.head(hidden[:, :-1][learnt])
        cross = functional.cross_entropy(said, batch["labels"][:, 1:][learnt], reduction="sum")
        real = (batch["labels"] != NOTHING)[..., None]
        means = (hidden * real).sum(dim=1) / real.sum(dim=1)  # (B, WIDTH)
        away = (self.value(means)[:, 0] - batch["worth"]).abs()[batch["known"]].sum()
        return {
            "language_model": Loss.of_sum(cross, learnt.sum()),
            "worth": Loss.of_sum(away, batch["known"].sum(), weight=0.5),
        }


def save(objective: nn.Module, folder: Path) -> None:
    """Write the weights as they are."""
    folder.mkdir(exist_ok=True)
    torch.save(objective.state_dict(), folder / "weights.pt")


def weights(run: Path) -> dict[str, Tensor]:
    """Return the weights of a finished run."""
    state: dict[str, Tensor] = torch.load(run / "model" / "weights.pt")
    return state


def parts(
    objective: Objective | None = None, *, source: Any = None, collating: Any = collate
) -> TrainingParts:
    """Return what the loop needs."""
    torch.manual_seed(0)
    return TrainingParts(objective or ToyObjective(), source or Sentences(), collating, save)


def recipe(**changes: Any) -> Recipe:
    """Return a recipe for it."""
    values: dict[str, Any] = {"name": "toy", "system": "pointer", "steps": 6, "batch": 4, "log_every": 1}
    values |= {"precision": "float32", "save_every": 2, "groups": [{"parts": [""], "rate": 1e-2}]}
    return build(Recipe, values | changes, where="toy recipe")


def logged(run: Path) -> list[dict[str, float]]:
    """Return the losses of every logged step."""
    return [json.loads(line)["losses"] for line in (run / "metrics.jsonl").read_text().splitlines()]


def last_checkpoint(run: Path) -> Path:
    """Return the folder of the newest checkpoint."""
    return checkpoints(run)[-1]
