"""Checks of Florence-VL's network: pictures prepared, tower, fusion, projector, whole tiny models."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from deixis.checkpoints.convert.florence_folder import FlorenceFiles
from deixis.checkpoints.convert.florence_settings import florence_settings
from deixis.checkpoints.files.lazy import held
from deixis.layers.fusion.depth_breadth import DepthBreadthFusion
from deixis.layers.projectors import build_projector
from deixis.layers.towers.dinov2 import IMAGENET_PIXELS
from deixis.layers.towers.florence_davit import DavitTower
from deixis.layers.towers.florence_encoder import PromptedEncoder
from deixis.layers.towers.florence_prompts import PROMPTS, PUBLISHED, prompt_ids
from deixis.pictures import open_picture
from deixis.pictures.normalising import Normalisation, statistics
from deixis.pictures.padding import pad_to_square
from deixis.pictures.resizing import resize
from deixis.systems.florence_vl.config import FlorenceVlConfig
from deixis.systems.florence_vl.keys import FLORENCE_VL, TOWER
from deixis.systems.florence_vl.model import FlorenceVlNetwork
from deixis.systems.spliced.preparation import SquareView
from deixis.text.splicing import IGNORED, PICTURE_MARKER, Merged, Side
from tests.parity.case import Case
from tests.parity.planning import Check

SHARED = "language_model.model.shared.weight"


def check_preprocess(case: Case) -> None:
    """Pictures padded or squashed to a square, step by step, and rows of one at full size."""
    processor = case.given("processor")
    normalise = statistics(processor["image_mean"], processor["image_std"], rescale=processor["rescale"])
    assert normalise == IMAGENET_PIXELS, "the case was made with other statistics than Florence-2's"
    case.expect("pad_colour", ours=[int(255 * mean) for mean in normalise.mean])
    height, side = processor["size"]
    assert height == side and not processor["do_center_crop"]
    for row in case.rows("images"):
        name = f"image{row.given('index')}"
        picture = open_picture(case.input(name).numpy())
        row.expect("width", ours=picture.width)
        row.expect("height", ours=picture.height)
        squared = pad_to_square(picture, fill=colour(normalise))
        resized = resize(squared, side, side, order=case.acceptance.resize)
        case.output(f"{name}/square_uint8", torch.from_numpy(squared.pixels.copy()))
        case.output(f"{name}/pad_resized_uint8", torch.from_numpy(resized.pixels.copy()).permute(2, 0, 1))
        for aspect, output in (("pad", "pad"), ("resize", "square")):
            case.output(f"{name}/{output}", view(case, name, normalise, side=side, aspect=aspect))
    if "inputs/image_768" in case.golden.tensors:
        rows = view(case, "image_768", normalise, side=768, aspect="pad")[:, case.given("rows_768")]
        case.output("image_768/pad_rows", rows)


def view(case: Case, name: str, normalise: Normalisation, *, side: int, aspect: Any) -> Tensor:
    preparation = SquareView(side, normalise, aspect, case.acceptance.resize)
    return preparation.view(open_picture(case.input(name).numpy()))[1]


def colour(normalise: Normalisation) -> tuple[int, int, int]:
    red, green, blue = (int(255 * mean) for mean in normalise.mean)
    return red, green, blue


def check_projector(case: Case) -> None:
    """Channel integration and linear maps of several numbers, with their gradients."""
    config = case.given("config")
    width, out = config["mm_hidden_size"], config["hidden_size"]
    kinds = dict.fromkeys(key.split("/")[0] for key in case.weights())
    prefix = case.given("key_prefix_in_checkpoint")
    for kind in kinds:
        visual = case.input("image_features").clone().requires_grad_()
        breadth = case.input("encoder_last_hidden_state").clone().requires_grad_()
        count = breadth.shape[-1] // width
        fusion = DepthBreadthFusion(width=width, depths=1, breadths=count)
        projector = build_projector(kind, inputs=fusion.width, outputs=out)
        start = f"{kind}/"
        stored = {
            key.removeprefix(start): one for key, one in case.weights().items() if key.startswith(start)
        }
        projector.load_state_dict({named(prefix + key): one for key, one in stored.items()})
        tokens = projector(fusion([visual, *breadth.split(width, dim=-1)]))
        case.output(f"{kind}/out", tokens)
        (tokens * case.input("upstream_grad")).sum().backward()
        assert visual.grad is not None and breadth.grad is not None
        case.output(f"{kind}/grad_image_features", visual.grad, under="gradients")
        case.output(f"{kind}/grad_encoder_last_hidden_state", breadth.grad, under="gradients")
        weights = dict(projector.named_parameters())
        for key in stored:
            gradient = weights[named(prefix + key)].grad
            assert gradient is not None, f"{kind}/{key}: no gradient"
            case.output(f"{kind}/grad/{key}", gradient, under="gradients")


def named(original: str) -> str:
    """Return a projector's weight, by its original name, as it is called within ours."""
    return FLORENCE_VL.to_ours(original).removeprefix("projector.")


