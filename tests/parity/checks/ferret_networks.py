"""Checks of the Ferret network: pictures prepared, a whole tiny model, and a training step of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from deixis.checkpoints.convert.renaming import KeyTable, is_dropped
from deixis.layers.regions.point_draws import DrawnRegions
from deixis.pictures import open_picture, resize
from deixis.pictures.normalising import statistics
from deixis.systems.ferret.config import FerretConfig
from deixis.systems.ferret.keys import FERRET
from deixis.systems.ferret.model import FerretNetwork
from deixis.systems.spliced.network import SplicedNetwork
from deixis.text.prompt_tokens import prompt_ids
from deixis.text.splicing import IGNORED, PICTURE_MARKER, Merged, Side
from deixis.text.templates import IMAGE, TEMPLATES
from deixis.text.tokenizers.codecs.opening import SentencePieceCodec
from tests.parity.case import Case
from tests.parity.checks.ferret_choices import compare_points, pixels_of, settle_choices, stored_choices
from tests.parity.planning import Check

TEMPLATE = TEMPLATES["ferret_v1"]
# Fields of the reference's decoder configuration that are not the decoder's own.
PICTURE_FIELDS = ("mm_", "im_", "image_", "region_", "sampler_", "tokenizer_", "max_sequence_length")


def check_preprocess(case: Case) -> None:
    """Pictures resized to a square, proportions not kept, and normalised."""
    height, width = case.given("config", "size")
    normalise = statistics(
        case.given("config", "image_mean"),
        case.given("config", "image_std"),
        rescale=case.given("config", "rescale"),
    )
    assert not case.given("config", "do_center_crop")
    for index, row in enumerate(case.rows("images")):
        picture = open_picture(case.input(f"image_{index}").numpy())
        row.expect("width", ours=picture.width)
        row.expect("height", ours=picture.height)
        view = resize(picture, width, height, order=case.acceptance.resize)
        case.output(f"pixel_values_{index}", normalise.tensor(view.pixels))


def check_model(case: Case) -> None:
    """A whole model: features, tokens, regions, merged text, logits, greedy tokens, and the prompt itself."""
    network = ferret(case).eval()
    codec = SentencePieceCodec(case.file(case.given("tokenizer_file")))
    ids = case.input("input_ids").long()
    check_prompt(case, codec, ids)
    check_pixels(case, network)
    pixels = case.input("pixel_values")
    drawn = drawn_regions(case, rows=len(ids))
    with torch.no_grad():
        case.output("vision_features", network.tower(pixels))
        features = network.encode_pictures(pixels)
        case.output("projected", torch.stack(features.tokens))
        regions = None
        if drawn is not None:
            found = regions_of(case, network, features.maps, drawn)
            case.output("region_embeds", found)
            regions = [found[drawn.pictures == row] for row in range(len(ids))]
            case.output("region_positions", region_places(ids, network, tokens=features.tokens[0].shape[0]))
        merged = network.embed(ids, pictures=features.tokens, slots=slots(network, regions))
        case.output("inputs_embeds", merged.embeds)
        logits = network(inputs_embeds=merged.embeds, attention_mask=merged.attention_mask).logits
        case.output("logits", logits)
        if case.has("first_token_margin"):
            best = logits[0, -1].topk(2).values
            case.expect("first_token_margin", ours=float(best[0] - best[1]), under="values")
        case.expect("generation", "do_sample", ours=network.generation_config.do_sample)
        new = network.generate(
            inputs_embeds=merged.embeds,
            attention_mask=merged.attention_mask,
            max_new_tokens=case.given("generation", "max_new_tokens"),
        )[0]
    case.output("generated_ids", new)
    case.expect("generation", "text", ours=codec.decode(new.tolist()))


def slots(
    network: SplicedNetwork, regions: Sequence[Tensor | None] | None
) -> dict[int, Sequence[Tensor | None]] | None:
    """Return the vectors of each row's regions as what stands in the places of region tokens."""
    return None if regions is None else {network.config.region_token_id: regions}


def check_prompt(case: Case, codec: SentencePieceCodec, ids: Tensor) -> None:
    """The question in its template, as ids and as pieces."""
    prompt = TEMPLATE.render([(f"{IMAGE}\n{case.given('question')}", None)])
    case.expect("prompt", ours=prompt)
    ours = prompt_ids(prompt, codec)
    assert ids.tolist() == [ours], "the prompt became other ids"
    names = {PICTURE_MARKER: "IMAGE"}
    case.expect("tokens", ours=[names.get(token) or codec.pieces.token(token) for token in ours])
    case.expect("image_token_index", ours=PICTURE_MARKER)
    case.expect("region_token_id", ours=codec.region)
    case.expect("region_token", ours=codec.region_text)


