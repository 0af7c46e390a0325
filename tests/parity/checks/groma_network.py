"""Checks of Groma's whole network: perception, places, merged text, logits, greedy tokens, training."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from deixis.checkpoints.convert.checkpoint import Checkpoint
from deixis.checkpoints.convert.renaming import is_dropped
from deixis.checkpoints.files.lazy import LazyTensor, held
from deixis.checkpoints.skeleton import skeleton_of
from deixis.systems.groma.config import GromaConfig
from deixis.systems.groma.conversion.keys import GROMA, longer, shorter
from deixis.systems.groma.conversion.published import proposer_fields
from deixis.systems.groma.conversion.weights import our_config
from deixis.systems.groma.detector.selection import Order, Selected
from deixis.systems.groma.dialect import groma_codec, region_indices
from deixis.systems.groma.model import GivenBoxes, GromaNetwork, PicturePerception, merged_cells
from deixis.systems.groma.placeholders import Chosen, Grown, grown
from deixis.systems.groma.prompts import groma_template, rendered
from deixis.text.token_sequence import IGNORED
from tests.parity.case import Case
from tests.parity.checks.groma_detection import tower_settings
from tests.parity.planning import Check

# Fields of the region encoder by ours.
REGION_FIELDS = {
    "levels": "num_levels",
    "rounds": "num_fuse",
    "groups": "gn_groups",
    "roi_side": "roi_output_size",
    "hidden": "region_mid_dim",
    "position_hidden": "pos_hidden_dim",
    "box_scale": "box_scale",
}


def config_of(case: Case) -> GromaConfig:
    """Return the configuration that a case's reference fields stand for."""
    config = case.given("config")
    perceiver, regions, ids = config["perceiver"], config["region_encoder"], config["token_ids"]
    language = {"model_type": "llama", "tie_word_embeddings": False, **config["llm"]}
    ours = GromaConfig(
        language=language,
        tower=tower_settings(perceiver["vis_encoder"]),
        side=case.given("image_px"),
        proposer={
            **proposer_fields(perceiver["ddetr"]),
            "box_hidden": perceiver["ddetr"]["bbox_head_hidden_dim"],
        },
        region_encoder={
            **{name: regions[published] for name, published in REGION_FIELDS.items()},
            "stride": 2 * regions["featmap_strides"][-1],
        },
        picture_layer=perceiver["vis_output_layer"],
        added_tokens=config["num_new_token"],
        nms_thres=config["nms_thres"],
        box_score_thres=config["box_score_thres"],
        max_region_num=config["max_region_num"],
    )
    tokens = ours.tokens()
    for name in ("pad", "image", "region", "refer_box", "refer_feat", "ground_box"):
        assert getattr(tokens, name) == ids[name], f"{name} has another id"
    assert (tokens.proxies[0], tokens.proxies[-1]) == (ids["region_index_first"], ids["region_index_last"])
    assert regions["embed_dims"] == perceiver["vis_encoder"]["hidden_size"]
    assert regions["out_dims"] == config["llm"]["hidden_size"]
    return ours


def network_of(case: Case) -> GromaNetwork:
    """Return the network with all weights of the case."""
    network = GromaNetwork(config_of(case)).eval()
    weights = {GROMA.to_ours(key): one for key, one in case.weights().items() if not is_dropped(key)}
    report = network.load_state_dict(weights, strict=False)
    assert not report.missing_keys and not report.unexpected_keys, report
    assert list(network.region_encoder.size.strides()) == case.given(
        "config", "region_encoder", "featmap_strides"
    )
    return network


def check_model(case: Case) -> None:
    """All scenarios of one set of weights."""
    network = network_of(case)
    codec = groma_codec(case.file(case.given("tokenizer", "model")), legacy=case.given("tokenizer", "legacy"))
    for row in case.rows("scenarios"):
        name = row.at[-1]
        if row.has("texts"):
            check_training(case, row, network, name)
        else:
            check_answering(case, row, network, codec, name)


