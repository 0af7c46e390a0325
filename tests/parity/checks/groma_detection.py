"""Checks of Groma's detector: the proposer with everything inside it, its loss, matching and gradients."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from deixis.layers.proposals.box_forms import corners, overlaps
from deixis.layers.proposals.position_encodings import grid_encoding
from deixis.layers.proposals.proposing import SOURCES, Proposals
from deixis.layers.proposals.region_proposer import Detection, ProposerSize, RegionProposer
from deixis.systems.groma.conversion.keys import PERCEIVER
from deixis.systems.groma.conversion.published import proposer_fields
from deixis.systems.groma.detector.perception import PerceivedLayers, Perceiver, States
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


def perceiver_of(config: dict[str, Any]) -> Perceiver:
    """Return the perceiver that the fields of a case stand for, without weights."""
    assert config["vis_output_layer"] == -1
    return Perceiver(
        tower_settings(config["vis_encoder"]),
        proposer_size(config["ddetr"]),
        layers=PerceivedLayers(),
    )


def tower_settings(fields: dict[str, Any]) -> dict[str, Any]:
    grid = fields["image_size"] // fields["patch_size"]
    assert grid == fields["position_grid"]
    return {"kind": "dinov2", **{key: one for key, one in fields.items() if key != "position_grid"}}


def proposer_size(fields: dict[str, Any]) -> ProposerSize:
    """Return the size that published fields stand for."""
    return ProposerSize(**proposer_fields(fields), box_hidden=fields["bbox_head_hidden_dim"])


def load_perceiver(perceiver: Perceiver, weights: dict[str, Tensor]) -> None:
    """Load all weights of a case by their published names."""
    tensors = {PERCEIVER.to_ours(key).removeprefix("perceiver."): one for key, one in weights.items()}
    report = perceiver.load_state_dict(tensors, strict=False)
    assert not report.missing_keys and not report.unexpected_keys, report


def check_proposer(case: Case) -> None:
    """A proposer with its vision encoder: everything inside, its loss, matching and gradients."""
    config = case.given("config")
    perceiver = perceiver_of(config).eval()
    load_perceiver(perceiver, case.weights())
    perceiver.tower.requires_grad_(False)
    pixels = case.input("pixel_values")
    assert pixels.shape[-1] == case.given("image_px") and len(pixels) == case.given("batch")
    states = perceiver.states(pixels)
    full = all_hidden(perceiver, pixels)
    for name in ("minus1", "minus4"):
        case.output(f"vis_hidden_state_{name}", full[-int(name.removeprefix("minus"))])
    check_maps(case, perceiver, states)
    found = perceiver.detect(states)
    check_detection(case, perceiver, found)
    source = case.given("loss_source")
    fields = config["ddetr"]
    criterion = DetectionCriterion(
        costs=Costs(classes=fields["class_cost"], shift=fields["bbox_cost"], overlap=fields["giou_cost"]),
        weights=Weights(
            classes=fields["cls_loss_coefficient"],
            shift=fields["bbox_loss_coefficient"],
            overlap=fields["giou_loss_coefficient"],
        ),
        alpha=fields["focal_alpha"],
        auxiliary=fields["auxiliary_loss"],
    )
    perceiver.proposer.train()
    trained = perceiver.detect(states)
    loss = criterion(trained, objects_of(case), source=source)
    check_matchings(case, loss, layers=fields["decoder_layers"])
    expect_losses(case, loss)
    case.output("loss", loss.total.reshape(1))
    loss.total.backward()
    parameters = {
        PERCEIVER.to_original(f"perceiver.{name}"): one for name, one in perceiver.named_parameters()
    }
    for key in [key for key in case.golden.tensors if key.startswith("outputs/grad/")]:
        gradient = parameters[key.removeprefix("outputs/grad/")].grad
        assert gradient is not None, f"{key}: no gradient"
        case.output(key.removeprefix("outputs/"), gradient, under="gradients")
    without = sorted(name for name, one in parameters.items() if one.requires_grad and one.grad is None)
    case.expect("parameters_without_gradient", ours=without)


def all_hidden(perceiver: Perceiver, pixels: Tensor) -> list[Tensor]:
    """Return the output of every block, the class token's too."""
    kept: list[Tensor] = []
    vision: Any = perceiver.tower.vision
    hooks = [
        block.register_forward_hook(
            lambda _, __, made: kept.append(made[0] if isinstance(made, tuple) else made)
        )
        for block in vision.encoder.layer
    ]
    perceiver.tower.states(pixels)
    for hook in hooks:
        hook.remove()
    return kept


def check_maps(case: Case, perceiver: Perceiver, states: States) -> None:
    """The levels that the proposer looks at, and where their cells are."""
    proposer = perceiver.proposer
    assert isinstance(proposer, RegionProposer)
    for number, level in enumerate(proposer.input_proj):
        own = level(states.proposer)
        case.output(f"src_level{number}", own)
        if not number:
            encoded = grid_encoding(*own.shape[-2:], channels=proposer.size.width)
            case.output("position_encoding_level0_first_image", encoded[None])


def check_detection(case: Case, perceiver: Perceiver, found: Detection) -> None:
    """What the proposer says, stage by stage."""
    case.output("encoder_last_hidden_state", found.memory)
    case.output("enc_class_logits", found.first.logits)
    case.output("enc_coord_logits_sigmoid", found.first.boxes)
    case.output("topk_indices", found.first.chosen)
    case.output("init_reference_points", found.first.start.sigmoid())
    case.output("intermediate_hidden_states", found.states.transpose(0, 1))
    case.output("intermediate_reference_points", found.references.transpose(0, 1))
    for source in SOURCES:
        case.output(f"logits_{source}", found.logits[source][-1])
    case.output("pred_boxes_cxcywh", found.boxes[-1])
    proposals = Proposals(found.boxes[-1], {one: found.logits[one][-1, ..., 0] for one in SOURCES})
    case.output("fused_scores", proposals.scores())


def check_matchings(case: Case, loss: DetectionLoss, *, layers: int) -> None:
    """Who was matched, in the reference's order of stages."""
    before = [str(number) for number in range(layers - 1)]
    names = ["last decoder layer", *(f"aux decoder layer {one}" for one in before), "encoder (two-stage)"]
    case.expect("hungarian_assignments", "order", ours=names)
    case.expect(
        "hungarian_assignments",
        "per_call_per_image_pred_idx_gt_idx",
        ours=plain(loss.matchings, ["last", *before, "enc"]),
    )


DETECTION: dict[str, Check] = {
    "proposer": Check(
        check_proposer,
        given=(
            *("config", "weights", "image_px", "batch", "loss_source"),
            *("state_dict_aliases", "loss_formula"),
        ),
    ),
    "det_losses": Check(check_losses, given=("config", "weights")),
}
