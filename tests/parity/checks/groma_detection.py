"""Checks of Groma's detector: the proposer with everything inside it, its loss, matching and gradients."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from deixis.layers.proposals.box_forms import corners, overlaps
from deixis.training.detection.criterion import DetectionCriterion, DetectionLoss, Weights
from deixis.training.detection.matching import Costs
from tests.parity.case import Case
from tests.parity.planning import Check


def objects_of(case: Case) -> list[Tensor]:
    """Return the objects of each picture."""
    names = sorted(
        (name for name in case.golden.tensors if name.startswith("inputs/gt_boxes_")),
        key=lambda name: int(name.rpartition("_")[2]),
    )
    return [case.golden.tensors[name] for name in names]


def plain(matchings: dict[str, Any], names: list[str]) -> list[list[list[list[int]]]]:
    """Return matchings as the case's lists."""
    return [[[own.tolist() for own in pair] for pair in matchings[name]] for name in names]


def expect_losses(case: Case, loss: DetectionLoss) -> None:
    for name, value in loss.named().items():
        case.output(f"loss_dict/{name}", value.reshape(1))


def check_losses(case: Case) -> None:
    """Matching and losses of raw tensors."""
    config = case.given("config")
    assert config["num_classes"] == 1
    objects = objects_of(case)
    case.expect("gt_counts", ours=[len(own) for own in objects])
    costs = Costs(
        classes=config["class_cost"],
        shift=config["bbox_cost"],
        overlap=config["giou_cost"],
        alpha=config["matcher_alpha"],
        gamma=config["matcher_gamma"],
    )
    assert config["log_eps"] == 1e-8
    criterion = DetectionCriterion(
        costs=costs,
        weights=Weights(classes=config["cls_w"], shift=config["bbox_w"], overlap=config["giou_w"]),
        alpha=config["focal_alpha"],
        gamma=config["focal_gamma"],
    )
    logits = case.input("logits").requires_grad_()
    raw = case.input("boxes_logit").requires_grad_()
    boxes = raw.sigmoid()
    every = torch.cat(objects)
    case.output("cost_matrix_last", costs.of(logits[..., 0], boxes, every.expand(len(boxes), -1, -1)))
    case.output("giou_last", overlaps(corners(boxes)[:, :, None], corners(every)[None, None])[1])
    stages = {"last": (logits[..., 0], boxes)}
    number = 0
    while f"inputs/aux{number}_logits" in case.golden.tensors:
        name = f"aux{number}"
        stages[str(number)] = (case.input(f"{name}_logits")[..., 0], case.input(f"{name}_boxes"))
        number += 1
    stages["enc"] = (case.input("enc_logits")[..., 0], case.input("enc_boxes"))
    loss = criterion.of_stages(stages, objects)
    order = ["last", *(f"aux{one}" for one in range(number)), "enc"]
    case.expect("assignments", "order", ours=order)
    ours = plain(loss.matchings, [name.removeprefix("aux") for name in order])
    case.expect("assignments", "per_call", ours=ours)
    expect_losses(case, loss)
    case.output("total", loss.total.reshape(1))
    loss.total.backward()
    for name, tensor in (("logits", logits), ("boxes_logit", raw)):
        assert tensor.grad is not None
        case.output(f"grad_{name}", tensor.grad, under="gradients")


DETECTION: dict[str, Check] = {
    "det_losses": Check(check_losses, given=("config", "weights")),
}
