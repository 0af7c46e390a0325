"""Checks of the visual sampler, in the layout of Ferret's cases and in that of Ferret-v2's.

Every case is computed factorised and pair by pair with the stored choices fed in, and once more with our own
choices, whose distances are compared with those of the stored ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.literal_sampler import literal_regions
from deixis.layers.regions.neighbour_pooling import NeighbourPooling
from deixis.layers.regions.point_draws import DrawnRegions, draw_points
from deixis.layers.regions.point_sets import FAR, PointSet, rows_of, squared_distances
from deixis.layers.regions.sampler_size import SamplerSize
from deixis.layers.regions.visual_sampler import VisualSampler
from deixis.regions.pixels import RegionPixels
from tests.parity.case import Case
from tests.parity.planning import Check

SETTINGS = ("input_dim", "output_dim", "num_init_point", "num_sub_point", "num_neighbor", "pooler_mode")
PRECISIONS = ("weights", "original_dtype", "return_dtype")


@dataclass(frozen=True)
class Replay:
    """What a case gives: the sampler with its weights, maps (D, H, W), what was drawn and what was chosen.

    leaves: the stored maps, by their names, of which ``maps`` are views. precision: of all after the reading.
    """

    sampler: VisualSampler
    leaves: Mapping[str, Tensor]
    maps: list[Tensor]
    drawn: DrawnRegions
    chosen: list[PointSet]
    precision: torch.dtype


def check_ferret_sampler(case: Case) -> None:
    """Regions of square maps given as rows, in any precision, with what came out on the way."""
    weights, raw, precision = (
        getattr(torch, case.given("dtypes", name).removeprefix("torch.")) for name in PRECISIONS
    )
    rows = case.input("feature_map").to(raw).requires_grad_()
    side = case.given("config", "grid")
    maps = [one.t().unflatten(1, (side, side)) for one in rows]
    owners = case.given("region_owner_image")
    assert not set(owners) & set(case.given("images_without_region"))
    replay = replayed(
        case,
        case.given("config"),
        leaves={"feature_map": rows},
        maps=maps,
        owners=owners,
        precision=precision,
    )
    assert replay.sampler.dim_projector.weight.dtype == weights
    check_replay(case, replay, regions="regions")


def check_ferret_v2_sampler(case: Case) -> None:
    """Regions of maps of any shape, with the gradients of weights and maps."""
    config = {name: case.given(name) for name in SETTINGS} | {"point_order": case.given("point_order")}
    owners = [region["image"] for region in case.given("regions")]
    leaves, maps = {}, []
    while f"inputs/feature_map_{len(maps)}" in case.golden.tensors:
        name = f"feature_map_{len(maps)}"
        leaves[name] = case.input(name).clone().requires_grad_()
        maps.append(channels_first(leaves[name]))
    replay = replayed(case, config, leaves=leaves, maps=maps, owners=owners, precision=torch.float32)
    check_replay(case, replay, regions="region_features")


def replayed(
    case: Case,
    config: Mapping[str, Any],
    *,
    leaves: Mapping[str, Tensor],
    maps: list[Tensor],
    owners: list[int],
    precision: torch.dtype,
) -> Replay:
    """Return what a case gives, from the fields that both layouts share."""
    size = SamplerSize(
        points=config["num_init_point"],
        anchors=config["num_sub_point"],
        neighbours=config["num_neighbor"],
        pooling=config["pooler_mode"],
    )
    weights = case.weights()
    sampler = VisualSampler(
        width=config["input_dim"],
        out_width=config["output_dim"],
        size=size,
        point_order="xy" if config.get("point_order", "").startswith("xy") else "transposed",
    )
    sampler.to(weights["dim_projector.weight"].dtype).load_state_dict(weights)
    stages = range(len(size.anchors))
    drawn = DrawnRegions(
        points=case.input("sampled_points").float(),
        pictures=torch.tensor(owners, dtype=torch.int64),
        starts=torch.stack([case.input(f"fps_start_{stage}").long() for stage in stages]),
    )
    chosen = [
        PointSet(case.fed(f"fps_idx_{stage}").long(), case.fed(f"knn_idx_{stage}").long()) for stage in stages
    ]
    return Replay(sampler.eval(), leaves, maps, drawn, chosen, precision)


def channels_first(given: Tensor) -> Tensor:
    """Return (D, H, W) of a map (H, W, D), or of the rows (H W, D) of a square one."""
    if given.ndim == 2:
        side = round(given.shape[0] ** 0.5)
        given = given.unflatten(0, (side, side))
    return given.permute(2, 0, 1)


def check_replay(case: Case, replay: Replay, *, regions: str) -> None:
    """Compare all that a case stores. regions: the name of the output."""
    compare_draws(case, replay)
    # As in mixed precision training, where the weights keep theirs.
    mixed = replay.precision != replay.sampler.dim_projector.weight.dtype
    with torch.autocast("cpu", dtype=replay.precision if mixed else torch.bfloat16, enabled=mixed):
        compare_choices(case, replay)
        with torch.no_grad():
            compare_values(case, replay, regions=regions)
        compare_gradients(case, replay)


def compare_draws(case: Case, replay: Replay) -> None:
    """Compare our draws from the stored masks (W, H), or their pixels, with these and the stored points."""
    count, owners = replay.sampler.size.points, replay.drawn.pictures.tolist()
    for number, owner in enumerate(owners):
        place = f"{owner}_{owners[:number].count(owner)}"
        if f"inputs/mask_{place}" in case.golden.tensors:
            mask = case.input(f"mask_{place}").t().numpy() > 0
        elif f"inputs/mask_points_{place}" in case.golden.tensors:
            width, height = case.given("regions")[number]["mask_size_wh"]
            mask = np.zeros((height, width), dtype=bool)
            x, y = case.input(f"mask_points_{place}").long().t()
            mask[y, x] = True
        else:
            continue
        pixels = RegionPixels.from_mask(mask)
        assert pixels.count == mask.sum()
        assert np.array_equal(pixels.mask(), mask)
        ours, stored = draw_points(pixels, count=count), replay.drawn.points[number]
        size = torch.tensor([pixels.width, pixels.height])
        drawn_from_mask = torch.equal((stored * size).round() / size, stored)  # otherwise they were given
        for points in (ours, stored) if drawn_from_mask else (ours,):
            x, y = (points * size).round().long().t()
            assert mask[y, x].all(), "a drawn point is no pixel of its region"
            assert len(set(zip(x.tolist(), y.tolist(), strict=True))) == min(pixels.count, count)
        if drawn_from_mask and pixels.count <= count:
            assert torch.equal(ours[: pixels.count], stored[: pixels.count]), (
                "all pixels come first, in order"
            )


def compare_choices(case: Case, replay: Replay) -> None:
    """Compare the distances of our own choices with those of the stored ones, in the case's precision."""
    points = of_stored = of_ours = replay.sampler.placed(replay.drawn)
    slack = 16 * torch.finfo(points.dtype).eps
    for stage, (ours, stored) in enumerate(
        zip(replay.sampler.choose(replay.drawn), replay.chosen, strict=True)
    ):
        assert all(len(set(row)) == len(row) for row in ours.neighbours.flatten(0, 1).tolist())
        gaps = [gaps_of(rows_of(of_ours, ours.anchors)), gaps_of(rows_of(of_stored, stored.anchors))]
        case.settle(f"outputs/fps_idx_{stage}", agrees=same_numbers(*gaps, slack=slack), how="the distances")
        near = [neighbour_distances(of_ours, ours), neighbour_distances(of_stored, stored)]
        case.settle(f"outputs/knn_idx_{stage}", agrees=same_numbers(*near, slack=slack), how="the distances")
        of_ours, of_stored = rows_of(of_ours, ours.anchors), rows_of(of_stored, stored.anchors)