def check_answering(case: Case, row: Case, network: GromaNetwork, codec: Any, name: str) -> None:
    """A prompt about a picture, step by step, and what is written behind it."""
    template = groma_template(row.given("conv_template"))
    row.expect("prompt", ours=rendered([(row.given("query"), None)], template))
    ids = case.input(f"{name}/input_ids")
    prompt: str = row.lookup(row.full(("prompt",)))
    assert ids[0].tolist() == codec.encode(prompt), "the prompt became other ids"
    row.expect("prompt_tokens", ours=ids.shape[1])
    refer = boxes_of(case, f"{name}/refer_boxes_cxcywh")
    if row.given("refer_boxes") is not None:
        assert torch.equal(refer, torch.tensor(row.given("refer_boxes")))
    with torch.no_grad():
        picture = network.perceive(case.input(f"{name}/pixel_values"))[0]
        check_picture(case, network, picture, name)
        order = stored_order(case, f"{name}/permutation")
        chosen = network.select(picture, refer=refer, order=order, unmatched="first")
        check_places(case, chosen, f"{name}/", "")
        case.output(f"{name}/candidate_boxes_xyxy", chosen.corner_boxes)
        case.output(f"{name}/fused_scores_with_extra", chosen.all_scores)
        row.expect("num_regions", ours=len(chosen.boxes))
        row.expect("fallback_single_box", ours=chosen.order is None)
        vectors = network.region_vectors([picture], [chosen.boxes])
        case.output(f"{name}/region_features", vectors)
        own = network.grown_row(ids[0], None, chosen, row=0)
        case.output(f"{name}/merged_ids", torch.tensor(own.ids))
        row.expect("sequence_tokens", ours=len(own.ids))
        check_rewritten(case, network, ids[0], chosen, name)
        merged = network.embed_rows([own], pictures=[picture.tokens], places=[vectors])
        case.output(f"{name}/inputs_embeds_every_16th", merged.embeds[0, ::16])
        logits = network(inputs_embeds=merged.embeds, attention_mask=merged.attention_mask).logits[0]
        places = case.fed(f"{name}/logits_positions")
        case.output(f"{name}/logits_positions", places)
        case.output(f"{name}/logits", logits[places])
        check_generation(case, row, network, codec, merged, name, count=len(chosen.boxes))


def check_picture(case: Case, network: GromaNetwork, picture: PicturePerception, name: str) -> None:
    """The cells that become picture tokens, and these tokens."""
    states = network.perceiver.states(case.input(f"{name}/pixel_values"))
    merged = merged_cells(states.picture)[0]
    for what, ours in (("merged", merged), ("bridged", picture.tokens)):
        golden = case.fed(f"{name}/image_features_{what}_first_rows")
        case.output(f"{name}/image_features_{what}_first_rows", ours[: len(golden)])


def check_places(case: Case, chosen: Selected, start: str, end: str) -> None:
    """Which candidates stayed, in which order."""
    for name, ours in (("nms_kept", chosen.kept), ("permutation", chosen.order)):
        if f"outputs/{start}{name}{end}" in case.golden.tensors:
            assert ours is not None, f"{start}{name}{end}: nothing was sure enough"
            case.output(f"{start}{name}{end}", ours)
        else:
            assert ours is None or not len(ours), f"{start}{name}{end} is not in the case"
    case.output(f"{start}selected_boxes_cxcywh{end}", chosen.boxes)


def check_rewritten(case: Case, network: GromaNetwork, ids: Tensor, chosen: Selected, name: str) -> None:
    """The reference writes places into the ids that it is given; ours are those before anything grew."""
    rewritten, refer = [], iter(chosen.refer)
    for token in ids.tolist():
        own = token == network.tokens.refer_box
        rewritten.append(network.tokens.proxy(next(refer)) if own else token)
    case.output(f"{name}/input_ids_after_call", torch.tensor(rewritten))


