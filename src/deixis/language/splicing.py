"""Putting vectors into text: marker tokens give their places in the sequence to pictures and regions.

``splice`` keeps a sequence's length: one vector for each marker. ``merge`` is LLaVA's way: one marker grows
into all the vectors of a picture, and the rows of a batch are padded to one length again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from deixis.errors import BadPicture, BadRegion

PICTURE_MARKER = -200  # in the place of a picture among token ids; no vocabulary has it
IGNORED = -100  # label of what is not learnt

Side = Literal["left", "right"]


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


@dataclass(frozen=True)
class Merged:
    """A batch that a decoder reads: text with pictures and regions in it, rows padded to one length."""

    embeds: Tensor  # (B, L, D), zeros where there is padding
    attention_mask: Tensor  # (B, L) int64: 0 where there is padding
    labels: Tensor | None  # (B, L), IGNORED for pictures and padding


def merge(
    input_ids: Tensor,
    words: Callable[[Tensor], Tensor],
    *,
    pictures: Sequence[Tensor | None] | None = None,
    regions: Sequence[Tensor | None] | None = None,
    region_token: int | None = None,
    attention_mask: Tensor | None = None,
    labels: Tensor | None = None,
    longest: int | None = None,
    padding: Side = "right",
) -> Merged:
    """Return the embeddings of token ids (B, T) with each row's picture and regions in them.

    words: the decoder's own table, ids (…) -> (…, D). pictures: for each row the vectors (N_i, D) that its
    marker grows into, of any number; rows may share one. regions: for each row the vectors (R_i, D) of its
    region tokens, in reading order. attention_mask (B, T): where it is 0 there is padding, which is dropped
    first. longest: rows are cut to so many vectors, after they have grown.

    A row has at most one marker; a picture given to a row without one stays unused, as the placeholder of a
    dialogue without a picture does. Raises BadPicture for a marker without a picture or a second marker,
    BadRegion unless each row has as many region tokens as regions.

    >>> table = torch.nn.Embedding(9, 2)
    >>> merged = merge(torch.tensor([[1, -200, 3]]), table, pictures=[torch.zeros(4, 2)])
    >>> merged.embeds.shape, merged.attention_mask.tolist()
    (torch.Size([1, 6, 2]), [[1, 1, 1, 1, 1, 1]])
    """
    for what, given in (("pictures", pictures), ("regions", regions)):
        if given is not None and len(given) != len(input_ids):
            raise ValueError(
                f"{len(given)} entries of {what} for {len(input_ids)} rows of text; expected one each"
            )
    embeds = words(input_ids.clamp(min=0))  # (B, T, D)
    rows, row_labels = [], []
    for row, ids in enumerate(input_ids):
        kept = (
            torch.ones_like(ids, dtype=torch.bool) if attention_mask is None else attention_mask[row].bool()
        )
        ids, vectors = ids[kept], embeds[row][kept]  # (T',) and (T', D)
        learnt = torch.full_like(ids, IGNORED) if labels is None else labels[row][kept]
        vectors = with_regions(
            ids, vectors, None if regions is None else regions[row], token=region_token, row=row
        )
        picture = None if pictures is None else pictures[row]
        at = marker(ids, row=row, given=picture is not None)
        if at is not None and picture is not None:
            vectors = torch.cat([vectors[:at], picture.to(vectors.dtype), vectors[at + 1 :]])  # (L_i, D)
            nothing = learnt.new_full((len(picture),), IGNORED)
            learnt = torch.cat([learnt[:at], nothing, learnt[at + 1 :]])  # (L_i,)
        rows.append(vectors[:longest])
        row_labels.append(learnt[:longest])
    lengths = [len(row) for row in rows]
    ones = [torch.ones(length, dtype=torch.long, device=input_ids.device) for length in lengths]
    return Merged(
        embeds=padded(rows, fill=0, side=padding),
        attention_mask=padded(ones, fill=0, side=padding),
        labels=None if labels is None else padded(row_labels, fill=IGNORED, side=padding),
    )


def with_regions(
    ids: Tensor, vectors: Tensor, regions: Tensor | None, *, token: int | None, row: int
) -> Tensor:
    """Return a row's vectors (T, D) with regions (R, D) in the places of the region tokens."""
    slots = torch.zeros_like(ids, dtype=torch.bool) if token is None else ids == token
    tokens, given = int(slots.sum()), 0 if regions is None else len(regions)
    if tokens != given:
        raise BadRegion(
            f"row {row} of the batch has {tokens} region tokens and {given} regions; each token stands for "
            "one region. Was the text cut, or a region forgotten?"
        )
    if regions is None or not given:
        return vectors
    return vectors.index_put((slots.nonzero()[:, 0],), regions.to(vectors.dtype))


def marker(ids: Tensor, *, row: int, given: bool) -> int | None:
    """Return where a row's picture marker is, or None; BadPicture for two, or one without a picture."""
    places = (ids == PICTURE_MARKER).nonzero()[:, 0].tolist()
    if len(places) > 1:
        raise BadPicture(f"row {row} of the batch has {len(places)} picture markers; expected at most one")
    if places and not given:
        raise BadPicture(f"row {row} of the batch has a picture marker, but no picture came with it")
    return int(places[0]) if places else None


def padded(rows: Sequence[Tensor], *, fill: int, side: Side) -> Tensor:
    """Return rows (L_i, …) as one tensor (B, L, …), filled up on one side.

    >>> padded([torch.tensor([1]), torch.tensor([2, 3])], fill=0, side="left").tolist()
    [[0, 1], [2, 3]]
    """
    longest = max(len(row) for row in rows)
    filled = []
    for row in rows:
        filling = row.new_full((longest - len(row), *row.shape[1:]), fill)
        filled.append(torch.cat([filling, row] if side == "left" else [row, filling]))
    return torch.stack(filled)  # (B, L, …)
