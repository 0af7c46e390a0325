"""A vocabulary in two parts is read and written like one, and each part can learn alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from deixis.layers.language.causal_decoders import build_decoder
from deixis.layers.language.split_vocabulary import SplitEmbedding, SplitHead, split_vocabulary


def test_both_parts_are_one_table() -> None:
    torch.manual_seed(0)
    table = SplitEmbedding(nn.Embedding(5, 3), extra=2)
    nn.init.normal_(table.extra.weight)
    ids = torch.tensor([[0, 4, 5], [6, 1, 4]])
    torch.testing.assert_close(table(ids), table.weight[ids])
    head = SplitHead(nn.Linear(3, 5, bias=False), extra=2)
    hidden = torch.randn(2, 4, 3)
    weights = torch.cat([head.base.weight, head.extra.weight])
    torch.testing.assert_close(head(hidden), hidden @ weights.T)


def test_added_rows_begin_in_the_middle() -> None:
    table = SplitEmbedding(nn.Embedding(5, 3), extra=2)
    torch.testing.assert_close(table.extra.weight, table.base.weight.mean(dim=0).expand(2, 3))


def test_the_added_part_learns_while_the_other_stands_still() -> None:
    table = SplitEmbedding(nn.Embedding(5, 3), extra=2)
    table.base.requires_grad_(False)
    table(torch.tensor([1, 6])).sum().backward()
    assert table.base.weight.grad is None and table.extra.weight.grad is not None
    assert table.extra.weight.grad[1].abs().sum() > 0 and table.extra.weight.grad[0].abs().sum() == 0


def test_a_tied_decoder_is_refused() -> None:
    decoder = build_decoder(
        {
            "model_type": "llama",
            "vocab_size": 8,
            "hidden_size": 8,
            "intermediate_size": 8,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "tie_word_embeddings": True,
        }
    )
    with pytest.raises(ValueError, match="expected two matrices"):
        split_vocabulary(decoder, extra=2)
