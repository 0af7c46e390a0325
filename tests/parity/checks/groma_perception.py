"""Checks of Groma's perception: positions, attention, RoIAlign, fusion, region encoder, selection."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from deixis.layers.proposals.deformable_attention import DeformableAttention, sample_levels
from deixis.layers.proposals.proposing import SOURCES, Source, fused_scores
from deixis.layers.region_levels.level_fusion import LevelFusion, coordinates
from deixis.layers.region_levels.region_encoder import LevelRegionEncoder, RegionEncoderSize
from deixis.layers.region_levels.region_pooling import pool_boxes
from deixis.layers.towers.feature_tower import resized_positions
from deixis.systems.groma.detector.selection import SelectionRules, select
from tests.parity.case import Case
from tests.parity.planning import Check


def below(tensors: dict[str, Tensor], start: str) -> dict[str, Tensor]:
    """Return the tensors whose names begin so, without that beginning."""
    return {key.removeprefix(start): one for key, one in tensors.items() if key.startswith(start)}


def named(case: Case, start: str) -> list[str]:
    """Return the names of expected tensors that begin so, without ``outputs/``."""
    names = [key.removeprefix("outputs/") for key in case.golden.tensors if key.startswith("outputs/")]
    return [name for name in names if name.startswith(start)]


def check_positions(case: Case) -> None:
    """A table of positions resized by a factor, and the other way to do it."""
    table = case.input("position_embeddings")[0]
    grid = tuple(case.given("config", "target_grid"))
    assert len(table) == 1 + case.given("config", "stored_grid") ** 2
    published = resized_positions(table, grid, interpolation="scale_factor")[None]
    other = resized_positions(table, grid, interpolation="size")[None, 1:]
    case.output("interpolated", published)
    case.output("not_this_size_based_variant", other)
    difference = float((published[:, 1:] - other).abs().max())
    case.expect("max_abs_diff_between_the_two_variants", ours=difference, under="values")


def check_deformable(case: Case) -> None:
    """Deformable attention: sampling alone, then with its projections, both with gradients."""
    shapes = [tuple(shape) for shape in case.given("config", "spatial_shapes_hw")]
    names = ("value", "sampling_locations", "attention_weights")
    value, locations, weights = (case.input(f"core/{name}").requires_grad_() for name in names)
    assert case.input("core/spatial_shapes").tolist() == [list(shape) for shape in shapes]
    output = sample_levels(value, shapes, locations, weights)
    case.output("core/output", output)
    output.backward(case.input("core/grad_output"))
    for name, tensor in zip(names, (value, locations, weights), strict=True):
        assert tensor.grad is not None
        case.output(f"core/grad_{name}", tensor.grad, under="gradients")
    check_module(case, shapes)


def check_module(case: Case, shapes: list[tuple[int, int]]) -> None:
    module = DeformableAttention(
        case.given("config", "d_model"),
        heads=case.given("config", "num_heads"),
        levels=case.given("config", "num_levels"),
        points=case.given("config", "num_points"),
    )
    module.load_state_dict(case.weights())
    hidden = case.input("module/hidden_states").requires_grad_()
    memory = case.input("module/encoder_hidden_states").requires_grad_()
    reference = case.input("module/reference_points")
    assert reference.shape[-1] == case.given("config", "reference_dim")
    query = hidden + case.input("module/position_embeddings")
    output = module(query, memory, shapes=shapes, reference=reference)
    case.output("module/attention_weights", module.looks(query, shapes=shapes, reference=reference)[0])
    case.output("module/output", output)
    output.backward(case.input("module/grad_output"))
    own = {"hidden_states": hidden.grad, "encoder_hidden_states": memory.grad}
    parameters = {f"weight.{name}": one.grad for name, one in module.named_parameters()}
    for name in named(case, "module/grad_"):
        gradient = {**own, **parameters}[name.removeprefix("module/grad_")]
        assert gradient is not None
        case.output(name, gradient, under="gradients")


def check_roi_align(case: Case) -> None:
    """Samples inside boxes of all kinds, with gradients."""
    for situation in case.given("config"):
        config = case.given("config", situation)
        assert config["aligned"] and config["pool_mode"] == "avg"
        maps = case.input(f"{situation}/features").requires_grad_()
        pooled = pool_boxes(
            maps,
            case.input(f"{situation}/rois"),
            side=config["output_size"],
            scale=config["spatial_scale"],
            samples=config["sampling_ratio"],
        )
        case.output(f"{situation}/pooled", pooled)
        share = float((pooled != 0).float().mean())
        assert abs(share - config["nonzero_fraction"]) < 1e-6, f"{situation}: {share} is not zero"
        pooled.backward(case.input(f"{situation}/grad_output"))
        assert maps.grad is not None
        case.output(f"{situation}/grad_features", maps.grad, under="gradients")


def check_fusion(case: Case) -> None:
    """Levels that exchange channels."""
    config = case.given("config")
    channels, levels = config["embed_dims"], config["num_levels"]
    assert config["input_dims"] == channels
    assert config["fuse_lvl_list"] == [[n, min(n + 1, levels - 1), max(n - 1, 0)] for n in range(levels)]
    assert config["shuffle_channels"] == channels // 4
    assert config["remain_channels"] == channels - 2 * (channels // 4)
    fusion = LevelFusion(channels, levels=levels, rounds=config["num_fuse"], groups=config["gn_groups"])
    fusion.load_state_dict(case.weights())
    maps = [case.input(f"level{level}") for level in range(levels)]
    for name in named(case, "coord_feat_level"):
        case.output(name, coordinates(maps[int(name.removeprefix("coord_feat_level"))]))
    for level, fused in enumerate(fusion(maps)):
        case.output(f"level{level}", fused)


def region_size(config: dict[str, Any]) -> RegionEncoderSize:
    """Return the size that a case's fields stand for."""
    strides = config["featmap_strides"]
    size = RegionEncoderSize(
        levels=config["num_levels"],
        rounds=config["num_fuse"],
        groups=config["gn_groups"],
        roi_side=config["roi_output_size"],
        hidden=config["region_mid_dim"],
        position_hidden=config["pos_hidden_dim"],
        box_scale=config["box_scale"],
        stride=2 * strides[-1],
        samples=config.get("roi_sampling_ratio", 2),
    )
    assert list(size.strides()) == strides
    assert config.get("roi_aligned", True)
    return size