def whole_tower(case: Case, *, prefix: str = "") -> dict[str, Tensor]:
    """Return the tower's weights by their names in the tower, its word table made whole."""
    weights = {key.removeprefix(prefix): one for key, one in case.weights().items() if key.startswith(prefix)}
    rows, ids = (case.golden.tensors[f"sparse_{one}/{prefix}{SHARED}"] for one in ("rows", "ids"))
    words = case.given("tower_config", "text_config", "vocab_size")
    table = rows.new_zeros(words, rows.shape[1])
    table[ids] = rows
    return {**weights, SHARED: table}


def florence(case: Case, *, prefix: str = "") -> FlorenceFiles:
    """Return the case's Florence-2 as conversion reads it."""
    config = {**case.given("tower_config"), "image_size": case.given("image_size")}
    tower, encoder = florence_settings(config, where=case.golden.name)
    tensors = {
        key: held(one, where=case.golden.name) for key, one in whole_tower(case, prefix=prefix).items()
    }
    return FlorenceFiles(tower, encoder, tensors)


def state_of(files: FlorenceFiles) -> dict[str, Tensor]:
    parts = {**files.under("tower"), **files.under("encoder")}
    return {key: tensor.read() for key, tensor in parts.items()}


def check_tower(case: Case) -> None:
    """DaViT stage by stage, visual tokens, the encoder under each prompt, and every way to join them."""
    files, ids = florence(case), case.input("task_ids")
    tower = DavitTower({key: one for key, one in files.tower.items() if key != "kind"}).eval()
    encoders = {
        masked: PromptedEncoder(
            files.encoder, inputs=tower.width, prompts=ids.tolist(), rows=rows_of(ids), mask_padding=masked
        ).eval()
        for masked in (False, True)
    }
    parts = torch.nn.ModuleDict({"tower": tower, "encoder": encoders[False]})
    state = state_of(files)
    state["encoder.bart.embed_tokens.weight"] = files.table.read()[list(rows_of(ids))]
    parts.load_state_dict(state)
    encoders[True].load_state_dict(encoders[False].state_dict())
    check_prompts_asked(case, ids)
    with torch.no_grad():
        pixels = case.input("pixel_values")
        check_davit(case, tower, pixels)
        features = check_encoders(case, encoders, tower(pixels))
        check_fusion(case, features)


def rows_of(ids: Tensor) -> tuple[int, ...]:
    return tuple(sorted({0, 1, 2, *ids.flatten().tolist()}))


def check_prompts_asked(case: Case, ids: Tensor) -> None:
    """The ids are those that we ask, if the case asks what is published."""
    case.expect("prompt_ids", ours=ids.tolist())
    case.expect("prompt_text", ours=[PROMPTS[name].text for name in PUBLISHED])
    assert ids.tolist() == prompt_ids(PUBLISHED, length=ids.shape[1])


def check_davit(case: Case, tower: DavitTower, pixels: Tensor) -> None:
    """All maps, token by token; what a stage begins with and the first block of the first."""
    kept: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        return lambda _, __, made: kept.__setitem__(name, made)

    hooks = [
        convolution.register_forward_hook(keep(f"stage{stage}_conv_embed"))
        for stage, convolution in enumerate(tower.vision.convs)
    ]
    blocks: Any = tower.vision.blocks
    for stage, row in enumerate(blocks):
        for number, block in enumerate(row):
            for kind in ("spatial", "channel"):
                part = getattr(block, f"{kind}_block")
                hooks.append(part.register_forward_hook(keep(f"stage{stage}_{kind}_block{number}")))
    maps = list(tower.maps(pixels))
    for hook in hooks:
        hook.remove()
    kept |= {f"stage{stage}": one for stage, one in enumerate(maps)}
    case.expect("stage_grids", ours=[list(one.shape[-2:]) for one in maps])
    assert tower.cells(pixels.shape[-1]) == maps[-1].shape[-1]
    for name in outputs_below(case, "davit/"):
        case.output(f"davit/{name}", kept[name].flatten(2).transpose(1, 2))


def outputs_below(case: Case, start: str) -> list[str]:
    full = f"outputs/{start}"
    return [key.removeprefix(full) for key in case.golden.tensors if key.startswith(full)]