def check_pixels(case: Case, network: FerretNetwork) -> None:
    """The stored pixels are what we make of the stored picture."""
    picture = open_picture(case.input("image").numpy())
    case.expect("image_size_wh", ours=[picture.width, picture.height])
    side = case.given("resize_to")
    view = resize(picture, side, side, order=case.acceptance.resize)
    ours = network.tower.normalisation.tensor(view.pixels)
    assert torch.allclose(ours, case.input("pixel_values")[0], atol=1e-5), "the picture became other pixels"


def check_train_step(case: Case) -> None:
    """A batch of dialogues merged, its loss and the gradients of all that is trained; the tower is frozen."""
    network = ferret(case).train()
    network.tower.requires_grad_(False)
    ids, pixels = case.input("input_ids").long(), case.input("images")
    drawn = drawn_regions(case, rows=len(ids))
    check_batch(case, ids, drawn)
    features = network.encode_pictures(pixels)
    regions = None
    if drawn is not None:
        found = regions_of(case, network, features.maps, drawn)
        regions = [found[drawn.pictures == row] for row in range(len(ids))]
    merged = network.embed(
        ids,
        pictures=features.tokens,
        slots=slots(network, regions),
        attention_mask=case.input("attention_mask"),
        labels=case.input("labels").long(),
    )
    expect_merged(case, merged, mask="merged_attention_mask", labels="merged_labels")
    output = network(inputs_embeds=merged.embeds, attention_mask=merged.attention_mask, labels=merged.labels)
    output.loss.backward()
    case.output("loss", output.loss)
    case.expect("loss", ours=float(output.loss.detach()), under="values")
    case.output("logits_supervised", output.logits)
    expect_gradients(case, network, table=FERRET)
    trained = dict(network.named_parameters())
    frozen = [name for name in trained if name.startswith("tower.")]
    without = [
        FERRET.to_original(name) for name in trained if trained[name].grad is None and name not in frozen
    ]
    case.expect("params_without_grad", ours=without)
    case.expect("vision_tower_has_grad", ours=any(trained[name].grad is not None for name in frozen))


def check_batch(case: Case, ids: Tensor, drawn: DrawnRegions | None) -> None:
    """What the batch's rows say about themselves: their regions, and the words that are learnt."""
    codec = SentencePieceCodec(case.file(case.given("tokenizer_file")))
    labels = case.input("labels").long()
    learnt = [[codec.pieces.token(token) for token in row[row != IGNORED].tolist()] for row in labels]
    case.expect("supervised_tokens_text", ours=learnt)
    for row, item in enumerate(case.rows("items")):
        item.expect("n_regions", ours=0 if drawn is None else int((drawn.pictures == row).sum()))


def expect_merged(
    case: Case, merged: Merged, *, mask: str, labels: str, scale: float = 1.0, side: Side = "right"
) -> None:
    """Compare a merged batch where there is no padding; the reference may pad beyond its longest row.

    scale: what our embeddings are multiplied by, other than the reference's.
    """
    golden = case.fed(mask).bool()
    surplus = golden.shape[1] - merged.embeds.shape[1]
    assert surplus >= 0, f"our rows are longer than the reference's, by {-surplus}"
    edge = (0, surplus) if side == "right" else (surplus, 0)
    ours = functional.pad(merged.attention_mask, edge)
    case.output(mask, ours)
    embeds = functional.pad(merged.embeds / scale, (0, 0, *edge))
    case.output("inputs_embeds", embeds, where=golden)
    assert merged.labels is not None
    case.output(labels, functional.pad(merged.labels, edge, value=IGNORED))


def expect_gradients(case: Case, network: torch.nn.Module, *, table: KeyTable) -> None:
    """Compare all stored gradients, known by their original names."""
    weights = dict(network.named_parameters())
    start = "outputs/grad/"
    for key in [key for key in case.golden.tensors if key.startswith(start)]:
        gradient = weights[table.to_ours(key.removeprefix(start))].grad
        assert gradient is not None, f"{key}: no gradient"
        case.output(key.removeprefix("outputs/"), gradient, under="gradients")


def regions_of(case: Case, network: Any, maps: tuple[Tensor, ...], drawn: DrawnRegions) -> Tensor:
    """Return the vectors of the case's regions, by the stored choices of points where there are any."""
    if network.sampler is None:
        return network.encode_regions(maps, drawn)
    choices = stored_choices(case)
    settle_choices(case, network.sampler, drawn, choices)
    return network.sampler(maps, drawn, chosen=choices)


