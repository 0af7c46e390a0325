"""A source without dialogues, from a dataset's folder through the ordinary loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from deixis.data.detection import DetectionExample
from deixis.data.synthesis.phrasebook import Phrasebook
from deixis.errors import RecipeError
from deixis.systems import training_parts
from deixis.systems.sources import Sources
from deixis.training.batches import Batch
from deixis.training.loop import TrainingParts, train
from deixis.training.losses import Loss, Objective
from deixis.training.recipes.recipe import Recipe
from tests.toy.pack import write_toy_pack
from tests.toy.recipe import toy_recipe
from tests.training.toy_objective import logged, recipe, save
from tests.training.whole_and_cut import ALONE

SIDE = 32


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_pack(tmp_path_factory.mktemp("pack"), pictures=8)


def collate(examples: Sequence[DetectionExample]) -> Batch:
    """Return pixels (B, 3, S, S), boxes (N, 4) as fractions of the side, and whose they are (N,)."""
    pixels = torch.stack([torch.tensor(example.picture.pixels) for example in examples])
    boxes = [box.as_tuple() for example in examples for box in example.boxes]
    owners = [number for number, example in enumerate(examples) for _ in example.boxes]
    return {
        "names": [example.name for example in examples],
        "pixels": pixels.permute(0, 3, 1, 2),
        "boxes": torch.tensor(boxes).reshape(-1, 4) / SIDE,
        "owners": torch.tensor(owners, dtype=torch.long),
    }


class FindsBoxes(Objective):
    """Says one box for each picture; what is between it and each true one is to be small."""

    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Sequential(nn.Conv2d(3, 8, 8, stride=8), nn.ReLU(), nn.Flatten(), nn.Linear(128, 4))

    def counts(self, batch: Mapping[str, Any]) -> dict[str, int]:
        return {"boxes": len(batch["boxes"])}

    def losses(self, batch: Mapping[str, Any]) -> dict[str, Loss]:
        said: Tensor = self.network(batch["pixels"].float() / 255)
        away = (said[batch["owners"]] - batch["boxes"]).abs().mean(dim=1)
        return {"boxes": Loss.of_sum(away.sum(), len(away))}


def detection(**changes: Any) -> Recipe:
    values: dict[str, Any] = {"sources": [{"detection": True}], "steps": 30, "per_device_batch": 2}
    return recipe(**(values | changes))


def parts(given: Recipe, pack: Path) -> TrainingParts:
    made = Sources.of(given, pack, detection=True)
    source = made.examples(phrasebook=Phrasebook(made.scenes), side=SIDE)
    torch.manual_seed(0)
    return TrainingParts(FindsBoxes(), source, collate, save)


@pytest.mark.parametrize("order", ["shuffled", "length_groups"])
def test_boxes_alone_are_learnt_from(order: str, pack: Path, tmp_path: Path) -> None:
    given = detection(order=order)
    train(parts(given, pack), given, out=tmp_path, world=ALONE)
    losses = [row["boxes"] for row in logged(tmp_path)]
    assert sum(losses[-8:]) < 0.7 * sum(losses[:8])


@pytest.mark.parametrize("system", ["pointer", "ferret", "ferret_v2"])
def test_systems_that_learn_from_dialogues_refuse_it(system: str, pack: Path, tmp_path: Path) -> None:
    views = {"square": system == "pointer"}
    network = {} if system == "pointer" else {"pretrained": False}
    given = toy_recipe(
        system=system, sources=[{}, {"detection": True}], augmentation=views, network=network, objective={}
    )
    with pytest.raises(RecipeError, match=f"{system} learns from dialogues; source '.' is for detection"):
        training_parts(given, data=pack, start=None, work=tmp_path)
