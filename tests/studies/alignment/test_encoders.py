"""Encoders behind one interface: what each reads out of a folder is what the library computes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from transformers import CLIPVisionModel, Dinov2Model, SiglipVisionModel

from deixis.errors import BadWeights, MissingWeights, UsageError
from deixis.layers.towers.pretrained import PACKAGED
from deixis.layers.towers.siglip import SiglipTower
from deixis.studies.alignment.encoders import FOLDERS, SMALL, check_encoder, not_measured, open_encoder
from tests.studies.alignment.made_folders import (
    clip_folder,
    dinov2_folder,
    florence2_folder,
    saved,
    siglip_folder,
)

PIXELS = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("kind", "write", "model", "first"),
    [
        ("clip", clip_folder, CLIPVisionModel, 1),
        ("siglip", siglip_folder, SiglipVisionModel, 0),
        ("dinov2", dinov2_folder, Dinov2Model, 1),
    ],
)
@torch.inference_mode()
def test_transformers_give_the_states_before_their_last_block(
    tmp_path: Path, kind: str, write: object, model: object, first: int
) -> None:
    folder = write(tmp_path / kind)  # type: ignore[operator]
    encoder = open_encoder(f"{kind}={folder}")
    assert (encoder.name, encoder.side, encoder.weights) == (kind, 32, kind)
    states = model.from_pretrained(folder).eval()(PIXELS, output_hidden_states=True).hidden_states  # type: ignore[attr-defined]
    torch.testing.assert_close(encoder.tokens(PIXELS), states[-2][:, first:])


@torch.inference_mode()
def test_florence_gives_four_features_side_by_side(tmp_path: Path) -> None:
    encoder = open_encoder(f"florence2={florence2_folder(tmp_path / 'florence')}")
    found = encoder.tokens(PIXELS)
    assert found.shape == (2, 17, 64) and encoder.side == 32
    assert encoder.parts == {"depth": (0, 16), "caption": (16, 32), "ocr": (32, 48), "grounding": (48, 64)}
    parts = [found[..., first:last] for first, last in encoder.parts.values()]
    assert all(not torch.allclose(parts[0], part) for part in parts[1:]), "prompts change what is read"
    assert not torch.allclose(parts[1], parts[2])


@torch.inference_mode()
def test_a_small_encoder_comes_with_its_weights() -> None:
    if importlib.util.find_spec(PACKAGED["efficientnet_lite0"].package) is None:
        pytest.skip("the pretrained encoders are not installed (`make training`)")
    encoder = open_encoder("efficientnet_lite0")
    pixels = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    assert encoder.tokens(pixels).shape == (1, 196, 432) and not encoder.parts


def test_what_names_no_encoder(tmp_path: Path) -> None:
    for named, message in (("vit", "not known"), ("clip", "needs a folder"), ("clip=", "needs a folder")):
        with pytest.raises(UsageError, match=message):
            check_encoder(named)
    with pytest.raises(MissingWeights, match="is no folder"):
        check_encoder(f"clip={tmp_path / 'none'}")
    with pytest.raises(BadWeights, match="holds dinov2; expected clip"):
        open_encoder(f"clip={dinov2_folder(tmp_path / 'd')}")
    with pytest.raises(BadWeights, match="expected SigLIP's"):
        open_encoder(f"siglip={clip_folder(tmp_path / 'c')}")


def test_weights_that_are_not_whole(tmp_path: Path) -> None:
    folder = siglip_folder(tmp_path / "s")
    half = SiglipVisionModel.from_pretrained(folder)
    half.config.num_hidden_layers = 3
    saved(folder, half)
    with pytest.raises(BadWeights, match="is missing"):
        open_encoder(f"siglip={folder}")


def test_every_known_encoder_is_measured_or_named() -> None:
    said = not_measured(["efficientnet_lite0", "clip=somewhere"])
    assert len(said) == len(SMALL) + len(FOLDERS) - 2
    assert any(one.startswith("florence2: no weights") for one in said)
    assert not any(one.startswith(("clip:", "efficientnet_lite0:")) for one in said)


def test_siglip_at_its_own_side_only() -> None:
    tower = SiglipTower(
        {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
        | {"image_size": 32, "patch_size": 8},
        select_layer=[-1, 0],
    )
    assert (tower.width, tower.cells(32)) == (32, 4)
    assert tower(PIXELS).shape == (2, 16, 32)
    with pytest.raises(UsageError, match="this tower takes 32"):
        tower.cells(64)