def check_region_encoder(case: Case) -> None:
    """Vectors of boxes, everything on the way, and gradients."""
    config = case.given("config")
    encoder = LevelRegionEncoder(config["embed_dims"], config["out_dims"], region_size(config))
    encoder.load_state_dict(case.weights())
    states = [case.input(f"hidden_state_minus{n}") for n in reversed(range(1, config["num_levels"] + 1))]
    assert states[0].shape[1] == config["base_grid"] ** 2
    boxes = [case.input(f"boxes_cxcywh_{number}") for number in range(len(states[0]))]
    maps = encoder.fuse(states)
    sampler = encoder.roi_align
    pooled = sampler.pooled(maps, boxes)
    for level, one in enumerate(pooled):
        stem = f"roi_feat_level{level}"
        golden = case.fed(f"{stem}_first_channel_first_rois")
        case.output(f"{stem}_first_channel_first_rois", one[: len(golden), 0])
        case.output(f"{stem}_mean_per_roi", one.flatten(1).mean(dim=1))
        case.output(f"roi_nonzero_fraction_level{level}", (one != 0).float().mean().reshape(1))
    case.output("flatten_linear", sampler.content(pooled))
    case.output("pos_embed", sampler.pos_embedd(torch.cat(boxes)))
    vectors = encoder(maps, boxes)
    for number, own in enumerate(vectors.split([len(one) for one in boxes])):
        case.output(f"region_features_{number}", own)
    vectors.backward(case.input("grad_output"))
    parameters = dict(encoder.named_parameters())
    for name in named(case, "grad/"):
        gradient = parameters[name.removeprefix("grad/")].grad
        assert gradient is not None
        case.output(name, gradient, under="gradients")


def check_selection(case: Case) -> None:
    """Scores, threshold, suppression, cap, order, the last resort, and the places of given boxes."""
    for row in case.rows("cases"):
        probabilities: dict[Source, Tensor] = {one: tensor_of(row.given(f"prob_{one}")) for one in SOURCES}
        stored = row.lookup(row.full(("permutation",)))
        rules = SelectionRules(
            nms_thres=row.given("nms_thres"),
            box_score_thres=row.given("box_score_thres"),
            max_region_num=row.given("max_region_num"),
        )
        refer, ground = (row.given(f"{name}_boxes") for name in ("refer", "ground"))
        chosen = select(
            boxes_of(row.given("pred_boxes_cxcywh")),
            fused_scores(probabilities),
            rules=rules,
            refer=None if refer is None else boxes_of(refer),
            ground=None if ground is None else boxes_of(ground),
            order=lambda count, stored=stored: torch.tensor(stored)[:count],  # type: ignore[misc]
        )
        row.expect("scores_with_extra", ours=chosen.all_scores.tolist(), under="values")
        row.expect("nms_kept", ours=chosen.kept.tolist())
        row.expect("permutation", ours=None if chosen.order is None else chosen.order.tolist())
        row.expect("selected_boxes_cxcywh", ours=chosen.boxes.tolist(), under="values")
        row.expect("refer_region_index", ours=chosen.refer)
        row.expect("ground_region_index", ours=chosen.ground)


def tensor_of(numbers: list[float]) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float32)


def boxes_of(numbers: list[list[float]]) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float32).reshape(-1, 4)


PERCEPTION: dict[str, Check] = {
    "selection": Check(
        check_selection,
        given=(
            *("rules", "weights"),
            *(f"cases/*/{name}" for name in ("name", "pred_boxes_cxcywh", "prob_coco", "prob_sa1b")),
            *(f"cases/*/{name}" for name in ("refer_boxes", "ground_boxes", "nms_thres")),
            *(f"cases/*/{name}" for name in ("box_score_thres", "max_region_num")),
        ),
    ),
    "dino_pos_interp": Check(check_positions, given=("config", "weights")),
    "roi_align": Check(check_roi_align, given=("config", "weights")),
    "mlvl_fuse": Check(check_fusion, given=("config", "weights")),
    "region_encoder": Check(check_region_encoder, given=("config", "weights")),
    "msda": Check(check_deformable, given=("config", "weights")),
}