def drawn_regions(case: Case, *, rows: int) -> DrawnRegions | None:
    """Return the case's drawn points with the pictures that they are in, or None where it has no regions."""
    names = [name.removeprefix("inputs/") for name in case.golden.tensors if name.startswith("inputs/")]
    # mask_I_J is region J of picture I; regions follow each other picture by picture.
    places = sorted(tuple(map(int, name.split("_")[1:])) for name in names if name.startswith("mask_"))
    assert all(picture < rows for picture, *_ in places)
    if not places:
        return None
    if "sampled_points" in names:
        lists = list(case.input("sampled_points").float())
    else:  # the variant without geometry: as many points as a region has, at most
        lists = [case.input(f"sampled_points_{index}").float() for index in range(len(places))]
    for place, stored in zip(places, lists, strict=True):
        compare_points(pixels_of(case.input("mask_" + "_".join(map(str, place)))), stored)
    longest = max(map(len, lists))  # repetitions don't count in that variant
    points = torch.stack([torch.cat([one, one[:1].expand(longest - len(one), 2)]) for one in lists])
    stages = sorted(name for name in names if name.startswith("fps_start_"))
    starts = [case.input(name).long() for name in stages] or [torch.zeros(len(places), dtype=torch.long)]
    pictures = torch.tensor([picture for picture, *_ in places])
    return DrawnRegions(points=points, pictures=pictures, starts=torch.stack(starts))


def region_places(ids: Tensor, network: FerretNetwork, *, tokens: int) -> Tensor:
    """Return where the region tokens of one row stand after the picture has grown to ``tokens`` vectors."""
    grown = [
        0 if token == PICTURE_MARKER else int(token == network.config.region_token_id) for token in ids[0]
    ]
    lengths = torch.tensor([tokens if token == PICTURE_MARKER else 1 for token in ids[0].tolist()])
    return (lengths.cumsum(0) - lengths)[torch.tensor(grown).bool()]


def ferret_config(case: Case) -> FerretConfig:
    """Return the configuration that a case's reference fields stand for."""
    llm, size = case.given("config", "llm"), case.given("config", "sampler")
    assert llm["mm_vision_select_feature"] == "patch"
    geometric = bool(llm.get("region_geo_sampler"))
    sampler = None
    if geometric:
        sampler = {
            "points": size["num_init_point"],
            "anchors": size["num_sub_point"],
            "neighbours": size["num_neighbor"],
            "pooling": size.get("pooler_mode", llm.get("sampler_pooler_mode")),
        }
    return FerretConfig(
        language=decoder_fields(llm, kind="llama"),
        tower={"kind": "clip", **case.given("config", "vision")},
        select_layer=llm["mm_vision_select_layer"],
        projector=llm.get("mm_projector_type", "linear"),
        side=case.given("resize_to")
        if case.has("resize_to")
        else case.given("config", "vision")["image_size"],
        sampler=sampler,
        region_adapter=not geometric and bool(llm.get("region_fea_adapter")),
        point_order="transposed",
        region_token_id=llm["im_region_fea_token"],
        bos_token_id=llm.get("bos_token_id", 1),
        eos_token_id=llm.get("eos_token_id", 2),
        pad_token_id=llm.get("pad_token_id", 0),
    )


def decoder_fields(fields: dict[str, Any], *, kind: str) -> dict[str, Any]:
    """Return the decoder's own fields of a reference configuration, with its ``model_type``."""
    own = {key: value for key, value in fields.items() if not key.startswith(PICTURE_FIELDS)}
    return {**own, "model_type": kind}


def ferret(case: Case) -> FerretNetwork:
    """Return our network with the case's weights."""
    network = FerretNetwork(ferret_config(case))
    load_originals(network, case.weights(), table=FERRET)
    return network


def load_originals(network: torch.nn.Module, weights: dict[str, Tensor], *, table: KeyTable) -> None:
    """Fill a network with weights by their original names; none may be missing or left over."""
    ours = {table.to_ours(key): tensor for key, tensor in weights.items() if not is_dropped(key)}
    tied = set(getattr(network, "all_tied_weights_keys", {}))
    report = network.load_state_dict(ours, strict=False)
    assert not report.unexpected_keys, f"no place for {report.unexpected_keys}"
    missing = set(report.missing_keys) - tied
    assert not missing, f"the case has no weights for {sorted(missing)}"


CHECKS: dict[str, Check] = {
    "preprocess": Check(check_preprocess, given=("config", "images/*/original_mode")),
    "model": Check(
        check_model,
        given=(
            *("config", "torch_seed", "resize_to", "question", "tokenizer_file", "region_shapes"),
            "generation/max_new_tokens",
        ),
    ),
    "train_step": Check(
        check_train_step,
        given=(
            *("config", "torch_seed", "tokenizer_file"),
            *("items/*/id", "items/*/conversation", "items/*/location_format"),
        ),
    ),
}
