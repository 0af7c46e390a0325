"""The detector's criterion: costs picture by picture, against those of all pictures with all boxes."""

from __future__ import annotations

from typing import Any

from bench.benchmark import Benchmark, Goal, Side
from bench.timing import repeated

OURS, PUBLISHED = "each picture with its own boxes", "all pictures with all boxes"
BENCHMARK = Benchmark(
    name="detection_loss",
    what="matching and losses of 6 decoder layers and 1,024 first candidates, 8 pictures of 100 boxes",
    given={"pictures": 8, "boxes": 100, "queries": 300, "cells": 1024, "layers": 6, "seed": 0},
    sides=(
        Side(OURS, "bench.detection_loss:ours"),
        Side(PUBLISHED, "bench.detection_loss:published"),
    ),
    goals=(Goal("time", OURS, 1 / 6, over=PUBLISHED),),
    tolerance=1e-5,
)


def ours(given: dict[str, Any]) -> dict[str, Any]:
    """Time the criterion of this project."""
    from deixis.training.detection.criterion import DetectionCriterion

    stages, objects, _ = prepared(given)
    criterion = DetectionCriterion()
    made, times = repeated(given, lambda: criterion.of_stages(stages, objects))
    matched = [[chosen.tolist(), own.tolist()] for chosen, own in made.matchings["enc"]]
    return {**times, "values": {"total": float(made.total), "matched": matched}}


def published(given: dict[str, Any]) -> dict[str, Any]:
    """Time the formulation of DETR's programs: one cost matrix of everything, GIoU losses off a diagonal."""
    import torch
    from scipy.optimize import linear_sum_assignment

    from deixis.layers.proposals.box_forms import corners
    from deixis.training.detection.box_losses import focal_loss

    stages, objects, count = prepared(given)
    every, counts = torch.cat(objects), [len(own) for own in objects]

    def stage(logits: Any, boxes: Any) -> Any:
        with torch.no_grad():
            likely, flat = logits.flatten().sigmoid(), boxes.flatten(0, 1)
            found = 0.25 * (1 - likely) ** 2 * -(likely + 1e-8).log()
            missed = 0.75 * likely**2 * -(1 - likely + 1e-8).log()
            table = 2 * (found - missed)[:, None] + 5 * torch.cdist(flat, every, p=1)
            table = table - 2 * all_pairs(corners(flat), corners(every))
            blocks = table.view(*logits.shape, -1).split(counts, dim=-1)
            pairs = [linear_sum_assignment(block[number].numpy()) for number, block in enumerate(blocks)]
        pictures = torch.cat([torch.full((len(own),), n) for n, (own, _) in enumerate(pairs)])
        chosen = torch.cat([torch.from_numpy(own) for own, _ in pairs])
        wanted = torch.cat([own[torch.from_numpy(to)] for own, (_, to) in zip(objects, pairs, strict=True)])
        targets = torch.zeros_like(logits)
        targets[pictures, chosen] = 1
        matched = boxes[pictures, chosen]
        shared = all_pairs(corners(matched), corners(wanted)).diagonal()
        focal = focal_loss(logits, targets, alpha=0.25, gamma=2.0).sum() / count
        shift, overlap = (matched - wanted).abs().sum() / count, (1 - shared).sum() / count
        return 2 * focal + 5 * shift + 2 * overlap, pairs

    def work() -> Any:
        done = {name: stage(*one) for name, one in stages.items()}
        return sum(loss for loss, _ in done.values()), done["enc"][1]

    (total, pairs), times = repeated(given, work)
    matched = [[chosen.tolist(), own.tolist()] for chosen, own in pairs]
    return {**times, "values": {"total": float(total), "matched": matched}}


def all_pairs(first: Any, second: Any) -> Any:
    """Return the generalised IoU of all pairs of corners as DETR's programs work it out."""
    import torch

    areas = [(boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) for boxes in (first, second)]
    low = torch.max(first[:, None, :2], second[:, :2])
    high = torch.min(first[:, None, 2:], second[:, 2:])
    size = (high - low).clamp(min=0)
    shared = size[..., 0] * size[..., 1]
    union = areas[0][:, None] + areas[1] - shared
    hull_low = torch.min(first[:, None, :2], second[:, :2])
    hull_high = torch.max(first[:, None, 2:], second[:, 2:])
    hull_size = (hull_high - hull_low).clamp(min=0)
    hull = hull_size[..., 0] * hull_size[..., 1]
    return shared / union - (hull - union) / hull


def prepared(given: dict[str, Any]) -> tuple[dict[str, Any], list[Any], int]:
    """Return stages by name, the objects of each picture, and how many there are."""
    import torch

    random = torch.Generator().manual_seed(given["seed"])

    def boxes(*shape: int) -> Any:
        return torch.rand(*shape, 4, generator=random) * 0.5 + 0.2

    def stage(count: int) -> Any:
        logits = torch.randn(given["pictures"], count, generator=random)
        return logits.requires_grad_(), boxes(given["pictures"], count).requires_grad_()

    stages = {"last": stage(given["queries"])}
    stages |= {str(number): stage(given["queries"]) for number in range(given["layers"] - 1)}
    stages["enc"] = stage(given["cells"])
    objects = [boxes(given["boxes"]) for _ in range(given["pictures"])]
    return stages, objects, given["pictures"] * given["boxes"]
