"""Opening saved networks: no tensor is missing, and no buffer is whatever the memory held."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from deixis.checkpoints.buffers import fill_buffers, left_empty, without_weights
from deixis.checkpoints.saved_network import open_network
from deixis.errors import BadWeights
from deixis.systems.ferret.config import FerretConfig
from deixis.systems.ferret.model import FerretNetwork
from deixis.systems.pointer.config import PointerConfig
from deixis.systems.pointer.model import PointerNetwork
from tests.systems.buffers import as_made, empty_memory_of_nan
from tests.systems.ferret.networks import GEMMA, GRID_TOWER, LLAMA, SAMPLER, ferret, ferret_v2
from tests.toy.recipe import TOY

COUNT = torch.arange(7, 12)

PHI_3 = LLAMA | {
    "model_type": "phi3",
    "original_max_position_embeddings": 128,
    "rope_parameters": {
        "rope_type": "longrope",
        "rope_theta": 10000.0,
        "original_max_position_embeddings": 128,
        "short_factor": [1.0 + part / 8 for part in range(8)],
        "long_factor": [1.0 + part for part in range(8)],
    },
}


class Ruler(nn.Module):
    """A part with a buffer of each kind: stored, made from settings, and one of whole numbers."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("kept", torch.full((size,), 5.0))
        self.register_buffer("steps", torch.linspace(1, 2, size), persistent=False)
        self.register_buffer("count", COUNT.clone(), persistent=False)
        self.register_buffer("nothing", None, persistent=False)


class RuledNetwork(FerretNetwork):
    """Ferret with such a part."""

    def __init__(self, config: FerretConfig) -> None:
        super().__init__(config)
        self.ruler = Ruler(5)


class LearntNetwork(FerretNetwork):
    """Ferret with a buffer that is made from weights, and not stored."""

    def __init__(self, config: FerretConfig) -> None:
        super().__init__(config)
        scale = self.projector.weight.detach().mean()
        self.register_buffer("scale", scale, persistent=False)


def pointer() -> PointerNetwork:
    """Return a tiny network of the embedded kind, whose buffers are stored all but the decoder's."""
    return PointerNetwork(PointerConfig(vocab_size=60, **TOY["network"]))


@pytest.fixture
def poison() -> Iterator[None]:
    with empty_memory_of_nan():
        yield


@pytest.mark.usefixtures("poison")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, None])
@pytest.mark.parametrize(
    "network",
    [
        ferret(),
        ferret(language=GEMMA),
        ferret(language=PHI_3),
        ferret_v2(),
        ferret(tower=GRID_TOWER),
        pointer(),
    ],
    ids=["clip and llama", "gemma", "phi-3", "clip and dinov2", "efficientnet", "pointer"],
)
def test_all_buffers_of_a_network(network: Any, dtype: torch.dtype | None, tmp_path: Path) -> None:
    network.save_pretrained(tmp_path)
    opened = open_network(type(network), tmp_path, dtype=dtype)
    assert as_made(opened, tmp_path) >= 2  # the decoder's rotary frequencies at least
    assert opened.dtype is (dtype or torch.float32)
    frequencies = [buffer for name, buffer in opened.named_buffers() if name.endswith("inv_freq")]
    assert all(buffer.dtype is torch.float32 for buffer in frequencies)


def ruled(folder: Path, kind: type[FerretNetwork] = RuledNetwork) -> None:
    """Save a tiny network with a part of its own."""
    kind(ferret(sampler=SAMPLER).config).save_pretrained(folder)


@pytest.mark.usefixtures("poison")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_buffers_that_the_library_leaves_empty_are_filled(dtype: torch.dtype, tmp_path: Path) -> None:
    ruled(tmp_path)
    left: Any = RuledNetwork.from_pretrained(tmp_path, dtype=dtype)
    assert left.ruler.steps.isnan().all() and not torch.equal(left.ruler.count, COUNT)  # what we are up to
    before = torch.random.get_rng_state()
    opened = open_network(RuledNetwork, tmp_path, dtype=dtype)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(opened.ruler.count, COUNT) and opened.ruler.count.dtype is torch.int64
    assert torch.equal(opened.ruler.steps, torch.linspace(1, 2, 5).to(dtype)) and opened.ruler.nothing is None
    assert "ruler.steps" not in opened.state_dict() and "ruler.kept" in opened.state_dict()
    as_made(opened, tmp_path)


def test_only_what_needs_it_is_made_again() -> None:
    assert list(left_empty(ferret())) == []
    assert list(left_empty(RuledNetwork(ferret().config))) == ["ruler.steps", "ruler.count"]


@pytest.mark.parametrize("name", ["ruler.kept", "projector.weight"])
def test_a_stored_buffer_that_the_file_lacks(name: str, tmp_path: Path) -> None:
    ruled(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    del tensors[name]
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BadWeights, match=rf"missing_keys.*{name}"):
        open_network(RuledNetwork, tmp_path)


def test_a_buffer_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    ruled(tmp_path, LearntNetwork)
    with pytest.raises(BadWeights, match=r"buffer scale of LearntNetwork is in no file.*persistent=True"):
        open_network(LearntNetwork, tmp_path)


@pytest.mark.parametrize("saved", [torch.float32, torch.bfloat16, torch.float16])
def test_numbers_are_of_the_type_that_is_asked_for(saved: torch.dtype, tmp_path: Path) -> None:
    ferret().to(saved).save_pretrained(tmp_path)
    assert open_network(FerretNetwork, tmp_path).dtype is torch.float32
    assert open_network(FerretNetwork, tmp_path, dtype=None).dtype is saved
    assert open_network(FerretNetwork, tmp_path, dtype=torch.float16).dtype is torch.float16


def test_a_network_made_for_its_buffers_holds_no_weights() -> None:
    config = ferret().config
    fresh = without_weights(lambda: RuledNetwork(config))
    assert all(parameter.is_meta for parameter in fresh.parameters())
    assert not any(buffer.is_meta for buffer in fresh.buffers())
    assert not any(parameter.is_meta for parameter in RuledNetwork(config).parameters())


def test_networks_of_other_threads_keep_their_weights() -> None:
    made: list[nn.Module] = []

    def meanwhile() -> nn.Module:
        thread = threading.Thread(target=lambda: made.append(nn.Linear(2, 2)))
        thread.start()
        thread.join()
        return nn.Linear(2, 2)

    assert without_weights(meanwhile).weight.is_meta
    assert not made[0].weight.is_meta


def test_a_network_in_memory_can_be_filled() -> None:
    network: Any = RuledNetwork(ferret().config)
    network.ruler.steps.fill_(float("nan"))
    fill_buffers(network)
    assert torch.equal(network.ruler.steps, torch.linspace(1, 2, 5))
