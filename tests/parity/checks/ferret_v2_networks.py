"""Checks of any-resolution preparation and of whole tiny networks: Ferret-UI as published, and Ferret-v2."""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor

from deixis.layers.picture_features import PictureFeatures
from deixis.layers.regions.point_draws import DrawnRegions
from deixis.pictures import open_picture
from deixis.pictures.normalising import Normalisation, statistics
from deixis.pictures.padding import pad_to_square
from deixis.systems.ferret_v2.config import FerretV2Config
from deixis.systems.ferret_v2.grids import best_grid, best_size, grids_from_sizes, merge_tiles, unpadded
from deixis.systems.ferret_v2.keys import FERRET_V2
from deixis.systems.ferret_v2.model import FerretV2Network
from deixis.systems.ferret_v2.tiles import NO_TILES, TiledPixels, Tiling, cut, fitted_canvas
from deixis.text.splicing import PICTURE_MARKER
from tests.parity.case import Case
from tests.parity.checks.ferret_choices import (
    compare_points,
    in_text,
    listed_pixels,
    sampled_regions,
    settle_choices,
    stored_choices,
)
from tests.parity.checks.ferret_networks import (
    decoder_fields,
    expect_gradients,
    expect_merged,
    load_originals,
    slots,
)
from tests.parity.golden import read_golden
from tests.parity.planning import Check

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def check_grid_selection(case: Case) -> None:
    """The canvas and the grid chosen for pictures of many sizes, from several lists."""
    sets, crops = case.given("pinpoint_sets"), case.given("crop_size")
    for row in case.rows("cases"):
        width, height = row.given("image_size")
        for result in row.rows("result"):
            name = result.at[-1]
            sizes, crop = [tuple(size) for size in sets[name]], crops[name]
            best = best_size(width, height, sizes)
            result.expect("best", ours=best)
            result.expect("grid", ours=(best[0] // crop, best[1] // crop))
            if all(one % crop == 0 for size in sizes for one in size):
                grids = [(columns, rows) for columns, rows in grids_from_sizes(sizes, crop=crop)]
                assert best_grid(width, height, grids=grids, crop=crop) == (best[0] // crop, best[1] // crop)


def check_unpad(case: Case) -> None:
    """The rows and columns that are kept of a map, or the shape of what is left where nothing is."""
    for row in case.rows("cases"):
        height, width = row.given("map_hw")
        rows, columns = unpadded(height, width, picture=tuple(row.given("image_wh")))
        left = torch.zeros(height, width)[rows, columns]
        if row.has("shape"):
            row.expect("shape", ours=list(left.shape))
        else:
            row.expect("rows", ours=[rows.start, rows.stop])
            row.expect("cols", ours=[columns.start, columns.stop])


def check_image_prep(case: Case) -> None:
    """A picture as canvas, tiles and whole, in bytes and normalised, and padded in two ways."""
    picture = open_picture(case.input("image").numpy())
    case.expect("image_size_wh", ours=[picture.width, picture.height])
    crop, order = case.given("crop_size"), case.acceptance.resize
    sizes = case.given("image_grid_pinpoints")
    best = best_size(picture.width, picture.height, [tuple(size) for size in sizes])
    case.expect("best_resolution_wh", ours=best)
    normalise = statistics(case.given("image_mean"), case.given("image_std"))
    tiling = tiling_of(
        grids_from_sizes(sizes, crop=crop), crop=crop, side=crop, whole=normalise, tile=normalise
    )
    prepared = tiling_in(tiling, order=order).prepare(picture)
    assert prepared.canvas is not None
    case.output("canvas", torch.from_numpy(prepared.canvas.pixels.copy()))
    case.output("tiles", torch.from_numpy(cut(prepared.canvas.pixels, prepared.grid).copy()))
    case.output("global_uint8", torch.from_numpy(prepared.whole.pixels.copy()))
    case.output("pixel_values", torch.cat([prepared.whole_pixels[None], prepared.tile_pixels]))
    padded = fitted_canvas(picture, *best, order=order)
    case.output("canvas_padded_variant", torch.from_numpy(padded.pixels.copy()))
    if "outputs/expand2square" in case.golden.tensors:
        red, green, blue = (int(one * 255) for one in normalise.mean)
        square = pad_to_square(picture, fill=(red, green, blue))
        case.output("expand2square", torch.from_numpy(square.pixels.copy()))


def check_v2_image_prep(case: Case) -> None:
    """A picture for two towers: the whole by one's statistics, tiles of another size by the other's."""
    picture = open_picture(case.input("image").numpy())
    case.expect("image_size_wh", ours=[picture.width, picture.height])
    whole = statistics(case.given("clip_mean"), case.given("clip_std"))
    tile = statistics(case.given("imagenet_mean"), case.given("imagenet_std"))
    crop, side = case.given("local_crop"), case.given("global_size")
    tiling = tiling_of(case.given("grids_cols_rows"), crop=crop, side=side, whole=whole, tile=tile)
    prepared = tiling_in(tiling, order=case.acceptance.resize).prepare(picture)
    assert prepared.canvas is not None
    case.expect("grid", ours=prepared.grid)
    case.output("canvas", torch.from_numpy(prepared.canvas.pixels.copy()))
    case.output("global_pixels", as_stored(case, "global_pixels", prepared.whole_pixels, normalise=whole))
    case.output("local_pixels", as_stored(case, "local_pixels", prepared.tile_pixels, normalise=tile))


def as_stored(case: Case, name: str, ours: Tensor, *, normalise: Normalisation) -> Tensor:
    """Return our pixels (…, 3, H, W) in the order in which the case's file holds the numbers.

    Some files were written from an array whose channels were last in memory, under the shape of one whose
    channels are first. Which it is shows in the file alone: read rightly, its numbers are whole bytes.
    """
    golden = case.fed(name)
    mean, std = (torch.tensor(one)[:, None, None] for one in (normalise.mean, normalise.std))
    last = golden.flatten().reshape(ours.movedim(-3, -1).shape).movedim(-1, -3)
    first_fits, last_fits = (whole_bytes((one * std + mean) * 255) for one in (golden, last))
    assert first_fits or last_fits, f"outputs/{name}: in no order of channels are these normalised bytes"
    return ours if first_fits else ours.movedim(-3, -1).reshape(golden.shape)


def whole_bytes(values: Tensor) -> bool:
    """Return whether all values are whole numbers of 0 to 255, but for rounding."""
    return bool(
        ((values - values.round()).abs() < 1e-3).all() and values.min() > -0.5 and values.max() < 255.5
    )


def tiling_of(grids: Any, *, crop: int, side: int, whole: Normalisation, tile: Normalisation) -> Tiling:
    """Return a tiling from a JSON file's lists."""
    return Tiling(grids=tuple((c, r) for c, r in grids), crop=crop, side=side, whole=whole, tile=tile)


def tiling_in(tiling: Tiling, *, order: Any) -> Tiling:
    """Return the tiling with another order of passes."""
    return Tiling(
        grids=tiling.grids,
        crop=tiling.crop,
        side=tiling.side,
        whole=tiling.whole,
        tile=tiling.tile,
        order=order,
    )


def check_model(case: Case) -> None:
    """A whole Ferret-UI model, its loss, gradients and greedy tokens."""
    network = FerretV2Network(ferret_ui_config(case)).eval()
    load_originals(network, case.weights(), table=FERRET_V2)
    assert case.given("image_token_id") == PICTURE_MARKER
    side = case.given("config").get("tokenizer_padding_side", "right")
    pixels = stacked_pixels(case, network)
    ids, token = case.input("input_ids"), network.config.region_token_id
    drawn = drawn_regions(case, ids, token=token)
    found, features = read_picture(case, network, pixels, drawn)
    owners = None if drawn is None else drawn.pictures
    by_row = None if found is None or owners is None else in_text(found, owners, ids, token=token)
    merged = network.embed(
        ids,
        pictures=features.tokens,
        slots=slots(network, by_row),
        attention_mask=case.input("attention_mask"),
        labels=case.input("labels"),
        padding=side,
    )
    expect_merged(case, merged, mask="attention_mask", labels="labels", scale=network.word_scale, side=side)
    output = network(inputs_embeds=merged.embeds, attention_mask=merged.attention_mask)
    case.output("logits", output.logits, where=merged.attention_mask.bool())
    trained = network(inputs_embeds=merged.embeds, attention_mask=merged.attention_mask, labels=merged.labels)
    case.output("loss", trained.loss)
    trained.loss.backward()
    expect_gradients(case, network, table=FERRET_V2)
    if "outputs/generated_ids" in case.golden.tensors:
        prompt = case.input("generate_prompt_ids")
        regions = None
        if found is not None and owners is not None:
            own = owners == 0
            regions = in_text(found[own], owners[own], prompt, token=token)
        check_greedy(
            case, network, network.embed(prompt, pictures=features.tokens[:1], slots=slots(network, regions))
        )


def check_greedy(case: Case, network: FerretV2Network, prompt: Any) -> None:
    """The next tokens, one at a time, none of which ends the text."""
    assert network.generation_config is not None
    network.generation_config.eos_token_id = None
    wanted = case.fed("generated_ids").shape[1]
    new = network.generate(
        inputs_embeds=prompt.embeds.detach(), attention_mask=prompt.attention_mask, max_new_tokens=wanted
    )
    case.output("generated_ids", new)


def read_picture(
    case: Case, network: FerretV2Network, pixels: TiledPixels, drawn: DrawnRegions | None
) -> tuple[Tensor | None, PictureFeatures]:
    """Compare what towers, projectors and sampler make of a batch; return regions and pictures."""
    whole, tiles = network.features(pixels)
    counts = [columns * rows for columns, rows in pixels.grids]
    in_order = [torch.cat([one[None], own]) for one, own in zip(whole, tiles.split(counts), strict=True)]
    case.output("encoder_features", torch.cat(in_order))
    case.output("projected_features", network.projector(torch.cat(in_order)))
    features = network.encode_pictures(pixels)
    for index, own in enumerate(features.maps):
        if f"outputs/region_map_{index}" in case.golden.tensors:
            shape = case.fed(f"region_map_{index}").shape  # a single picture's is stored flat
            case.output(f"region_map_{index}", own.movedim(0, -1).reshape(shape))
    if drawn is None or network.sampler is None:
        return None, features
    choices = stored_choices(case)
    settle_choices(case, network.sampler, drawn, choices)
    found = network.sampler(features.maps, drawn, chosen=choices)
    case.output("region_features", found)
    return found, features


def ferret_ui_config(case: Case) -> FerretV2Config:
    """Return the configuration that the reference fields of a Ferret-UI case stand for."""
    fields, vision, size = case.given("config"), case.given("vision_config"), case.given("sampler")
    assert fields.get("mm_vision_select_feature", "patch") == "patch"
    crop = vision["image_size"]
    pooling = size.get("pooler_mode", fields.get("sampler_pooler_mode", "mean"))
    sampler = {
        "points": size["num_init_point"],
        "anchors": size["num_sub_point"],
        "neighbours": size["num_neighbor"],
        "pooling": pooling,
    }
    transposed = size.get("point_order", "transposed").startswith("transposed")
    pinpoints = fields.get("image_grid_pinpoints") or [[crop, crop]]
    return FerretV2Config.ferret_ui(
        language=decoder_fields(fields, kind=fields["model_type"].removeprefix("ferret_")),
        tower={"kind": "clip", **vision},
        select_layer=fields["mm_vision_select_layer"],
        projector=fields["mm_projector_type"],
        merge=fields.get("mm_patch_merge_type", "flat"),
        resolution="fixed" if case.given("images_stacked") else "any_res",
        grids=grids_from_sizes(pinpoints, crop=crop),
        crop=crop,
        global_side=crop,
        sampler=sampler,
        point_order="transposed" if transposed else "xy",
        region_token_id=fields["im_region_fea_token"],
        max_tokens=fields.get("tokenizer_model_max_length"),
        pad_token_id=0,
    )


def stacked_pixels(case: Case, network: FerretV2Network) -> TiledPixels:
    """Return a case's pictures as a batch; the first of several is the whole, a single one has no tiles."""
    sizes = [(width, height) for width, height in case.given("image_sizes_wh")]
    if "inputs/pixel_values" in case.golden.tensors:
        pictures = list(case.input("pixel_values"))
    else:
        pictures = [case.input(f"pixel_values_{index}") for index in range(len(sizes))]
    pictures = [one[None] if one.ndim == 3 else one for one in pictures]
    config, grids = network.config, []
    for (width, height), own in zip(sizes, pictures, strict=True):
        offered = [(columns, rows) for columns, rows in config.grids]
        chosen = best_grid(width, height, grids=offered, crop=config.crop) if len(own) > 1 else NO_TILES
        grids.append(chosen)
    return TiledPixels(
        whole=torch.stack([own[0] for own in pictures]),
        tiles=torch.cat([own[1:] for own in pictures]),
        grids=tuple(grids),
        sizes=tuple(sizes),
    )


def drawn_regions(case: Case, ids: Tensor, *, token: int) -> DrawnRegions | None:
    """Return a case's points with the samples that they are in; None where there are no regions."""
    rows = case.rows("regions")
    if not rows:
        return None
    owners = torch.tensor([row.given("sample") for row in rows])
    assert owners.tolist() == sorted(owners.tolist())
    names = sorted(name for name in case.golden.tensors if name.startswith("inputs/fps_start_"))
    starts = torch.stack([case.tensor(name).long() for name in names])
    sampled, stored = sampled_regions(case, owners, ids, token=token)
    compare_draws(case, [rows[number] for number in stored], case.input("sampled_points"))
    return drawn_of(case.input("sampled_points"), owners[sampled], starts, sampled, stored)


def drawn_of(points: Tensor, owners: Tensor, starts: Tensor, sampled: Tensor, stored: Tensor) -> DrawnRegions:
    """Return the sampled of a case's regions; points (R, P, 2) are those of the stored ones."""
    picked = torch.isin(stored, sampled)
    starts = starts if starts.shape[1] == len(sampled) else starts[:, picked]
    return DrawnRegions(points=points[picked], pictures=owners, starts=starts)


def compare_draws(case: Case, regions: list[Case], points: Tensor) -> None:
    """Compare stored points (R, P, 2) with draws from the stored pixels of the regions."""
    for row, stored in zip(regions, points, strict=True):
        listed = case.input(f"mask_points_{row.given('sample')}_{row.given('region')}").long()
        compare_points(listed_pixels(listed, size=row.given("mask_size_wh")), stored)


def check_v2_model(case: Case) -> None:
    """A whole Ferret-v2 model, sample by sample, from the towers' features to logits."""
    network = ferret_v2(case)
    rows = case.rows("regions")
    with torch.no_grad():
        for index in range(len(case.given("samples"))):
            own = [row for row in rows if row.given("sample") == index]
            check_sample(case, network, index, own)


def check_sample(case: Case, network: FerretV2Network, index: int, regions: list[Case]) -> None:
    """One sample of a Ferret-v2 case."""
    pixels, ids = sample_inputs(case, index)
    whole, tiles = network.features(pixels)
    case.output(f"global_features_{index}", whole[0])
    case.output(f"local_features_{index}", tiles)
    seen = (network.local_projector or network.projector)(tiles)
    case.output(f"global_projected_{index}", network.projector(whole)[0])
    case.output(f"local_projected_{index}", seen)
    case.output(f"local_map_{index}", merge_tiles(seen, pixels.grids[0]))
    features = network.encode_pictures(pixels)
    case.output(f"image_tokens_{index}", features.tokens[0])
    case.output(f"region_map_{index}", features.maps[0].movedim(0, -1))
    drawn, found = sample_regions(case, index, regions), None
    if drawn is not None and network.sampler is not None:
        case.output(f"point_features_{index}", network.sampler.point_features(features.maps, drawn))
        choices = stored_choices(case, suffix=f"_{index}")
        settle_choices(case, network.sampler, drawn, choices, suffix=f"_{index}")
        found = network.sampler(features.maps, drawn, chosen=choices)
        case.output(f"region_features_{index}", found)
    if found is not None:
        found = in_text(found, torch.zeros(len(found)), ids, token=network.config.region_token_id)[0]
    merged = network.embed(ids, pictures=features.tokens, slots=slots(network, [found]))
    case.output(f"inputs_embeds_{index}", merged.embeds[0] / network.word_scale)
    case.output(f"logits_{index}", network(inputs_embeds=merged.embeds).logits[0])


def sample_inputs(case: Case, index: int) -> tuple[TiledPixels, Tensor]:
    """Return the picture and the ids (1, T) of one sample of a Ferret-v2 case."""
    sample = case.given("samples")[index]
    ids = case.input(f"input_ids_{index}")
    assert ids.tolist() == sample["ids"]
    columns, rows = sample["grid"]
    pixels = TiledPixels(
        whole=case.input(f"global_pixels_{index}")[None],
        tiles=case.input(f"local_pixels_{index}"),
        grids=((columns, rows),),
        sizes=((columns, rows),),  # in proportion; only the variant without padding asks
    )
    return pixels, ids[None]


def sample_regions(case: Case, index: int, regions: list[Case]) -> DrawnRegions | None:
    """Return the drawn regions of one sample, its picture the only one."""
    if not regions:
        return None
    starts = case.input(f"fps_start_{index}").T.contiguous()  # (stages, R)
    points, token = case.input(f"sampled_points_{index}"), case.given("config")["im_region_fea_token"]
    owners, ids = torch.zeros(len(regions), dtype=torch.long), case.input(f"input_ids_{index}")[None]
    sampled, stored = sampled_regions(case, owners, ids, token=token, suffix=f"_{index}")
    compare_draws(case, [regions[number] for number in stored], points)
    return drawn_of(points, owners[sampled], starts, sampled, stored)


def check_v2_gradients(case: Case) -> None:
    """The gradients of a loss over the last tokens of every sample of another case, summed."""
    subject = subject_of(case)
    network = ferret_v2(subject).train()
    spoken = re.search(r"last (\w+) token", case.given("loss"))
    assert spoken is not None, f"how many tokens are learnt? {case.given('loss')}"
    learnt = int(spoken[1]) if spoken[1].isdigit() else NUMBERS.index(spoken[1])
    rows = subject.rows("regions")
    total: Any = 0.0
    for index in range(len(subject.given("samples"))):
        pixels, ids = sample_inputs(subject, index)
        drawn = sample_regions(subject, index, [row for row in rows if row.given("sample") == index])
        features, found = network.encode_pictures(pixels), None
        if drawn is not None and network.sampler is not None:
            found = network.sampler(features.maps, drawn, chosen=stored_choices(subject, suffix=f"_{index}"))
            found = in_text(found, torch.zeros(len(found)), ids, token=network.config.region_token_id)[0]
        labels = ids.masked_fill(torch.arange(ids.shape[1]) < ids.shape[1] - learnt, -100)
        merged = network.embed(ids, pictures=features.tokens, slots=slots(network, [found]), labels=labels)
        total = total + network(inputs_embeds=merged.embeds, labels=merged.labels).loss
    total.backward()
    case.output("loss", total, under="gradients")
    expect_gradients(case, network, table=FERRET_V2)


def subject_of(case: Case) -> Case:
    """Return the case whose weights and inputs a gradient case is about: itself, or one that it names."""
    if case.weights():
        return Case(case.golden, (*CHECKS["v2_model"].given, "*"))
    for path in sorted(case.golden.path.parent.glob("*.json")):
        golden = read_golden(path)
        if (
            golden is not None
            and golden.kind == "v2_model"
            and named(golden.fields["case"], case.given("what"))
        ):
            return Case(golden, CHECKS["v2_model"].given)
    raise AssertionError(f"no v2_model case beside {case.golden.path} is named in: {case.given('what')}")


def named(name: str, text: str) -> bool:
    """Return whether a text speaks of a case."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def ferret_v2(case: Case) -> FerretV2Network:
    """Return our network with the configuration and weights of a Ferret-v2 case."""
    fields = case.given("config")
    llm = {key: value for key, value in fields["llm"].items() if key != "type"}
    local = fields.get("local_vision")
    config = FerretV2Config(
        language={**llm, "model_type": fields["llm"]["type"]},
        tower=tower_settings(fields["global_vision"]),
        local_tower=None if local is None else tower_settings(local),
        separate_projectors=any(key.startswith("model.mm_projector_local.") for key in case.weights()),
        select_layer=fields["select_layer"],
        local_select_layer=fields.get("local_select_layer"),
        projector=fields["mm_projector_type"],
        sampler={
            "points": fields["num_init_point"],
            "anchors": fields["num_sub_point"],
            "neighbours": fields["num_neighbor"],
            "pooling": fields["sampler_pooler_mode"],
        },
        point_order=fields["point_order"],
        crop=fields["local_crop"],
        global_side=fields["global_size"],
        merge=fields.get("mm_patch_merge_type", "spatial"),
        region_feature_source=fields["region_feature_source"],
        region_map=fields.get("region_map", "fused"),
        global_upsample=fields["global_upsample"],
        region_token_id=fields["im_region_fea_token"],
    )
    assert fields["image_token_id"] == PICTURE_MARKER
    network = FerretV2Network(config).eval()
    load_originals(network, case.weights(), table=FERRET_V2)
    return network


def tower_settings(fields: dict[str, Any]) -> dict[str, Any]:
    """Return a tower's settings from a case's."""
    return {"kind": fields["type"], **{key: value for key, value in fields.items() if key != "type"}}


CHECKS: dict[str, Check] = {
    "grid_selection": Check(
        check_grid_selection, given=("order", "pinpoint_sets", "crop_size", "cases/*/image_size")
    ),
    "unpad": Check(check_unpad, given=("cases/*/map_hw", "cases/*/image_wh")),
    "image_prep": Check(
        check_image_prep, given=("crop_size", "image_grid_pinpoints", "image_mean", "image_std", "pillow")
    ),
    "v2_image_prep": Check(
        check_v2_image_prep,
        given=(
            *("grids_cols_rows", "local_crop", "global_size"),
            *("clip_mean", "clip_std", "imagenet_mean", "imagenet_std"),
        ),
    ),
    "model": Check(
        check_model,
        given=(
            *("config", "vision_config", "sampler", "image_token_id", "image_sizes_wh", "images_stacked"),
            "regions",
        ),
    ),
    "v2_model": Check(check_v2_model, given=("config", "samples", "regions")),
    "v2_gradients": Check(check_v2_gradients, given=("loss", "what", "config", "samples", "regions")),
}
