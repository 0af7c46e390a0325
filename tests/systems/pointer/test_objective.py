"""The losses: targets against a loop, generalised IoU against torchvision's, and batches without places."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torchvision.ops import generalized_box_iou

from deixis.data.dialogue import Dialogue, Example, Turn
from deixis.errors import RecordError
from deixis.layers.place_map import STRIDE, PlaceMap
from deixis.systems.pointer.collate import PointerCollate
from deixis.systems.pointer.model import PlaceScores
from deixis.systems.pointer.objective import (
    ObjectiveWeights,
    PointerObjective,
    box_loss,
    generalised_iou,
    mean_where,
    place_loss,
    place_targets,
)
from tests.systems.pointer.tiny import SIDE, noise_picture, tiny_dialogues, tiny_network, tiny_vocabulary

CELLS = SIDE // STRIDE
PICTURE = noise_picture(SIDE, SIDE)


def random_boxes(*shape: int, seed: int = 0) -> Tensor:
    """Return boxes (…, 4) of all sizes inside the square picture."""
    chance = torch.Generator().manual_seed(seed)
    corners = torch.rand(*shape, 2, 2, generator=chance).sort(dim=-2).values * (SIDE - 1)
    return torch.cat([corners[..., 0, :], corners[..., 1, :] + 0.5], dim=-1)


def some_map(batch: int) -> PlaceMap:
    fine = torch.zeros(batch, 4, CELLS, CELLS)
    boxes = random_boxes(batch, CELLS * CELLS, seed=1)
    return PlaceMap(fine=fine, middle=fine, coarse=fine, keys=fine.flatten(2), boxes=boxes)


def some_batch() -> dict[str, Any]:
    counts = torch.tensor([[1, 3, 0, 2], [1, 0, 0, 0]])
    return {
        "place_boxes": random_boxes(2, 4, 3),
        "place_counts": counts,
        "place_present": torch.tensor([[True] * 4, [True, True, False, False]]),
    }


def target_by_loop(boxes: list[list[float]]) -> list[float]:
    """Return the target of one place token, written out."""
    if not boxes:
        return [0.0] * (CELLS * CELLS) + [1.0]
    shares = [0.0] * (CELLS * CELLS)
    for x0, y0, x1, y1 in boxes:
        reach_x, reach_y = max((x1 - x0) / 4, STRIDE / 2), max((y1 - y0) / 4, STRIDE / 2)
        near = [
            row * CELLS + column
            for row in range(CELLS)
            for column in range(CELLS)
            if abs((column + 0.5) * STRIDE - (x0 + x1) / 2) <= reach_x
            and abs((row + 0.5) * STRIDE - (y0 + y1) / 2) <= reach_y
        ]
        for location in near:
            shares[location] += 1 / len(near) / len(boxes)
    return [*shares, 0.0]


def test_place_targets_are_those_of_a_loop() -> None:
    batch = some_batch()
    targets = place_targets(batch, some_map(2))
    assert targets.shape == (2, 4, CELLS * CELLS + 1)
    for b in range(2):
        for p in range(4):
            count = int(batch["place_counts"][b, p])
            expected = target_by_loop(batch["place_boxes"][b, p, :count].tolist())
            assert targets[b, p].tolist() == pytest.approx(expected, abs=1e-6)
    assert targets.sum(dim=-1).flatten().tolist() == pytest.approx([1.0] * 8)


@pytest.mark.parametrize(
    "box",
    [(0, 0, 1, 1), (0, 0, 64, 64), (63, 63, 64, 64), (8, 8, 8.5, 8.5), (24, 0, 40, 64), (15.99, 0, 16.01, 1)],
    ids=str,
)
def test_every_box_inside_the_picture_has_a_location(box: tuple[float, ...]) -> None:
    batch = {"place_boxes": torch.tensor([[[list(box)]]]), "place_counts": torch.tensor([[1]])}
    targets = place_targets(batch, some_map(1))
    assert targets[..., :-1].sum().item() == pytest.approx(1.0)
    assert targets[..., -1].item() == 0


def test_generalised_iou_is_that_of_torchvision() -> None:
    first, second = random_boxes(500, seed=2), random_boxes(500, seed=3)
    expected = generalized_box_iou(first, second).diagonal()
    assert torch.allclose(generalised_iou(first, second), expected, atol=1e-5)
    assert torch.allclose(generalised_iou(first, first), torch.ones(500))
    nothing = torch.zeros(2, 4)
    assert torch.isfinite(generalised_iou(nothing, nothing)).all()


def test_place_loss_is_the_cross_entropy_of_the_present_ones() -> None:
    batch, places = some_batch(), some_map(2)
    targets = place_targets(batch, places)
    scores = PlaceScores(torch.randn(2, 4, CELLS * CELLS), torch.randn(2, 4))
    present = [(b, p) for b in range(2) for p in range(4) if batch["place_present"][b, p]]
    logs = [scores.joint()[b, p].log_softmax(dim=0) for b, p in present]
    losses = [-(targets[b, p] * log).sum() for (b, p), log in zip(present, logs, strict=True)]
    assert place_loss(scores, targets, batch).item() == pytest.approx(torch.stack(losses).mean().item())


def test_box_loss_is_of_phrases_with_one_box_only() -> None:
    batch, places = some_batch(), some_map(2)
    targets = place_targets(batch, places)
    expected = []
    for b, p in ((0, 0), (1, 0)):
        overlap = generalised_iou(places.boxes[b], batch["place_boxes"][b, p, 0].expand(CELLS * CELLS, 4))
        expected.append((targets[b, p, :-1] * (1 - overlap)).sum().item())
    assert box_loss(places.boxes, targets, batch).item() == pytest.approx(sum(expected) / 2, rel=1e-5)


def test_mean_where_nothing_is_chosen_is_zero() -> None:
    assert mean_where(torch.ones(2, 3), torch.zeros(2, 3, dtype=torch.bool)).item() == 0
    assert mean_where(torch.ones(1, 0), torch.zeros(1, 0, dtype=torch.bool)).item() == 0


def losses_of(*dialogues: Dialogue, teacher: bool = False) -> dict[str, Tensor]:
    network = tiny_network()
    vectors = torch.nn.functional.normalize(torch.randn(5, 12), dim=-1) if teacher else None
    torch.manual_seed(0)
    objective = PointerObjective(network, weights=ObjectiveWeights(), phrase_vectors=vectors)
    collate = PointerCollate(network.config, tiny_vocabulary(), phrase_rows={"the dog": 0, "red hat": 2})
    losses: dict[str, Tensor] = objective(collate([Example("one", PICTURE, dialogues)]))
    losses["total"].backward()
    gradients = [p.grad for p in objective.parameters() if p.grad is not None]
    assert gradients and all(torch.isfinite(gradient).all() for gradient in gradients)
    return losses


KINDS = {dialogue.kind: dialogue for dialogue in tiny_dialogues(PICTURE.frame)}


@pytest.mark.parametrize("teacher", [False, True], ids=["alone", "taught"])
@pytest.mark.parametrize("kind", [*KINDS, "words alone"])
def test_every_kind_alone_has_finite_losses(kind: str, teacher: bool) -> None:
    plain = Dialogue("caption", (Turn("describe.", "a dog."),))
    losses = losses_of(KINDS.get(kind, plain), teacher=teacher)
    assert all(torch.isfinite(value) and value >= 0 for value in losses.values())
    if kind in ("name", "describe", "name_bare", "words alone"):
        assert losses["places"] == 0 and losses["boxes"] == 0 and losses["words"] > 0
    if kind.endswith("_bare") and kind != "name_bare":
        assert losses["words"] == 0 and losses["places"] > 0
    if kind.startswith("absent"):
        assert losses["boxes"] == 0


def test_the_total_is_the_weighted_sum() -> None:
    losses = losses_of(*KINDS.values(), teacher=True)
    weights = ObjectiveWeights()
    parts = {name: value.item() for name, value in losses.items() if name != "total"}
    assert parts.keys() == {"places", "boxes", "words", "phrases", "phrase_query"}
    expected = sum(getattr(weights, name) * value for name, value in parts.items())
    assert losses["total"].item() == pytest.approx(expected, rel=1e-5)


def test_a_batch_without_anything_to_learn_is_an_error() -> None:
    network = tiny_network()
    objective = PointerObjective(network, weights=ObjectiveWeights(), phrase_vectors=None)
    collate = PointerCollate(network.config, tiny_vocabulary(), phrase_rows={})
    silent = Dialogue("name", (Turn("what is this?", "a dog."),), words_learnt=False)
    for dialogues in ((), (silent,)):
        with pytest.raises(
            RecordError, match=r"no answer in this batch is learnt from; pictures: .*a picture"
        ):
            objective(collate([Example("a picture", PICTURE, dialogues)]))


def test_dialogues_packed_behind_a_picture_learn_as_if_they_were_alone() -> None:
    """The losses of words of two dialogues are the mean over their tokens, whatever they are packed with."""
    network = tiny_network()
    collate = PointerCollate(network.config, tiny_vocabulary(), phrase_rows={})
    objective = PointerObjective(network, weights=ObjectiveWeights(), phrase_vectors=None)
    chosen = [KINDS["name"], KINDS["locate"], KINDS["two_turns"]]

    def words_and_tokens(*dialogues: Dialogue) -> tuple[float, int]:
        batch = collate([Example("one", PICTURE, dialogues)])
        return objective(batch)["words"].item(), int((batch["labels"][:, 1:] != -100).sum())

    together, count = words_and_tokens(*chosen)
    alone = [words_and_tokens(dialogue) for dialogue in chosen]
    assert count == sum(tokens for _, tokens in alone)
    assert together == pytest.approx(sum(loss * tokens for loss, tokens in alone) / count, rel=1e-5)
