"""Published parts as the start of a training stage."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from deixis.checkpoints.initial_state import language_state, projector_state, tower_state
from deixis.errors import BadWeights, MissingWeights
from deixis.layers.language.causal_decoders import build_decoder
from deixis.layers.projectors import build_projector
from deixis.layers.towers.building import build_feature_tower
from tests.checkpoints.tiny_checkpoints import CLIP, WIDTH, ferret_folders, llama_fields


def below(state: dict[str, torch.Tensor], name: str) -> dict[str, torch.Tensor]:
    assert all(key.startswith(f"{name}.") for key in state)
    return {key.removeprefix(f"{name}."): tensor for key, tensor in state.items()}


@pytest.mark.parametrize("prefix", ["model.mm_projector", "mm_projector", "base_model.model.mm_projector"])
def test_a_linear_projector(tmp_path: Path, prefix: str) -> None:
    weight, bias = torch.randn(48, 32), torch.randn(48)
    extra = {"model.embed_tokens.weight": torch.ones(2, 48)}
    torch.save({f"{prefix}.weight": weight, f"{prefix}.bias": bias, **extra}, tmp_path / "mm_projector.bin")
    state = below(projector_state(tmp_path, inputs=32, outputs=48), "projector")
    build_projector("linear", inputs=32, outputs=48).load_state_dict(state)
    assert torch.equal(state["weight"], weight)
    copied = projector_state(tmp_path / "mm_projector.bin", name="local_projector")
    assert set(copied) == {"local_projector.weight", "local_projector.bias"}


def test_a_deeper_projector(tmp_path: Path) -> None:
    projector = build_projector("mlp2x_gelu", inputs=32, outputs=48)
    stored = {f"model.mm_projector.{key}": tensor for key, tensor in projector.state_dict().items()}
    torch.save(stored, tmp_path / "mm_projector.bin")
    build_projector("mlp2x_gelu", inputs=32, outputs=48).load_state_dict(
        below(projector_state(tmp_path, inputs=32, outputs=48), "projector")
    )


def test_projectors_that_do_not_fit(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights, match=r"mm_projector.bin is missing"):
        projector_state(tmp_path)
    torch.save({"a": torch.ones(1)}, tmp_path / "mm_projector.bin")
    with pytest.raises(BadWeights, match="holds no mm_projector"):
        projector_state(tmp_path)
    torch.save({"model.mm_projector.weight": torch.ones(48, 32)}, tmp_path / "mm_projector.bin")
    for widths in ({"inputs": 31}, {"outputs": 47}):
        with pytest.raises(
            BadWeights, match=r"mm_projector.weight is \[48, 32\]; expected .* decoder of another size"
        ):
            projector_state(tmp_path, **widths)


def test_vicuna_with_a_row_for_the_region_token(tmp_path: Path) -> None:
    folders = ferret_folders(tmp_path)
    rows = folders.pieces + 1
    generator = torch.Generator().manual_seed(3)
    state = language_state(folders.base, rows=rows, generator=generator)
    build_decoder(llama_fields(rows) | {"model_type": "llama"}).load_state_dict(below(state, "language"))
    plain = language_state(folders.base)
    for key in ("language.model.embed_tokens.weight", "language.lm_head.weight"):
        assert torch.equal(state[key][:-1], plain[key]) and state[key].dtype is torch.float16
        assert 0 < state[key][-1].float().std() < 0.05
    again = language_state(folders.base, rows=rows, generator=torch.Generator().manual_seed(3))
    assert all(torch.equal(again[key], tensor) for key, tensor in state.items())


def test_decoders_that_do_not_fit(tmp_path: Path) -> None:
    folders = ferret_folders(tmp_path)
    with pytest.raises(
        BadWeights, match=rf"embed_tokens.weight is \[{folders.pieces}, {WIDTH}\]; expected at most 9"
    ):
        language_state(folders.base, rows=9)
    with pytest.raises(BadWeights, match="no part of a plain decoder"):
        language_state(folders.target)


def test_clip(tmp_path: Path) -> None:
    folders = ferret_folders(tmp_path)
    tower = build_feature_tower({"kind": "clip", **CLIP})
    tower.load_state_dict(below(tower_state(folders.tower), "tower"))
