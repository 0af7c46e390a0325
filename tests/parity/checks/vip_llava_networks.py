"""Checks of ViP-LLaVA's network: pictures prepared, levels, projector, whole tiny models in both formats."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from deixis.layers.projectors import build_projector
from deixis.layers.towers.clip import ClipTower
from deixis.pictures import open_picture
from deixis.pictures.normalising import statistics
from deixis.pictures.padding import pad_to_square
from deixis.systems.spliced.preparation import SquareView, central_square
from deixis.systems.vip_llava.config import FIVE_LEVELS, VipLlavaConfig
from deixis.systems.vip_llava.keys import FILES, LEVELS, MODULES
from deixis.systems.vip_llava.model import VipLlavaNetwork
from deixis.text.splicing import IGNORED, PICTURE_MARKER, Side
from tests.parity.case import Case
from tests.parity.checks.ferret_networks import expect_gradients, expect_merged, load_originals
from tests.parity.planning import Check

PARTS = "vision_tower.vision_model."


def check_preprocess(case: Case) -> None:
    """Pictures made square in every published way, and normalised."""
    normalise = statistics(case.given("mean"), case.given("std"))
    case.expect("fill_colour", ours=[int(255 * mean) for mean in normalise.mean])
    order = case.acceptance.resize
    for row in case.rows("cases"):
        name, side = row.given("name"), row.given("crop_size")
        picture = open_picture(case.input(f"{name}/image").numpy())
        row.expect("image_size", ours=[picture.width, picture.height])
        outputs = {
            "pad": SquareView(side, normalise, "pad", order).view(picture)[1],
            "resize": SquareView(side, normalise, "resize", order).view(picture)[1],
            "default": SquareView(side, normalise, "crop", order).view(picture)[1],
            "square_then_default": SquareView(side, normalise, "crop", order).view(central_square(picture))[
                1
            ],
            "expand2square_uint8": padded(picture, normalise.mean),
        }
        for mode, ours in outputs.items():
            if f"outputs/{name}/{mode}" in case.golden.tensors:
                case.output(f"{name}/{mode}", ours)


def padded(picture: Any, mean: Any) -> Tensor:
    red, green, blue = (int(255 * one) for one in mean)
    return torch.from_numpy(pad_to_square(picture, fill=(red, green, blue)).pixels.copy())


def check_projector(case: Case) -> None:
    """LayerNorm and linear maps, with their gradients."""
    for row in case.rows("cases"):
        name = row.given("name")
        width, out = row.given("mm_hidden_size"), row.given("hidden_size")
        norm = nn.LayerNorm(width)
        projector = build_projector(row.given("projector_type"), inputs=width, outputs=out)
        parts = nn.ModuleDict({"clip_layernorm": norm, "final_linear": projector})
        start = f"{name}/"
        parts.load_state_dict(
            {key.removeprefix(start): one for key, one in case.weights().items() if key.startswith(start)}
        )
        row.expect("layernorm_eps", ours=norm.eps)
        features = case.input(f"{name}/features").requires_grad_()
        row.expect("tokens", ours=features.shape[1])
        normed = norm(features)
        tokens = projector(normed)
        case.output(f"{name}/after_layernorm", normed)
        case.output(f"{name}/tokens", tokens)
        (tokens * (torch.arange(tokens.numel()) % 7).reshape(tokens.shape)).sum().backward()
        assert features.grad is not None
        case.output(f"{name}/grad_features", features.grad, under="gradients")
        for key, weight in parts.named_parameters():
            assert weight.grad is not None
            case.output(f"{name}/grad/{key}", weight.grad, under="gradients")


def check_vision(case: Case) -> None:
    """The tower at its real depth: all hidden states, and those that are put side by side."""
    settings = dict(case.given("vision_config"))
    blocks = settings["num_hidden_layers"]
    tower = tower_of(case, settings, select_layer=FIVE_LEVELS)
    case.expect("selected_hidden_state_index_per_chunk", ours=tower.selected)
    case.expect("chunk_width", ours=settings["hidden_size"])
    pixels = case.input("images")
    case.output("features", tower(pixels))
    for index in range(len(pixels)):
        if f"outputs/features_list_input_{index}" in case.golden.tensors:
            case.output(f"features_list_input_{index}", tower(pixels[index : index + 1]))
    every = tower_of(case, settings, select_layer=list(range(blocks + 1)))
    case.output("hidden_states_stacked", all_states(every, pixels))


def tower_of(case: Case, settings: dict[str, Any], *, select_layer: Any) -> ClipTower:
    tower = ClipTower(settings, select_layer=select_layer).eval()
    inside = {
        key.split("vision_model.", 1)[1]: one for key, one in case.weights().items() if "vision_model." in key
    }
    report = tower.vision.load_state_dict(inside, strict=False)
    assert not report.unexpected_keys and not report.missing_keys, report
    return tower


def all_states(tower: ClipTower, pixels: Tensor) -> Tensor:
    """Return all hidden states (S, B, 1 + N, D), the class token's too."""
    kept: list[Tensor] = []
    vision: Any = tower.vision
    hooks = [vision.pre_layrnorm.register_forward_hook(lambda _, __, made: kept.append(made))]
    for block in vision.encoder.layers:
        hooks.append(block.register_forward_hook(lambda _, __, made: kept.append(first_of(made))))
    tower(pixels)
    for hook in hooks:
        hook.remove()
    return torch.stack(kept)