def check_encoders(case: Case, encoders: dict[bool, PromptedEncoder], cells: Tensor) -> tuple[Tensor, ...]:
    """What the encoder reads and makes of it, with the fillings seen and unseen; returns all features."""
    layers: list[Tensor] = []
    plain = encoders[False]
    hooks = [
        layer.register_forward_hook(lambda _, __, made: layers.append(made)) for layer in plain.bart.layers
    ]
    features = plain(cells)
    for hook in hooks:
        hook.remove()
    visual = features[0]
    case.output("image_features_V", visual)
    case.expect("num_visual_tokens", ours=visual.shape[1])
    read, states, masked = plain.read(visual), plain.states(visual), encoders[True].states(visual)
    for number, name in enumerate(PUBLISHED):
        case.output(f"encoder_input_{name}", read[:, number])
        case.output(f"encoder_full_{name}", states[:, number])
        seen = torch.ones(masked.shape[:1] + masked.shape[2:3], dtype=torch.bool)
        seen[:, visual.shape[1] :] = plain.spoken[number]
        case.output(f"encoder_full_{name}_padmasked", masked[:, number], where=seen)
    for name in outputs_below(case, "encoder_layer"):
        layer, _, prompt = name.partition("_")
        made = layers[int(layer) - 1].unflatten(0, (len(visual), -1))
        case.output(f"encoder_layer{name}", made[:, PUBLISHED.index(prompt)])
    case.output("breadth_channel_cat", torch.cat(features[1:], dim=-1))
    return features


def check_fusion(case: Case, features: tuple[Tensor, ...]) -> None:
    """Three integrations, with and without depth, and depth alone."""
    width = features[0].shape[-1]

    def fused(integration: Any, which: Any, parts: Any = features) -> Tensor:
        count = len(features) - 1
        return DepthBreadthFusion(
            width=width, depths=1, breadths=count, integration=integration, fused=which
        )(parts)

    case.output("fused_channel", fused("channel", "all"))
    unpooled = tuple(one[:, 1:] for one in features)
    case.output("fused_channel_no_pooled_token", fused("channel", "all", unpooled))
    for short, integration in (("token", "token"), ("avg", "average")):
        case.output(f"fused_{short}3", fused(integration, "breadth"))
        case.output(f"fused_{short}4", fused(integration, "all"))
    case.output("fused_depth_only", fused("channel", "depth"))


def network_of(case: Case, *, longest: int | None = None, training: Any = "published") -> FlorenceVlNetwork:
    """Return the network of a case with its weights."""
    decoder = dict(case.given("llm_config"))
    assert case.given("mm_config", "mm_patch_merge_type") == "flat"
    files = florence(case, prefix=TOWER)
    config = FlorenceVlConfig(
        language={**decoder, "model_type": case.given("llm")},
        tower=files.tower,
        encoder=files.encoder,
        projector=case.given("mm_config", "mm_projector_type"),
        side=case.given("image_size"),
        tower_training=training,
        max_tokens=longest,
        **{name: decoder[name] for name in ("bos_token_id", "eos_token_id", "pad_token_id")},
    )
    network = FlorenceVlNetwork(config)
    words = {key: one for key, one in case.weights().items() if not key.startswith(TOWER)}
    originals = {FLORENCE_VL.to_ours(key): one for key, one in words.items()}
    report = network.load_state_dict({**originals, **state_of(files)}, strict=False)
    assert not report.unexpected_keys and not report.missing_keys, report
    return network


def check_model(case: Case) -> None:
    """A whole model: features, merged batches, logits, loss, gradients, greedy tokens."""
    case.expect("mm_config", "image_token_index", ours=PICTURE_MARKER)
    case.expect("mm_config", "ignore_index", ours=IGNORED)
    network = network_of(case, longest=case.given("mm_config", "tokenizer_model_max_length")).eval()
    assert network.encoder is not None
    case.expect("mm_config", "mm_hidden_size", ours=network.encoder.width)
    with torch.no_grad():
        check_pictures(case, network)
        check_single(case, network)
    check_batch(case, network)
    for name in ("truncated", "leftpad"):
        if case.has("cases", name):
            check_merge(case, name)


def check_pictures(case: Case, network: FlorenceVlNetwork) -> None:
    """What becomes of pictures."""
    pixels = case.input("pixel_values")
    visual, *breadths = network.features(pixels)
    case.output("image_features_V", visual)
    case.output("breadth_channel_cat", torch.cat(breadths, dim=-1))
    tokens = torch.stack(network.encode_pictures(pixels).tokens)
    case.output("projected_image_features", tokens)
    case.expect("num_visual_tokens", ours=tokens.shape[1])
    assert network.least_tokens() == tokens.shape[1]


