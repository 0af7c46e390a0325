"""Many dialogues about one picture in one sequence: who may see whom.

The picture's tokens come first and see each other; every dialogue sees the picture and its own past, never
another dialogue. The picture is thus paid for once, and a picture prefix computed alone is the same prefix
that every further question may continue.
"""

from __future__ import annotations

import torch
from torch import Tensor

PICTURE_SEGMENT = 0
PADDING_SEGMENT = -1


def packed_attention(segments: Tensor, *, dtype: torch.dtype) -> Tensor:
    """Return the additive mask (B, 1, S, S) of packed sequences.

    segments (B, S): PICTURE_SEGMENT for picture tokens, 1, 2, … for dialogues, PADDING_SEGMENT for padding.

    >>> packed_attention(torch.tensor([[0, 0, 1, 2]]), dtype=torch.float32)[0, 0].gt(-9).int().tolist()
    [[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 0, 1]]
    """
    rows, columns = segments[:, :, None], segments[:, None, :]
    steps = torch.arange(segments.shape[1], device=segments.device)
    past = steps[:, None] >= steps[None, :]
    picture = columns == PICTURE_SEGMENT
    same = (rows == columns) & past
    # A padding row sees itself, so that its softmax stays finite; nothing else sees it.
    seen = (picture & (rows != PADDING_SEGMENT)) | same
    weights = picture_weight((segments == PICTURE_SEGMENT).sum(dim=1).clamp(min=1))[:, None, None]
    read_by_text = picture & (rows != PICTURE_SEGMENT)
    return additive(seen, weights * read_by_text, dtype=dtype)[:, None]


def picture_weight(tokens: Tensor) -> Tensor:
    """Return what is added to a text token's attention to each of ``tokens`` picture tokens.

    With it the whole picture weighs as much as one word to begin with. Without it, a phrase of two words
    drowns among 64 picture tokens, and the state behind it hardly learns what the phrase was.
    """
    return -tokens.float().log()


def additive(seen: Tensor, weights: Tensor, *, dtype: torch.dtype) -> Tensor:
    """Return ``weights`` where ``seen`` and the most negative number of ``dtype`` elsewhere."""
    return weights.to(dtype).expand(seen.shape).masked_fill(~seen, torch.finfo(dtype).min)