def first_of(made: Any) -> Tensor:
    return made[0] if isinstance(made, tuple) else made


def network_of(case: Case, *, vision: str, language: str, kind: str) -> VipLlavaNetwork:
    """Return the network of a case, without weights."""
    settings, decoder = dict(case.given(vision)), dict(case.given(language))
    config = VipLlavaConfig(
        language={**decoder, "model_type": kind},
        tower={"kind": "clip", **settings},
        side=settings["image_size"],
        bos_token_id=decoder.get("bos_token_id", 1),
        eos_token_id=decoder.get("eos_token_id", 2),
        pad_token_id=decoder.get("pad_token_id", 0),
    )
    return VipLlavaNetwork(config).eval()


def check_model(case: Case) -> None:
    """A whole model: levels, projector, merged text, logits, loss, gradients, greedy tokens."""
    kind = "phi3" if "Phi3" in case.given("model") else "llama"
    network = network_of(case, vision="vision_config", language="llm_config", kind=kind)
    load_originals(network, case.weights(), table=LEVELS)
    case.expect("image_token_index", ours=PICTURE_MARKER)
    if case.has("ignore_index"):
        case.expect("ignore_index", ours=IGNORED)
    case.expect("mm_config", "mm_hidden_size", ours=network.tower.width)
    pixels = case.input("images")
    check_features(case, network, pixels)
    side = padding_side(case)
    features = network.encode_pictures(pixels)
    merged = network.embed(
        case.input("input_ids"),
        pictures=pictures_of_rows(case.input("input_ids"), features.tokens),
        attention_mask=case.input("attention_mask"),
        labels=case.input("labels"),
        padding=side,
    )
    expect_merged(case, merged, mask="merged_attention_mask", labels="merged_labels", side=side)
    output = network(inputs_embeds=merged.embeds, attention_mask=merged.attention_mask)
    case.output("logits", output.logits, where=merged.attention_mask.bool())
    if "outputs/lm_hidden_states_stacked" in case.golden.tensors:
        hidden = network.language.model(
            inputs_embeds=merged.embeds, attention_mask=merged.attention_mask, output_hidden_states=True
        ).hidden_states
        where = merged.attention_mask.bool().expand(len(hidden), -1, -1)
        case.output("lm_hidden_states_stacked", torch.stack(hidden), where=where)
    trained = network(inputs_embeds=merged.embeds, attention_mask=merged.attention_mask, labels=merged.labels)
    case.output("loss", trained.loss.reshape(1))
    trained.loss.backward()
    expect_gradients(case, network, table=LEVELS)
    for row in case.rows("generation") if case.has("generation") else []:
        number = row.at[-1]
        ids = case.input(f"generate{number}/input_ids")
        new = greedy(network, row, ids, case.input(f"generate{number}/images"))
        row.expect("token_ids", ours=new[0].tolist())
        case.output(f"generate{number}/token_ids", new)


def padding_side(case: Case) -> Side:
    """Return on which side the reference padded rows."""
    if not case.has("mm_config", "tokenizer_padding_side"):
        return "right"
    side: Side = case.given("mm_config", "tokenizer_padding_side")
    return side


def pictures_of_rows(ids: Tensor, tokens: Any) -> list[list[Tensor]]:
    """Return the pictures of each row: as many as it has markers; a row without takes one and ignores it."""
    counts = [max(int((row == PICTURE_MARKER).sum()), 1) for row in ids]
    left = list(tokens)
    rows = []
    for count in counts:
        rows.append(left[:count])
        left = left[count:]
    assert not left
    return rows


def check_features(case: Case, network: VipLlavaNetwork, pixels: Tensor) -> None:
    """What tower and projector make of pictures, step by step."""
    assert network.feature_norm is not None
    golden = case.golden.tensors.get("outputs/vision_hidden_states_stacked")
    if golden is not None and not case.given("save_hidden"):
        name = "outputs/vision_hidden_states_stacked"
        case.settle(name, agrees=golden.numel() == 1, how="what stands for states that were not saved")
    elif golden is not None:
        every = ClipTower(dict(case.given("vision_config")), select_layer=list(range(len(golden)))).eval()
        every.vision.load_state_dict(network.tower.vision.state_dict())
        case.output("vision_hidden_states_stacked", all_states(every, pixels))
    levels = network.tower(pixels)
    case.output("vision_features_concat", levels)
    normed = network.feature_norm(levels)
    case.output("projector_after_layernorm", normed)
    first: Any = network.projector
    case.output("projector_after_linear0", first[0](normed))
    case.output("image_features", torch.stack(network.encode_pictures(pixels).tokens))


