"""Settings of Ferret, Ferret-v2 and Ferret-UI: defaults as published, mistakes found, JSON and back."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import PreTrainedConfig

from deixis.errors import UsageError
from deixis.systems.ferret.config import FerretConfig
from deixis.systems.ferret.model import FerretNetwork
from deixis.systems.ferret_v2.config import FerretV2Config
from deixis.systems.ferret_v2.model import FerretV2Network


def test_ferret_as_published() -> None:
    with torch.device("meta"):
        network = FerretNetwork(FerretConfig())
    assert sum(weight.numel() for weight in network.sampler.parameters()) == 44_069_900  # type: ignore[union-attr]
    assert network.projector.weight.shape == (4096, 1024)
    assert network.language.lm_head.weight.shape == (32001, 4096)


def test_ferret_ui_as_published() -> None:
    config = FerretV2Config.ferret_ui(region_token_id=256000)
    with torch.device("meta"):
        network = FerretV2Network(config)
    assert network.tiling.grids == ((1, 2), (2, 1), (2, 2), (3, 1), (1, 3))
    assert network.sampler is not None and network.sampler.width == 1024
    assert network.sampler.point_order == "transposed"
    assert network.local_tower is None and network.local_projector is None


def test_ferret_v2_as_its_paper_says() -> None:
    with torch.device("meta"):
        network = FerretV2Network(FerretV2Config())
    assert network.sampler is not None and network.sampler.width == 4096
    assert network.tile_tower.cells(224) == network.tower.cells(224) == 16
    assert len(network.tiling.grids) == 14


@pytest.mark.parametrize(("resolution", "side"), [("any_res", 224), ("fixed", 336), ("direct_upsample", 448)])
def test_the_side_follows_the_resolution(resolution: Any, side: int) -> None:
    assert FerretV2Config(resolution=resolution).global_side == side
    assert FerretV2Config(resolution=resolution, global_side=128).global_side == 128


@pytest.mark.parametrize(
    "changes",
    [
        {"resolution": "high"},
        {"merge": "anyhow"},
        {"region_feature_source": "raw"},
        {"region_map": "local"},
        {"global_upsample": "bicubic"},
    ],
)
def test_choices_that_are_none(changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="expected one of"):
        FerretV2Config(**changes)


@pytest.mark.parametrize(
    "config",
    [
        FerretConfig(sampler=None, region_adapter=True, eos_token_id=[1, 107], max_text=100),
        FerretV2Config(local_tower=None, separate_projectors=False, max_tokens=None, grids=((1, 1),)),
        FerretV2Config.ferret_ui(template="ferret_gemma_instruct", codec="tokenizer"),
    ],
    ids=["ferret", "ferret_v2", "ferret_ui"],
)
def test_to_json_and_back(config: PreTrainedConfig, tmp_path: Any) -> None:
    config.save_pretrained(tmp_path)
    again = type(config).from_pretrained(tmp_path)
    assert {**again.to_dict(), "_name_or_path": ""} == {**config.to_dict(), "_name_or_path": ""}


def test_settings_of_one_configuration_are_its_own() -> None:
    one, other = FerretV2Config(), FerretV2Config()
    for settings in (one.language, one.tower, one.sampler, one.local_tower):
        assert settings is not None
        settings["changed"] = True
    one.grids.append([9, 9])
    for settings in (other.language, other.tower, other.sampler, other.local_tower, FerretConfig().language):
        assert settings is not None and "changed" not in settings
    assert [9, 9] not in FerretV2Config().grids
