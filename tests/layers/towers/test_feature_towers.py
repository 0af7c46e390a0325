"""Towers of features: the same numbers as the library's own encoders, at any side, in any precision."""

from __future__ import annotations

import weakref
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers.activations import QuickGELUActivation

from deixis.errors import UsageError
from deixis.layers.towers.building import build_feature_tower
from deixis.layers.towers.clip import QuickGelu
from deixis.layers.towers.feature_tower import (
    FeatureTower,
    blocks_before,
    resized_positions,
    selected_blocks,
    states_after,
)

SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "image_size": 24,
    "patch_size": 4,
}
CLIP = {"kind": "clip", "intermediate_size": 32, **SMALL}
DINOV2 = {"kind": "dinov2", "mlp_ratio": 2, **SMALL}
GRID = {"kind": "efficientnet_tiny", "side": 64}


def made(settings: dict[str, Any], **options: Any) -> FeatureTower:
    torch.manual_seed(0)
    return build_feature_tower(settings, **options).eval()


def librarys_own(tower: FeatureTower, pixels: Tensor, *, select: int) -> Tensor:
    more = {"interpolate_pos_encoding": True} if hasattr(tower.vision, "pre_layrnorm") else {}
    output: Any = tower.vision(pixels, output_hidden_states=True, **more)
    return output.hidden_states[select][:, 1:]


@pytest.mark.parametrize("settings", [CLIP, DINOV2], ids=["clip", "dinov2"])
@pytest.mark.parametrize("side", [24, 16, 32])
@pytest.mark.parametrize("select", [-2, -1, 1, 0])
def test_a_chosen_hidden_state_at_any_side(settings: dict[str, Any], side: int, select: int) -> None:
    tower, pixels = made(settings, select_layer=select), torch.randn(2, 3, side, side)
    with torch.no_grad():
        ours = tower(pixels)
        expected = librarys_own(tower, pixels, select=select)
    assert ours.shape == (2, tower.cells(side) ** 2, tower.width)
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("settings", [CLIP, DINOV2], ids=["clip", "dinov2"])
def test_blocks_behind_the_chosen_state_do_not_run(settings: dict[str, Any]) -> None:
    tower = made(settings)
    pixels = torch.randn(1, 3, 24, 24)
    before = tower(pixels)
    for name, weight in tower.named_parameters():
        if ".2." in name or "post_layernorm" in name or "vision.layernorm" in name:
            torch.nn.init.constant_(weight, torch.nan)
    assert torch.equal(tower(pixels), before)


DEEP = {"num_hidden_layers": 12}


def blocks_of(tower: FeatureTower) -> Any:
    vision: Any = tower.vision
    return next(vision.encoder.children())