def gaps_of(anchors: Tensor) -> Tensor:
    """Return (R, A): how far each anchor (R, A, 2) was from all before it when it was chosen."""
    distances = (anchors[:, :, None] - anchors[:, None]).double().square().sum(dim=-1)
    before = torch.ones_like(distances, dtype=torch.bool).tril(diagonal=-1)
    return distances.masked_fill(~before, FAR).amin(dim=2)


def neighbour_distances(points: Tensor, chosen: PointSet) -> Tensor:
    """Return (R, A K): how far the neighbours are from their anchors, by the formula that decides."""
    distances = squared_distances(rows_of(points, chosen.anchors), points)
    return distances.gather(2, chosen.neighbours).flatten(1)


def same_numbers(ours: Tensor, stored: Tensor, *, slack: float) -> bool:
    """Return whether the rows of two tables hold the same numbers, in any order."""
    first, second = (table.double().sort(dim=1).values for table in (ours, stored))
    return torch.allclose(first, second, rtol=0, atol=slack)


def compare_values(case: Case, replay: Replay, *, regions: str) -> None:
    """Compare the regions' vectors of both forms, and whatever is stored of the way to them."""
    sampler, maps, drawn, chosen = replay.sampler, replay.maps, replay.drawn, replay.chosen

    def compare(name: str, value: Tensor) -> None:
        if f"outputs/{name}" in case.golden.tensors:
            case.output(name, value)

    case.output(regions, literal_regions(sampler, maps, drawn, chosen=chosen, tell=compare))
    with watched(sampler) as seen:
        case.output(regions, sampler(maps, drawn, chosen=chosen))
    for name, parts in seen.items():
        compare(name, torch.cat(parts))
    case.output(regions, sampler(maps, drawn))
    compare("point_features", sampler.point_features(maps, drawn).to(replay.precision))


