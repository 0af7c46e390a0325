"""The network: what is built and what isn't, gradients by name, gates, rows without pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers.models.bart.modeling_bart import BartDecoder, BartForConditionalGeneration

from deixis.errors import UsageError
from deixis.layers.towers.florence_encoder import PromptedEncoder
from deixis.layers.towers.florence_prompts import PUBLISHED, prompt_ids
from deixis.systems.florence_vl.asked_words import asked_words
from deixis.systems.florence_vl.config import FlorenceVlConfig
from deixis.systems.florence_vl.model import FlorenceVlNetwork
from deixis.text.splicing import IGNORED, PICTURE_MARKER
from tests.systems.florence_vl.published_files import native_florence
from tests.systems.florence_vl.tiny import ENCODER, SIDE, tiny_network

PICTURE = torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
IDS = torch.tensor([[3, PICTURE_MARKER, 5, 6, 7, 8]])
LABELS = torch.tensor([[IGNORED, IGNORED, IGNORED, IGNORED, 7, 8]])


def seen(network: FlorenceVlNetwork) -> list[Tensor | None]:
    return [weight.grad for part in network.seeing for weight in part.parameters()]


def learn(network: FlorenceVlNetwork) -> None:
    network.train()
    network(IDS, pixel_values=PICTURE, labels=LABELS).loss.backward()


def test_the_decoder_is_neither_called_nor_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a decoder was built or called")

    for kind in (BartDecoder, BartForConditionalGeneration):
        for name in ("__init__", "forward"):
            monkeypatch.setattr(kind, name, refuse)
    network = tiny_network().eval()
    with torch.no_grad():
        network(IDS, pixel_values=PICTURE)
    # Of the library's own classes it would be refused.
    with pytest.raises(AssertionError, match="built or called"):
        native_florence()


def test_a_fifth_fewer_weights_are_held_at_real_size() -> None:
    from tests.parity.checks.florence_vl_text import native_shapes

    with torch.device("meta"):
        network = FlorenceVlNetwork(FlorenceVlConfig())
    held = sum(weight.numel() for part in network.seeing for weight in part.parameters())
    tied = ("encoder.embed_tokens", "decoder.embed_tokens", "lm_head")
    whole = sum(
        torch.Size(shape).numel()
        for key, shape in native_shapes().items()
        if not any(one in key for one in tied) and "pos_idx_to_embed" not in key
    )
    assert whole == pytest.approx(770.2e6, rel=1e-3)
    assert held < 0.8 * whole, f"{held:,} of {whole:,} weights"


def test_the_published_tower_gets_no_gradient_but_drops_out() -> None:
    network = tiny_network(tower_training="published")
    learn(network)
    assert all(one is None for one in seen(network))
    assert all(weight.grad is not None for weight in network.projector.parameters())
    with torch.no_grad():
        one, other = (network.features(PICTURE)[1] for _ in range(2))
    assert not torch.equal(one, other)


def test_a_frozen_tower_stands_still() -> None:
    network = tiny_network(tower_training="frozen")
    learn(network)
    assert all(one is None for one in seen(network))
    one, other = (network.features(PICTURE)[1] for _ in range(2))
    assert torch.equal(one, other)


def test_a_trained_tower_learns() -> None:
    network = tiny_network(tower_training="trained", davit_stages=[1, -1])
    learn(network)
    missing = [name for name, weight in network.named_parameters() if weight.grad is None]
    assert not missing
    assert sum(float(one.abs().sum()) for one in seen(network) if one is not None) > 0


def test_prompts_as_one_batch_are_prompts_alone() -> None:
    together = encoder(prompt_ids(PUBLISHED))
    cells = torch.randn(2, 9, 16, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        _, *states = together(cells)
        for ids, state in zip(prompt_ids(PUBLISHED), states, strict=True):
            together.ask([ids])
            torch.testing.assert_close(together(cells)[1], state, rtol=1e-5, atol=1e-6)


def encoder(prompts: Sequence[Sequence[int]], *, mask_padding: bool = False) -> PromptedEncoder:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return PromptedEncoder(ENCODER, inputs=16, prompts=prompts, mask_padding=mask_padding).eval()


def test_filled_up_places_count_unless_they_are_masked() -> None:
    cells = torch.randn(1, 9, 16, generator=torch.Generator().manual_seed(1))
    short, filled = [0, 2264, 2], [0, 2264, 2, 1, 1, 1]
    with torch.no_grad():
        shown = [encoder([ids])(cells)[1] for ids in (short, filled)]
        hidden = [encoder([ids], mask_padding=True)(cells)[1] for ids in (short, filled)]
    assert not torch.allclose(*shown, atol=1e-3)
    torch.testing.assert_close(*hidden, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("integration", ["channel", "token", "average"])
@pytest.mark.parametrize("fused", ["all", "breadth", "depth"])
def test_every_integration_tells_its_length(integration: Any, fused: Any) -> None:
    network = tiny_network(integration=integration, fused=fused, drop_pooled_token=True).eval()
    with torch.no_grad():
        tokens = network.encode_pictures(PICTURE).tokens[0]
    assert tokens.shape == (network.least_tokens(), 32)


@pytest.mark.parametrize("gate", ["learned", "question"])
@pytest.mark.parametrize("integration", ["channel", "token", "average"])
def test_an_untrained_gate_changes_nothing(gate: Any, integration: Any) -> None:
    plain, gated = (tiny_network(integration=integration, gate=one).eval() for one in ("none", gate))
    gated.load_state_dict(plain.state_dict(), strict=False)
    with torch.no_grad():
        first, second = (one(IDS, pixel_values=PICTURE).logits for one in (plain, gated))
    torch.testing.assert_close(first, second, rtol=1e-5, atol=1e-5)


def test_a_gate_that_reads_the_question_reads_no_answer() -> None:
    network = tiny_network(gate="question", tower_training="frozen").eval()
    assert network.fusion.gate is not None
    torch.nn.init.normal_(network.fusion.gate.weight, std=5.0)
    other = IDS.clone()
    other[0, 4:] += 10  # another answer
    asked = IDS.clone()
    asked[0, 2] += 10  # another question
    with torch.no_grad():
        merged = [
            network.read(ids, pixel_values=PICTURE, labels=LABELS).embeds[0, 1:6]
            for ids in (IDS, other, asked)
        ]
    assert torch.equal(merged[0], merged[1]) and not torch.allclose(merged[0], merged[2])


def test_words_between_picture_and_answer() -> None:
    ids = torch.tensor([1, 2, PICTURE_MARKER, PICTURE_MARKER, 7, 8, 5, 6, 9, 7, 5, 6])
    assert asked_words(ids, end=[5, 6]).tolist() == [7, 8]
    assert asked_words(ids, end=[4]).tolist() == [7, 8, 5, 6, 9, 7, 5, 6]
    assert asked_words(ids[:2], end=[5]).tolist() == []
    labels = torch.full_like(ids, IGNORED)
    labels[5] = 8
    assert asked_words(ids, labels, end=[5, 6]).tolist() == [7]


def test_a_row_without_a_picture_takes_none_of_the_others() -> None:
    network = tiny_network().eval()
    pixels = torch.cat([PICTURE, -PICTURE])
    ids = torch.tensor([[3, PICTURE_MARKER, 5], [3, 4, 5], [3, PICTURE_MARKER, 6]])
    counted = network.read(ids, pixel_values=pixels, picture_counts=[1, 0, 1])
    alone = network.read(ids[2:], pixel_values=-PICTURE)
    torch.testing.assert_close(counted.embeds[2], alone.embeds[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"encoder": None}, "no encoder; expected depth"),
        ({"prompt_order": [], "fused": "breadth"}, "no such features"),
        ({"prompt_order": ["caption", "weather"]}, "no prompt 'weather'"),
        ({"davit_stages": [4]}, "stage 4"),
        ({"tower": {"kind": "efficientnet_tiny", "side": 64}, "davit_stages": [0, -1]}, "davit_stages"),
        ({"integration": "sum"}, "integration is 'sum'"),
        ({"side": 1024}, "positions for"),
    ],
)
def test_options_that_make_no_network(options: dict[str, Any], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        tiny_network(**options)
