"""The network as ``transformers`` uses it: ``generate``, and vectors in the place of tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from deixis.text.tokenizers.word_pieces.vocabulary import END, PICTURE
from tests.systems.pointer.tiny import saved_system, tiny_system


def generated(network: Any, ids: Tensor, **asked: Any) -> Tensor:
    """Call ``generate`` of transformers, whose annotations don't allow calling it on a subclass."""
    tokens: Tensor = network.generate(ids, **asked)
    return tokens


@pytest.mark.parametrize("seed", [0, 5])
def test_generate_of_transformers_with_a_cache_equals_forward_without(seed: int, tmp_path: Path) -> None:
    network = saved_system(tmp_path, seed=seed).pretrained
    tokens = network.config.picture_tokens
    pixels = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(seed))
    prompt = torch.tensor([[PICTURE.id] * tokens + [3, 20, 21, 22, 30, 4]])
    asked: dict[str, Any] = {"pixel_values": pixels, "max_new_tokens": 10, "do_sample": False}
    fast = generated(network, prompt, use_cache=True, **asked)
    slow = generated(network, prompt, use_cache=False, **asked)
    suppressed = network.generation_config.suppress_tokens
    ids = prompt
    with torch.inference_mode():
        while ids.shape[1] < prompt.shape[1] + 10 and int(ids[0, -1]) != END.id:
            logits = network(ids, pixel_values=pixels).logits[:, -1]
            logits[:, suppressed] = -torch.inf
            ids = torch.cat([ids, logits.argmax(dim=-1, keepdim=True)], dim=1)
    assert fast.tolist() == slow.tolist() == ids.tolist()
    assert fast.shape[1] > prompt.shape[1]


def test_generate_of_a_padded_batch_equals_each_alone(tmp_path: Path) -> None:
    """Padding lies between the picture and the text, which ends at the right."""
    network = saved_system(tmp_path).pretrained
    tokens = network.config.picture_tokens
    pixels = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    texts = [[3, 20, 21, 22, 30, 24, 4], [3, 25, 4]]
    longest = max(map(len, texts))
    rows = [[PICTURE.id] * tokens + [0] * (longest - len(text)) + text for text in texts]
    seen = [[1] * tokens + [0] * (longest - len(text)) + [1] * len(text) for text in texts]
    asked: dict[str, Any] = {"max_new_tokens": 6, "min_new_tokens": 6, "do_sample": False}
    together = generated(
        network, torch.tensor(rows), attention_mask=torch.tensor(seen), pixel_values=pixels, **asked
    )
    for row, text in enumerate(texts):
        ids = torch.tensor([[PICTURE.id] * tokens + text])
        alone = generated(network, ids, pixel_values=pixels[row : row + 1], **asked)
        assert together[row, tokens + longest :].tolist() == alone[0, ids.shape[1] :].tolist()


def test_too_few_region_vectors_are_an_error_not_a_shift() -> None:
    network = tiny_system().pretrained
    with pytest.raises(ValueError, match="the text has 2 region tokens, but 1 vectors are given"):
        network.embed(torch.tensor([[3, 2, 2, 4]]), regions=torch.zeros(1, 32))
    with pytest.raises(ValueError, match="the text has 0 picture tokens, but 16 vectors are given"):
        network.embed(torch.tensor([[3, 4]]), picture=torch.zeros(1, 16, 32))
