"""Putting vectors into text: each marker token gives its place in the sequence to one vector."""

from __future__ import annotations

from torch import Tensor


def splice(embeds: Tensor, input_ids: Tensor, vectors: Tensor | None, *, token: int, what: str) -> Tensor:
    """Return embeddings (B, T, W) with ``vectors`` (…, W) in the places of ``token``, in reading order.

    Raises ValueError unless there are as many vectors as tokens: a region silently shifted to another token
    would still answer.

    >>> import torch
    >>> ids, vectors = torch.tensor([[5, 2, 5]]), torch.tensor([[1.0], [4.0]])
    >>> splice(torch.zeros(1, 3, 1), ids, vectors, token=5, what="region")
    tensor([[[1.],
             [0.],
             [4.]]])
    """
    slots = input_ids == token
    given = 0 if vectors is None else vectors.numel() // vectors.shape[-1]
    if int(slots.sum()) != given:
        raise ValueError(f"the text has {int(slots.sum())} {what} tokens, but {given} vectors are given")
    if vectors is None or given == 0:
        return embeds
    return embeds.masked_scatter(slots[..., None], vectors.to(embeds.dtype))
