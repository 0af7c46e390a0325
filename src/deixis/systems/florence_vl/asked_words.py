"""Which words a gate that depends on the question reads: those of a row's first question about pictures."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from deixis.text.splicing import IGNORED, PICTURE_MARKER


def asked_words(ids: Tensor, labels: Tensor | None = None, *, end: Sequence[int] = ()) -> Tensor:
    """Return the ids (Q,) between a row's first picture and the answer to the question that brings it.

    ids (T,), without padding. end: the tokens with which a template ends a question; where they aren't found,
    the first learnt one of ``labels`` (T,) or the end of the row ends it. A word of an answer is never read.

    >>> asked_words(torch.tensor([1, -200, 7, 8, 5, 6, 9]), end=[5, 6]).tolist()
    [7, 8]
    """
    row = ids.tolist()
    if PICTURE_MARKER not in row:
        return ids[:0]
    start = row.index(PICTURE_MARKER) + 1
    stop = len(row)
    if labels is not None:
        learnt = (labels[start:] != IGNORED).nonzero()
        stop = start + int(learnt[0]) if len(learnt) else stop
    if end:
        places = (
            place for place in range(start, stop - len(end) + 1) if row[place : place + len(end)] == [*end]
        )
        stop = next(places, stop)
    found = ids[start:stop]
    return found[found >= 0]


def rows_asked(
    input_ids: Tensor, attention_mask: Tensor | None, labels: Tensor | None, *, end: Sequence[int]
) -> list[Tensor]:
    """Return the same for each row of ids (B, T), padding left out."""
    seen = torch.ones_like(input_ids) if attention_mask is None else attention_mask
    asked = []
    for number, row in enumerate(input_ids):
        kept = seen[number].bool()
        own = None if labels is None else labels[number][kept]
        asked.append(asked_words(row[kept], own, end=end))
    return asked
