"""Putting vectors into text: marker tokens give their places in the sequence to pictures and regions.

``splice`` keeps a sequence's length: one vector for each marker. ``merge`` is LLaVA's way: one marker grows
into all the vectors of a picture, and the rows of a batch are padded to one length again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
    pictures: Sequence[Sequence[Tensor] | Tensor | None] | None = None,
    slots: Mapping[int, Sequence[Tensor | None]] | None = None,
    attention_mask: Tensor | None = None,
    labels: Tensor | None = None,
    longest: int | None = None,
    padding: Side = "right",
) -> Merged:
    """Return the embeddings of token ids (B, T) with each row's pictures and regions in them.

    words: the decoder's own table, ids (…) -> (…, D). pictures: for each row the vectors (N_i, D) that each
    of its markers grows into, in order, of any number; rows may share them; a single picture may be given as
    it is. slots: by token id, for each row the vectors (R_i, D) in the places of that token, in order.
    attention_mask (B, T): where it is 0 there is padding, which is dropped first. longest: rows are cut to so
    many vectors, after they have grown.

    Pictures given to a row without any marker stay unused, as the placeholder of a dialogue without a picture
    does. Raises BadPicture unless every other row has as many markers as pictures, BadRegion unless each row
    has as many tokens of a slot as vectors for it.

    >>> table = torch.nn.Embedding(9, 2)
    >>> merged = merge(torch.tensor([[1, -200, 3]]), table, pictures=[torch.zeros(4, 2)])
    >>> merged.embeds.shape, merged.attention_mask.tolist()
    (torch.Size([1, 6, 2]), [[1, 1, 1, 1, 1, 1]])
    """
    filled = dict(slots or {})
    for what, given in (("pictures", pictures), *((f"slot {token}", own) for token, own in filled.items())):
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
        for token, own in filled.items():
            vectors = with_regions(ids, vectors, own[row], token=token, row=row)
        shown = shown_in(None if pictures is None else pictures[row])
        start, parts, learnt_parts = 0, [], []
        for at, picture in zip(markers(ids, row=row, given=len(shown)), shown, strict=False):
            parts += [vectors[start:at], picture.to(vectors.dtype)]
            learnt_parts += [learnt[start:at], learnt.new_full((len(picture),), IGNORED)]
            start = at + 1
        rows.append(torch.cat([*parts, vectors[start:]])[:longest])  # (L_i, D)
        row_labels.append(torch.cat([*learnt_parts, learnt[start:]])[:longest])  # (L_i,)
    lengths = [len(row) for row in rows]
    ones = [torch.ones(length, dtype=torch.long, device=input_ids.device) for length in lengths]
    return Merged(
        embeds=padded(rows, fill=0, side=padding),
        attention_mask=padded(ones, fill=0, side=padding),
        labels=None if labels is None else padded(row_labels, fill=IGNORED, side=padding),
    )


def shown_in(pictures: Sequence[Tensor] | Tensor | None) -> list[Tensor]:
    """Return the pictures of a row as a list."""
    if pictures is None:
        return []
    return [pictures] if isinstance(pictures, Tensor) else list(pictures)


def with_regions(ids: Tensor, vectors: Tensor, regions: Tensor | None, *, token: int, row: int) -> Tensor:
    """Return a row's vectors (T, D) with regions (R, D) in the places of their tokens."""
    places = ids == token
    tokens, given = int(places.sum()), 0 if regions is None else len(regions)
    if tokens != given:
        raise BadRegion(
            f"row {row} of the batch has {tokens} region tokens and {given} regions; each token stands for "
            "one region. Was the text cut, or a region forgotten?"
        )
    if regions is None or not given:
        return vectors
    return vectors.index_put((places.nonzero()[:, 0],), regions.to(vectors.dtype))


def markers(ids: Tensor, *, row: int, given: int) -> list[int]:
    """Return where a row's picture markers are; BadPicture unless there are as many as pictures, or none."""
    places: list[int] = (ids == PICTURE_MARKER).nonzero()[:, 0].tolist()
    if places and len(places) != given:
        came = "no picture" if not given else f"{given} picture{'s' * (given > 1)}"
        raise BadPicture(
            f"row {row} of the batch has {len(places)} picture marker{'s' * (len(places) > 1)}, but {came} "
            "came with it"
        )
    return places


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