@pytest.mark.parametrize("settings", [CLIP | DEEP, DINOV2 | DEEP], ids=["clip", "dinov2"])
@pytest.mark.parametrize("side", [24, 32])
@pytest.mark.parametrize("select", [[-2, -5, -8, -11, 6], [-4, -3, -2, -1], [3, 3], [0, 1], (-1,)], ids=str)
def test_any_set_of_hidden_states(settings: dict[str, Any], side: int, select: list[int]) -> None:
    tower, pixels = made(settings, select_layer=select), torch.randn(2, 3, side, side)
    with torch.no_grad():
        states, together = tower.states(pixels), tower(pixels)
        expected = [librarys_own(tower, pixels, select=one) for one in select]
    assert tower.width == 16 * len(select)
    assert together.equal(torch.cat(states, dim=-1))
    for state, one in zip(states, expected, strict=True):
        torch.testing.assert_close(state, one, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("settings", [CLIP | DEEP, DINOV2 | DEEP], ids=["clip", "dinov2"])
def test_one_state_of_several_is_the_state_alone(settings: dict[str, Any]) -> None:
    pixels = torch.randn(1, 3, 24, 24)
    several = made(settings, select_layer=[-2, 4]).states(pixels)
    assert several[0].equal(made(settings, select_layer=-2)(pixels))
    assert several[1].equal(made(settings, select_layer=4)(pixels))


@pytest.mark.parametrize("settings", [CLIP | DEEP, DINOV2 | DEEP], ids=["clip", "dinov2"])
@pytest.mark.parametrize(
    ("select", "run"), [([-5, 2, 4], 8), ([-2, -5, -8, -11, 6], 11), (-2, 11), ([3], 3), (0, 0)], ids=str
)
def test_no_block_runs_behind_the_last_state_that_is_needed(
    settings: dict[str, Any], select: Any, run: int
) -> None:
    tower, ran = made(settings, select_layer=select), []
    for number, block in enumerate(blocks_of(tower)):
        block.register_forward_hook(lambda *_, number=number: ran.append(number))
    tower(torch.randn(1, 3, 24, 24))
    assert ran == list(range(run))


@pytest.mark.parametrize("settings", [CLIP | DEEP, DINOV2 | DEEP], ids=["clip", "dinov2"])
def test_only_states_that_are_needed_are_kept(settings: dict[str, Any]) -> None:
    tower, outputs, alive = made(settings, select_layer=[2, 5, -1]), [], []

    def remember(*given: Any) -> None:
        outputs.append(weakref.ref(given[-1]))
        alive.append([number for number, one in enumerate(outputs, start=1) if one() is not None])

    for block in blocks_of(tower):
        block.register_forward_hook(remember)
    with torch.no_grad():
        tower(torch.randn(1, 3, 24, 24))
    # While block 8 runs: its output, its input, and what was selected.
    assert alive[7] in ([2, 5, 7, 8], [2, 5, 8])
    assert len(alive[11]) <= 4


def test_a_grid_of_two_depths_is_one_state() -> None:
    tower, pixels = made(GRID), torch.rand(1, 3, 64, 64)
    (state,) = tower.states(pixels)
    assert state.equal(tower(pixels)) and state.shape[-1] == tower.width


@pytest.mark.parametrize("settings", [CLIP, DINOV2, GRID], ids=["clip", "dinov2", "grid"])
def test_the_precision_of_the_pixels_comes_back(settings: dict[str, Any]) -> None:
    tower, pixels = made(settings), torch.rand(1, 3, 64, 64)
    exact = tower(pixels)
    rough = tower.to(torch.bfloat16)(pixels)
    assert rough.dtype == torch.float32
    assert torch.nn.functional.cosine_similarity(rough, exact, dim=-1).min() > 0.99


@pytest.mark.parametrize("settings", [CLIP, DINOV2], ids=["clip", "dinov2"])
def test_vectors_are_in_the_order_of_the_picture(settings: dict[str, Any]) -> None:
    """What changes most when one cell of the picture changes is that cell's vector, rows before columns."""
    tower = made(settings)
    cells, side = tower.cells(64), 64
    size = side // cells
    pixels = torch.rand(1, 3, side, side)
    changed = pixels.clone()
    row, column = 2, 1
    changed[..., row * size : (row + 1) * size, column * size : (column + 1) * size] = 0
    difference = (tower(changed) - tower(pixels)).square().sum(dim=-1)[0]
    assert int(difference.argmax()) == row * cells + column


def test_positions_are_resized_in_float32_under_autocast() -> None:
    table = torch.randn(1 + 36, 8)
    exact = resized_positions(table, 4)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(resized_positions(table, 4), exact)
    rough = resized_positions(table.bfloat16(), 4)
    assert torch.equal(rough[1:], resized_positions(table.bfloat16().float(), 4)[1:].bfloat16())
    assert torch.equal(exact[0], table[0])
    assert resized_positions(table, 6) is table


@pytest.mark.parametrize("kind", ["clip", "dinov2"])
def test_published_sizes_by_default(kind: str) -> None:
    with torch.device("meta"):
        tower = build_feature_tower({"kind": kind})
    sides = {"clip": (336, 24), "dinov2": (518, 37)}
    assert (tower.side, tower.cells(tower.side)) == sides[kind]
    assert tower.width == 1024 and tower.cells(224) == 16
    vision: Any = tower.vision
    assert len(next(vision.encoder.children())) == 24


@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing_enable.*:FutureWarning")
@pytest.mark.parametrize("settings", [CLIP, DINOV2], ids=["clip", "dinov2"])
def test_activations_can_be_computed_again_instead_of_kept(settings: dict[str, Any]) -> None:
    pixels, gradients = torch.randn(1, 3, 24, 24), []
    for again in (False, True):
        tower = made(settings).train()
        vision: Any = tower.vision
        runs = []
        next(m for name, m in vision.named_modules() if name.endswith("0.mlp")).register_forward_pre_hook(
            lambda *_, runs=runs: runs.append(1)
        )
        if again:
            vision.gradient_checkpointing_enable()
        tower(pixels).square().sum().backward()
        assert len(runs) == 1 + again
        gradients.append({name: w.grad for name, w in tower.named_parameters() if w.grad is not None})
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient)