def check_single(case: Case, network: FlorenceVlNetwork) -> None:
    """One question: logits, and the tokens that follow."""
    ids, pixels = case.input("single/input_ids"), case.input("pixel_values")[:1]
    merged = network.read(ids, pixel_values=pixels)
    case.output("single/merge/inputs_embeds", merged.embeds)
    output = network.language(inputs_embeds=merged.embeds, output_hidden_states=True)
    case.output("single/logits", network(ids, pixel_values=pixels).logits)
    for name in outputs_below(case, "single/hidden_layer"):
        case.output(f"single/hidden_layer{name}", output.hidden_states[int(name)])
    golden = case.fed("single/greedy_new_token_ids")
    new = network.generate(ids, pixel_values=pixels, max_new_tokens=golden.shape[1], eos_token_id=None)
    case.output("single/greedy_new_token_ids", new)
    margins, taught = followed(network, merged, new)
    case.expect("cases", "single", "top1_top2_margins", ours=margins, under="values")
    case.expect("cases", "single", "greedy_equals_teacher_forced_argmax", ours=taught)


def followed(network: FlorenceVlNetwork, prompt: Merged, new: Tensor) -> tuple[list[float], bool]:
    """Return by how much each token won, and whether each was the likeliest, the earlier ones being given."""
    words = network.get_input_embeddings()(new)
    logits = network.language(inputs_embeds=torch.cat([prompt.embeds, words], dim=1)).logits
    logits = logits[0, prompt.embeds.shape[1] - 1 : -1]
    best = logits.topk(2).values
    return (best[:, 0] - best[:, 1]).tolist(), bool((logits.argmax(dim=-1) == new[0]).all())


def check_batch(case: Case, network: FlorenceVlNetwork) -> None:
    """A training batch; a row without a picture takes one of its own and shows nothing of it."""
    ids, mask, labels = (case.input(f"batch/{name}") for name in ("input_ids", "attention_mask", "labels"))
    pixels = case.input("batch/pixel_values")
    case.expect("cases", "batch", "images_per_sample_consumed", ours=[1] * len(ids))
    assert len(pixels) == len(ids)
    merged = merge(case, network, side=case.given("mm_config", "tokenizer_padding_side"))
    expect_merge(case, "batch", merged)
    with torch.no_grad():
        logits = network(ids, pixel_values=pixels, attention_mask=mask).logits
    case.output("batch/logits", logits, where=merged.attention_mask.bool())
    loss = network(ids, pixel_values=pixels, attention_mask=mask, labels=labels).loss
    case.output("batch/loss", loss)
    loss.backward()
    seeing = [weight for part in network.seeing for weight in part.parameters()]
    assert all(weight.requires_grad for weight in seeing)
    trained = sum(weight.grad is not None for weight in seeing)
    case.expect("cases", "batch", "vision_tower_parameters_with_gradient", ours=trained)
    weights = dict(network.named_parameters())
    for name in outputs_below(case, "batch/grad/"):
        gradient = weights[FLORENCE_VL.to_ours(name)].grad
        assert gradient is not None, f"{name}: no gradient"
        case.output(f"batch/grad/{name}", gradient, under="gradients")


def check_merge(case: Case, name: str) -> None:
    """The batch merged with another limit, or padded on another side."""
    own = case.given("cases", name)
    side: Side = own.get("tokenizer_padding_side", case.given("mm_config", "tokenizer_padding_side"))
    limit = own.get("tokenizer_model_max_length", case.given("mm_config", "tokenizer_model_max_length"))
    assert own["inputs"] == "batch"
    network = network_of(case, longest=limit).eval()
    expect_merge(case, name, merge(case, network, side=side))


def merge(case: Case, network: FlorenceVlNetwork, *, side: Side) -> Merged:
    return network.read(
        case.input("batch/input_ids"),
        pixel_values=case.input("batch/pixel_values"),
        attention_mask=case.input("batch/attention_mask"),
        labels=case.input("batch/labels"),
        padding=side,
    )


def expect_merge(case: Case, name: str, merged: Merged) -> None:
    case.output(f"{name}/merge/inputs_embeds", merged.embeds, where=merged.attention_mask.bool())
    case.output(f"{name}/merge/attention_mask", merged.attention_mask)
    assert merged.labels is not None
    case.output(f"{name}/merge/labels", merged.labels)


ABOUT = ("layout", "dropout", "tower_config", "image_size")
NETWORKS: dict[str, Check] = {
    "preprocess": Check(
        check_preprocess,
        given=("processor", "rows_768", "pad_rule", "images/*/index", "images/*/kind"),
    ),
    "projector": Check(check_projector, given=("config", "layout", "key_prefix_in_checkpoint")),
    "tower": Check(check_tower, given=ABOUT),
    "model": Check(
        check_model,
        given=(
            *("llm", "llm_config", "tower_config", "image_size", "compare", "batch_position_ids_note"),
            *(f"mm_config/{name}" for name in ("mm_projector_type", "mm_patch_merge_type")),
            *(f"mm_config/tokenizer_{name}" for name in ("model_max_length", "padding_side")),
            *("cases/*/what", "cases/*/note", "cases/*/greedy", "cases/truncated", "cases/leftpad"),
        ),
    ),
}