def check_generation(
    case: Case, row: Case, network: GromaNetwork, codec: Any, merged: Any, name: str, *, count: int
) -> None:
    """Greedy tokens, the logits of each step, and the places that they speak of."""
    made = network.generate(
        inputs_embeds=merged.embeds,
        attention_mask=merged.attention_mask,
        max_new_tokens=row.given("max_new_tokens"),
        return_dict_in_generate=True,
        output_logits=True,
    )
    new = made.sequences[0]
    case.output(f"{name}/generated_ids", new)
    steps = torch.cat(list(made.logits))
    case.output(f"{name}/step_scores", steps)
    best = steps.topk(2, dim=1).values
    row.expect("greedy_min_top2_gap", ours=float((best[:, 0] - best[:, 1]).min()), under="values")
    row.expect("decoded_generation", ours=codec.decode(new.tolist()))
    tokens, most = network.tokens, len(network.tokens.proxies)
    row.expect("region_indices_emitted", ours=region_indices(new.tolist(), tokens, count=most))
    row.expect("region_indices_with_a_box", ours=region_indices(new.tolist(), tokens, count=count))


def check_training(case: Case, row: Case, network: GromaNetwork, name: str) -> None:
    """A batch of dialogues with its labels, loss and gradients."""
    network.zero_grad()
    ids, labels = case.input(f"{name}/input_ids"), case.input(f"{name}/labels")
    pixels = case.input(f"{name}/pixel_values")
    refer = [boxes_of(case, f"{name}/refer_boxes_{number}") for number in range(len(ids))]
    ground = [boxes_of(case, f"{name}/ground_boxes_{number}") for number in range(len(ids))]
    pictures = network.perceive(pixels)
    rows: list[Grown] = []
    counts: list[int] = []
    every = []
    for number, picture in enumerate(pictures):
        chosen = network.select(
            picture,
            refer=refer[number],
            ground=ground[number],
            order=stored_order(case, f"{name}/permutation_{number}"),
            unmatched="first",
        )
        check_places(case, chosen, f"{name}/", f"_{number}")
        counts.append(len(chosen.boxes))
        every.append(chosen)
        rows.append(
            grown(
                ids[number].tolist(),
                Chosen(len(chosen.boxes), chosen.refer, chosen.ground),
                tokens=network.tokens,
                picture_tokens=network.picture_tokens(),
                labels=labels[number].tolist(),
            )
        )
    row.expect("regions", ours=counts)
    orders = iter([one.order for one in every if one.order is not None])
    merged = network.read(
        ids,
        pixel_values=pixels,
        regions=GivenBoxes(refer, ground, order=lambda count: next(orders), unmatched="first"),
        labels=labels,
    )
    longest = merged.embeds.shape[1]
    filled = [
        functional.pad(torch.tensor(own.ids), (0, longest - len(own.ids)), value=network.tokens.pad)
        for own in rows
    ]
    case.output(f"{name}/merged_ids", torch.stack(filled))
    case.output(f"{name}/attention_mask", merged.attention_mask)
    assert merged.labels is not None
    case.output(f"{name}/shift_labels", merged.labels[:, 1:])
    row.expect("supervised_tokens", ours=(merged.labels[:, 1:] != IGNORED).sum(dim=1).tolist())
    # The reference reads padding as words, which nobody sees, and records what is said there too.
    padding = network.get_input_embeddings()(torch.tensor(network.tokens.pad))
    embeds = torch.where(merged.attention_mask[..., None].bool(), merged.embeds, padding)
    logits = network(inputs_embeds=embeds, attention_mask=merged.attention_mask).logits
    golden = case.fed(f"{name}/last_logits_row0")
    case.output(f"{name}/last_logits_row0", logits[0, -len(golden) :])
    output = network(inputs_embeds=merged.embeds, attention_mask=merged.attention_mask, labels=merged.labels)
    case.output(f"{name}/loss", output.loss.reshape(1))
    row.expect("loss", ours=float(output.loss.detach()), under="values")
    output.loss.backward()
    parameters = dict(network.named_parameters())
    start = f"outputs/{name}/grad/"
    for key in [key for key in case.golden.tensors if key.startswith(start)]:
        gradient = parameters[GROMA.to_ours(key.removeprefix(start))].grad
        assert gradient is not None, f"{key}: no gradient"
        case.output(key.removeprefix("outputs/"), gradient, under="gradients")
    assert all(one.grad is None for one in network.perceiver.parameters()), "perception is frozen"


def stored_order(case: Case, name: str) -> Order:
    """Return the order that the reference drew; where it drew none, nothing asks for one."""
    stored = case.golden.tensors.get(f"outputs/{name}")

    def order(count: int) -> Tensor:
        assert stored is not None and len(stored) == count, f"{name}: {count} places were to be ordered"
        return stored

    return order