def test_a_grid_of_two_depths() -> None:
    tower = made(GRID)
    pixels = torch.rand(1, 3, 64, 64)
    _, middle, coarse, *_ = tower.vision(pixels)
    grid = tower(pixels).transpose(1, 2).unflatten(2, (4, 4))
    torch.testing.assert_close(grid[:, : middle.shape[1]], middle)
    torch.testing.assert_close(grid[:, middle.shape[1] :, ::2, 1::2], coarse)
    assert tower.mean == (0, 0, 0) and tower.std == (1, 1, 1)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"kind": "resnet"}, "known kinds"),
        ({}, "known kinds"),
        ({"kind": "efficientnet_lite0", "size": 64}, "known: side"),
        ({"kind": "efficientnet_tiny", "side": 100}, "multiples of 32"),
    ],
)
def test_settings_that_are_none(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        build_feature_tower(settings)


@pytest.mark.parametrize(("select", "blocks"), [(-2, 3), (-1, 4), (0, 0), (4, 4), (-5, 0)])
def test_hidden_states_are_counted_from_both_ends(select: int, blocks: int) -> None:
    assert blocks_before(select, blocks=4) == blocks


@pytest.mark.parametrize("select", [5, -6])
def test_a_hidden_state_that_is_not_there(select: int) -> None:
    with pytest.raises(UsageError, match="hidden states 0 to 4"):
        blocks_before(select, blocks=4)


@pytest.mark.parametrize(
    ("select", "says"),
    [([], "select_layer is empty"), ([1, 5], "select_layer is 5, but a tower of 4 blocks")],
)
def test_sets_of_hidden_states_that_are_none(select: list[int], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        selected_blocks(select, blocks=4)


def test_states_come_in_the_order_they_are_asked_for() -> None:
    blocks = [lambda hidden, factor=factor: hidden * factor for factor in (2, 3, 5)]
    states = states_after(blocks, torch.tensor(1), selected=[2, 0, 1, 2])
    assert [int(state) for state in states] == [6, 1, 2, 6]


@pytest.mark.parametrize("learning", [False, True])
def test_quick_gelu_is_the_librarys_to_the_bit(learning):
    torch.manual_seed(0)
    hidden = (4 * torch.randn(3, 5, 7)).requires_grad_(learning)
    before = hidden.detach().clone()
    ours, theirs = QuickGelu()(hidden), QuickGELUActivation()(hidden)
    assert torch.equal(ours, theirs)
    assert torch.equal(hidden, before)
    if learning:
        slopes = [torch.autograd.grad(made.sum(), hidden)[0] for made in (ours, theirs)]
        assert torch.equal(*slopes)
