"""The losses: targets against a loop, generalised IoU against torchvision's, and batches without places."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torchvision.ops import box_iou, generalized_box_iou

from deixis.errors import RecordError
from deixis.layers.places.box_overlap import generalised_iou
from deixis.layers.places.box_refiner import choose_candidates
from deixis.layers.places.place_map import STRIDE, PlaceMap
from deixis.records.dialogue import Dialogue, Example, Turn
from deixis.systems.pointer.place_head import PlaceScores
from deixis.systems.pointer.training.collate import PointerCollate
from deixis.systems.pointer.training.objective import (
    CLOSE,
    GOOD,
    NEAR,
    RIGHT,
    ObjectiveWeights,
    PointerObjective,
    box_loss,
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


def losses_of(*dialogues: Dialogue, with_phrases: bool = False, candidates: int = 0) -> dict[str, Tensor]:
    network = tiny_network(candidates=candidates)
    vectors = torch.nn.functional.normalize(torch.randn(5, 12), dim=-1) if with_phrases else None
    torch.manual_seed(0)
    objective = PointerObjective(network, weights=ObjectiveWeights(), phrase_vectors=vectors)
    collate = PointerCollate(
        network.config, tiny_vocabulary(), phrase_rows={"the dog": 0, "red hat": 2, "a dog": 3}
    )
    losses: dict[str, Tensor] = objective(collate([Example("one", PICTURE, dialogues)]))
    losses["total"].backward()
    gradients = [p.grad for p in objective.parameters() if p.grad is not None]
    assert gradients and all(torch.isfinite(gradient).all() for gradient in gradients)
    return losses


KINDS = {dialogue.kind: dialogue for dialogue in tiny_dialogues(PICTURE.frame)}


@pytest.mark.parametrize("candidates", [0, 6], ids=["first look", "second look"])
@pytest.mark.parametrize("with_phrases", [False, True], ids=["alone", "taught"])
@pytest.mark.parametrize("kind", [*KINDS, "words alone"])
def test_every_kind_alone_has_finite_losses(kind: str, with_phrases: bool, candidates: int) -> None:
    plain = Dialogue("caption", (Turn("describe.", "a dog."),))
    losses = losses_of(KINDS.get(kind, plain), with_phrases=with_phrases, candidates=candidates)
    assert all(torch.isfinite(value) and value >= 0 for value in losses.values())
    if kind in ("name", "describe", "name_bare", "words alone"):
        assert losses["places"] == 0 and losses["boxes"] == 0 and losses["language_model"] > 0
    if kind.endswith("_bare") and kind != "name_bare":
        assert losses["language_model"] == 0 and losses["places"] > 0
    if kind.startswith("absent"):
        assert losses["boxes"] == 0
    if candidates and kind in ("name", "words alone"):
        assert losses["look"] == 0 and losses["refine"] == 0
    if candidates and kind.startswith("absent"):
        assert losses["look"] > 0 and losses["refine"] == 0
    if with_phrases:
        assert (losses["regions"] > 0) == (kind in ("name",))


def test_the_total_is_the_weighted_sum() -> None:
    losses = losses_of(*KINDS.values(), with_phrases=True, candidates=6)
    weights = ObjectiveWeights()
    parts = {name: value.item() for name, value in losses.items() if name != "total"}
    assert parts.keys() == {
        *("places", "boxes", "language_model", "phrases", "phrase_query"),
        *("regions", "look", "refine", "quality"),
    }
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
        return objective(batch)["language_model"].item(), int((batch["labels"][:, 1:] != -100).sum())

    together, count = words_and_tokens(*chosen)
    alone = [words_and_tokens(dialogue) for dialogue in chosen]
    assert count == sum(tokens for _, tokens in alone)
    assert together == pytest.approx(sum(loss * tokens for loss, tokens in alone) / count, rel=1e-5)


# Regions and what they are called.


def test_regions_learn_the_vectors_of_their_names() -> None:
    network = tiny_network()
    vectors = torch.nn.functional.normalize(torch.randn(5, 12), dim=-1)
    objective = PointerObjective(network, weights=ObjectiveWeights(), phrase_vectors=vectors)
    present = torch.tensor([[True, True, False], [True, False, False]])
    regions = torch.randn(3, network.config.width)
    said = objective.region_to_phrase(regions)
    rows = torch.tensor([[4, -1, -1], [2, -1, -1]])
    away = [1 - torch.cosine_similarity(said[n], vectors[row], dim=0) for n, row in ((0, 4), (2, 2))]
    batch = {"region_phrases": rows, "region_present": present}
    assert objective.region_losses(regions, batch).item() == pytest.approx((sum(away) / 2).item(), rel=1e-5)
    unknown = {"region_phrases": torch.full_like(rows, -1), "region_present": present}
    assert objective.region_losses(regions, unknown).item() == 0


def test_names_of_regions_reach_the_region_encoder() -> None:
    network = tiny_network()
    vectors = torch.nn.functional.normalize(torch.randn(1, 12), dim=-1)
    objective = PointerObjective(network, weights=ObjectiveWeights(), phrase_vectors=vectors)
    collate = PointerCollate(network.config, tiny_vocabulary(), phrase_rows={"a dog": 0})
    dogs = [dialogue for dialogue in tiny_dialogues(PICTURE.frame) if dialogue.turns[0].answer == "a dog."]
    objective(collate([Example("one", PICTURE, dogs)]))["regions"].backward()
    parts = [*network.region_encoder.named_parameters(), *objective.region_to_phrase.named_parameters()]
    assert not [name for name, p in parts if p.grad is None or not (p.grad.abs() > 0).any()]


# The second look.

LOOKED = 6


def look_batch(
    *, missed: bool = False
) -> tuple[PointerObjective, Tensor, PlaceMap, PlaceScores, dict[str, Any]]:
    """Return what a second look learns from: boxes near candidates, or (missed) far from all of them."""
    objective = PointerObjective(
        tiny_network(candidates=LOOKED), weights=ObjectiveWeights(), phrase_vectors=None
    )
    chance = torch.Generator().manual_seed(0)
    hidden = torch.randn(2, 4, objective.network.config.width, generator=chance)
    places = some_map(2)
    width = objective.network.config.map_width
    features = torch.randn(2, width, CELLS, CELLS, generator=chance)
    places = PlaceMap(features, features, features, features.flatten(2), places.boxes)
    scores = PlaceScores(torch.randn(2, 4, CELLS * CELLS, generator=chance), torch.zeros(2, 4))
    batch = some_batch()
    found = choose_candidates(scores.locations, scores.nowhere, places.boxes, count=LOOKED).boxes
    wide = found[:, :, :3, 2:] - found[:, :, :3, :2]
    batch["place_boxes"] = found[:, :, :3] + torch.cat([wide * 0.1, -wide * 0.05], dim=-1)
    if missed:
        batch["place_boxes"] = batch["place_boxes"] + 10 * SIDE
        batch["place_counts"] = batch["place_counts"].clamp(min=1)
    return objective, hidden, places, scores, batch


def test_the_second_look_learns_what_a_loop_says() -> None:
    objective, hidden, places, scores, batch = look_batch()
    batch["place_boxes"][0, 1] += 10 * SIDE  # among no candidate: it adds nothing, but counts
    candidates = choose_candidates(scores.locations, scores.nowhere, places.boxes, count=LOOKED)
    look = objective.network.second_look(hidden, places, candidates)[-1]
    choices, moves, judged = [], [], []
    for b, p in batch["place_present"].nonzero().tolist():
        truth = batch["place_boxes"][b, p, : int(batch["place_counts"][b, p])]
        logs = torch.cat([look.scores[b, p], look.none[b, p, None]]).log_softmax(dim=0)
        if len(truth) == 0:
            choices.append(-logs[-1].item())
            continue
        right = (box_iou(look.boxes[b, p], truth).amax(dim=1) >= GOOD).float()
        likely = look.quality[b, p].sigmoid()
        judged.append(-(right * likely.log() + (1 - right) * (1 - likely).log()).mean().item())
        overlaps = box_iou(candidates.boxes[b, p], truth)
        fits = [min(max((iou - CLOSE) / (RIGHT - CLOSE), 0), 1) for iou in overlaps.amax(dim=1).tolist()]
        if sum(fits) > 0:
            choices.append(sum(-f / sum(fits) * log for f, log in zip(fits, logs.tolist(), strict=False)))
        away = [
            1 - generalized_box_iou(look.boxes[b, p, k, None], truth[row.argmax(), None]).item()
            for k, row in enumerate(overlaps)
            if row.max() > NEAR
        ]
        moves.append(sum(away) / max(len(away), 1))
    losses = objective.refiner_losses(hidden, places, scores, batch)
    present = int(batch["place_present"].sum())
    assert len(choices) == present - 1 and len(moves) == len(judged) > 2 and moves.count(0) == 1
    assert losses["look"].item() == pytest.approx(sum(choices) / present, rel=1e-4)
    assert losses["refine"].item() == pytest.approx(sum(moves) / len(moves), rel=1e-4)
    assert losses["quality"].item() == pytest.approx(sum(judged) / len(judged), rel=1e-4)


def test_every_look_is_judged_by_the_boxes_that_it_was_shown() -> None:
    objective, hidden, places, scores, batch = look_batch()
    looker = objective.network.second_look
    looker.looks, looker.again = 2, torch.nn.Parameter(torch.zeros(1, hidden.shape[-1]))
    candidates = choose_candidates(scores.locations, scores.nowhere, places.boxes, count=LOOKED)
    first, second = looker(hidden, places, candidates)
    alone = objective.look_losses(first, candidates.boxes, batch)
    again = objective.look_losses(second, first.boxes.detach(), batch)
    both = objective.refiner_losses(hidden, places, scores, batch)
    assert both.keys() == alone.keys() == {"look", "refine", "quality"}
    for name, value in both.items():
        assert value.item() == pytest.approx((alone[name] + again[name]).item() / 2, rel=1e-4)
    assert again["refine"].item() != pytest.approx(alone["refine"].item(), rel=1e-3)


def test_a_phrase_among_no_candidate_teaches_nothing_but_that_all_are_wrong() -> None:
    objective, hidden, places, scores, batch = look_batch(missed=True)
    losses = objective.refiner_losses(hidden, places, scores, batch)
    assert losses["look"].item() == 0 and losses["refine"].item() == 0
    assert losses["quality"] > 0
    (losses["look"] + losses["refine"]).backward()
    assert not [n for n, p in objective.network.named_parameters() if p.grad is not None and p.grad.any()]


def test_boxes_that_only_pad_are_no_truth() -> None:
    objective, hidden, places, scores, batch = look_batch()
    before = objective.refiner_losses(hidden, places, scores, batch)
    padding = torch.arange(3) >= batch["place_counts"][..., None]
    boxes = batch["place_boxes"].clone()
    boxes[padding] = torch.tensor([0.0, 0.0, SIDE, SIDE])
    after = objective.refiner_losses(hidden, places, scores, batch | {"place_boxes": boxes})
    assert after == before


@pytest.mark.parametrize("reduced", [False, True], ids=["float32", "bfloat16"])
def test_gradients_reach_every_part_of_the_second_look(reduced: bool) -> None:
    network = tiny_network(candidates=LOOKED)
    objective = PointerObjective(network, weights=ObjectiveWeights(), phrase_vectors=None)
    collate = PointerCollate(network.config, tiny_vocabulary(), phrase_rows={})
    batch = collate([Example("one", PICTURE, tuple(KINDS.values())), Example("two", PICTURE, ())])
    looked_at: list[Tensor] = []
    network.second_look.register_forward_hook(lambda _, given, __: looked_at.append(given[2].boxes))
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=reduced):
        objective(batch)
        # Of random weights nothing is near what was drawn: say that some candidates are right, nearly.
        batch["place_boxes"] = looked_at[0][:, :, 1:3] + 0.3
        losses = objective(batch)
    assert losses["look"] > 0 and losses["look"].isfinite() and losses["refine"].isfinite()
    (losses["look"] + losses["refine"] + losses["quality"]).backward()
    unreached = [
        name
        for name, parameter in network.second_look.named_parameters()
        if parameter.grad is None or not (parameter.grad.abs() > 0).any()
    ]
    assert not unreached
    for part in (network.decoder, network.mapper.smooth_fine, network.mapper.smooth_middle):
        assert all(p.grad is not None and p.grad.isfinite().all() for p in part.parameters())
        assert any((p.grad.abs() > 0).any() for p in part.parameters() if p.grad is not None)