def boxes_of(case: Case, name: str) -> Tensor:
    """Return given boxes; none where the case has none."""
    return case.golden.tensors.get(f"inputs/{name}", torch.zeros(0, 4))


def check_keys(case: Case) -> None:
    """Every key and shape at the real size, both styles of config.json, and how many numbers there are."""
    rows = [KeyRow(**row) for row in case.lookup(("keys",))]
    configs = [
        our_config(Checkpoint(Path("case"), dict(case.given(style)), likely_tensors(rows)))
        for style in ("config_json_default_diff_style", "config_json_full")
    ]
    first, second = (
        {name: value for name, value in one.to_dict().items() if name != "transformers_version"}
        for one in configs
    )
    assert first == second, "both styles of config.json mean the same"
    network: Any = skeleton_of(lambda: GromaNetwork(configs[0]), where="case")
    own = {GROMA.to_original(key): tuple(one.shape) for key, one in network.state_dict().items()}
    ours = own | {again: shape for key, shape in own.items() if (again := longer(key)) is not None}
    case.expect("total_entries", ours=len(ours))
    left = dict(ours)
    for row in rows:
        found = [key for key, shape in left.items() if row.has(key, shape)]
        assert len(found) == row.count, f"{row.pattern}: {len(found)} keys, golden {row.count}"
        for key in found:
            del left[key]
    case.settle("keys", agrees=not left, how="the set of names and shapes")
    counts = {key: prod(shape) for key, shape in own.items()}
    case.expect("parameters_total", ours=sum(counts.values()))
    for part in case.lookup(("parameters_by_part",)):
        numbers = sum(count for key, count in counts.items() if key.startswith(f"{part}."))
        case.expect("parameters_by_part", part, ours=numbers)


@dataclass(frozen=True)
class KeyRow:
    """Keys that differ in numbers only. index_ranges: the first and the last one of each number."""

    pattern: str
    index_ranges: list[str]
    shape: list[int]
    count: int
    other_shapes: dict[str, list[int]] = field(default_factory=dict)

    def has(self, key: str, shape: tuple[int, ...]) -> bool:
        """Tell whether a key with its shape is one of these."""
        parts, names = self.pattern.split("."), key.split(".")
        if len(parts) != len(names):
            return False
        bounds = iter(self.index_ranges)
        for part, name in zip(parts, names, strict=True):
            if part != "N":
                if part != name:
                    return False
                continue
            first, _, last = next(bounds).partition("..")
            if not name.isdigit() or not int(first) <= int(name) <= int(last or first):
                return False
        return list(shape) == self.other_shapes.get(key, self.shape)

    def names(self) -> list[str]:
        """Return all keys within the bounds; where numbers have gaps there are fewer."""
        bounds = [one.partition("..") for one in self.index_ranges]
        ranges = [range(int(first), int(last or first) + 1) for first, _, last in bounds]
        return [named_with(self.pattern, numbers) for numbers in product(*ranges)]


def likely_tensors(rows: list[KeyRow]) -> dict[str, LazyTensor]:
    """Return tensors without numbers for what a configuration reads sizes off."""
    tensors = {}
    for row in rows:
        for name in row.names():
            shape = row.other_shapes.get(name, row.shape)
            tensors[shorter(name)] = held(torch.empty(shape, device="meta"), where="case")
    return tensors


def named_with(pattern: str, numbers: tuple[int, ...]) -> str:
    """Return a pattern with a number for each part that is "N"."""
    left = iter(numbers)
    return ".".join(str(next(left)) if part == "N" else part for part in pattern.split("."))


SCENARIO = ("query", "conv_template", "refer_boxes", "torch_manual_seed", "max_new_tokens", "texts")
NETWORK: dict[str, Check] = {
    "state_dict_keys_real_size": Check(
        check_keys,
        given=("config_json_default_diff_style", "config_json_full", "tied_entries", "caution"),
    ),
    "model": Check(
        check_model,
        given=(
            *("config", "weights", "tokenizer", "image_px", "state_dict_aliases"),
            *(f"scenarios/*/{name}" for name in SCENARIO),
        ),
    ),
}