@contextmanager
def watched(sampler: VisualSampler) -> Iterator[dict[str, list[Tensor]]]:
    """Give what the factorised stages and the projector return, some regions after the other."""
    seen: dict[str, list[Tensor]] = {}

    def stage_hook(stage: int) -> Callable[..., None]:
        def hook(pool: NeighbourPooling, given: tuple[Tensor, Tensor, Tensor], value: Tensor) -> None:
            for points, anchors, rows in zip(*given, strict=True):
                pairs = pool.pairs(points, anchors, rows).transpose(1, 2)  # (A, D, K)
                seen.setdefault(f"stage{stage}_agg", []).append(pairs[None])
            seen.setdefault(f"stage{stage}_features", []).append(value)

        return hook

    def flatten_hook(_module: object, _given: object, value: Tensor) -> None:
        seen["flatten"] = [value]

    hooks = [
        pool.register_forward_hook(stage_hook(stage)) for stage, pool in enumerate(sampler.agg_projector_list)
    ]
    hooks.append(sampler.flatten_projector.register_forward_hook(flatten_hook))
    yield seen
    for hook in hooks:
        hook.remove()


def compare_gradients(case: Case, replay: Replay) -> None:
    """Compare the gradients of the stored loss in both forms, where the case has some."""
    if "outputs/loss" not in case.golden.tensors:
        return
    named = {**dict(replay.sampler.named_parameters()), **replay.leaves}
    for compute in (literal_regions, VisualSampler.__call__):
        regions = compute(replay.sampler, replay.maps, replay.drawn, chosen=replay.chosen)
        loss = (regions * torch.linspace(-1, 1, regions.numel()).reshape(regions.shape)).sum()
        case.output("loss", loss)
        gradients = torch.autograd.grad(loss, list(named.values()), materialize_grads=True)
        for name, gradient in zip(named, gradients, strict=True):
            if f"outputs/grad/{name}" in case.golden.tensors:
                case.output(f"grad/{name}", gradient, under="gradients")
            else:
                assert not gradient.any(), f"the case has no gradient of {name}, we have one"


REMARKS = ("module", "torch_seed", "region_shapes", "mask_layout", "randomness", "selection_note")

FERRET: dict[str, Check] = {
    "sampler": Check(
        check_ferret_sampler,
        given=("config", "dtypes", "region_owner_image", "images_without_region", *REMARKS),
    )
}
FERRET_V2: dict[str, Check] = {
    "sampler": Check(
        check_ferret_v2_sampler, given=(*SETTINGS, "point_order", "regions", "loss", "min_knn_margin")
    )
}