def greedy(network: VipLlavaNetwork, row: Case, ids: Tensor, pixels: Tensor) -> Tensor:
    """Return the next tokens."""
    assert network.generation_config is not None
    network.generation_config.eos_token_id = row.given("eos_token_id")
    prompt = network.embed(ids, pictures=[list(network.encode_pictures(pixels).tokens)])
    return network.generate(
        inputs_embeds=prompt.embeds.detach(),
        attention_mask=prompt.attention_mask,
        max_new_tokens=row.given("max_new_tokens"),
    )


def check_model_hf(case: Case) -> None:
    """The same under the names of ``transformers``: every key three ways, logits, loss, greedy tokens."""
    for row in case.rows("key_mapping"):
        original = row.given("original")
        row.expect("hf_checkpoint", ours=FILES.to_original(original))
        row.expect("hf_module_5x", ours=MODULES.to_original(original))
        row.expect("shape", ours=list(case.weights()[FILES.to_original(original)].shape))
    network = network_of(case, vision="original_vision_config", language="original_llm_config", kind="llama")
    originals = {FILES.to_ours(key): tensor for key, tensor in case.weights().items()}
    load_originals(network, originals, table=LEVELS)
    case.expect("hf_config", "vision_feature_layers", ours=network.config.select_layers)
    pixels = case.input("images")
    features = network.encode_pictures(pixels)
    case.expect("image_tokens_per_image", ours=len(features.tokens[0]))
    merged = network.embed(
        case.input("input_ids_original"),
        pictures=features.tokens,
        attention_mask=case.input("attention_mask_original"),
        labels=case.input("labels_original"),
    )
    where = merged.attention_mask.bool()
    assert torch.equal(where, case.input("attention_mask_expanded").bool())
    output = network(inputs_embeds=merged.embeds, attention_mask=merged.attention_mask)
    case.output("logits", output.logits, where=where)
    trained = network(inputs_embeds=merged.embeds, attention_mask=merged.attention_mask, labels=merged.labels)
    case.output("loss", trained.loss.reshape(1))
    prompt = [PICTURE_MARKER if one == "<image>" else one for one in case.given("generation", "prompt")]
    network.generation_config.eos_token_id = case.given("generation", "eos_token_id")
    asked = network.embed(torch.tensor([prompt]), pictures=[[features.tokens[0]]])
    new = network.generate(
        inputs_embeds=asked.embeds.detach(),
        attention_mask=asked.attention_mask,
        max_new_tokens=case.given("generation", "max_new_tokens"),
    )
    case.output("generate_token_ids", new)
    case.expect("generation", "token_ids", ours=new[0].tolist())


ABOUT = ("float32_vs_float64_max_abs_diff", "rerun_max_abs_diff", "logits_abs_max")
NETWORKS: dict[str, Check] = {
    "preprocess": Check(
        check_preprocess,
        given=(
            "modes",
            "mean",
            "std",
            "libraries",
            *(f"cases/*/{n}" for n in ("name", "background", "crop_size", "note")),
        ),
    ),
    "projector": Check(
        check_projector,
        given=(
            "module",
            *(f"cases/*/{name}" for name in ("name", "mm_hidden_size", "hidden_size", "projector_type")),
            *(f"cases/*/{name}" for name in ("activation", "grad_loss", "float32_vs_float64_max_abs_diff")),
        ),
    ),
    "vision": Check(
        check_vision,
        given=("module", "vision_config", "index_convention", "weights_prefix", *ABOUT),
    ),
    "model": Check(
        check_model,
        given=(
            *("model", "vision_config", "llm_config", "save_hidden", "save_lm_hidden", *ABOUT),
            *("mm_config/mm_vision_tower", "mm_config/mm_projector_type", "mm_config/tokenizer_padding_side"),
            *("params_without_grad_prefixes", "generate_note", "observed_float32_tolerance", "note"),
            *(
                f"generation/*/{name}"
                for name in ("index", "max_new_tokens", "eos_token_id", "min_top2_margin")
            ),
        ),
    ),
    "model_hf": Check(
        check_model_hf,
        given=(
            *("model", "hf_config", "original_vision_config", "original_llm_config", "base_vocab"),
            *(
                "image_token_id",
                "pad_token_id",
                "observed_float32_tolerance",
                "key_mapping/*/original",
                *ABOUT,
            ),
            *("generation/prompt", "generation/max_new_tokens", "generation/eos_token_id"),
        ),
    ),
}
