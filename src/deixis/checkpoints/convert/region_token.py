"""Which id the region token has in a published checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deixis.errors import BadWeights
from deixis.files.declared_fields import Maybe, Truth


def region_token(config: Mapping[str, Any], *, rows: int, pieces: int | None, where: str) -> int:
    """Return the id of the token that stands for a region.

    It is stated, or follows from the order in which tokens were added to a tokenizer: ``<im_patch>`` if it is
    used, the region token, then ``<im_start>`` and ``<im_end>`` if they are used. A file that doesn't say
    whether ``<im_patch>`` is used means that it is.

    rows: of the embedding. pieces: of the tokenizer before anything was added, where it is known.
    BadWeights: an id without a row, or rows that don't go with what was added.
    """
    for name in ("mm_use_im_patch_token", "mm_use_im_start_end"):
        Maybe(Truth()).check(config.get(name), name=name, where=where)
    stated = config.get("im_region_fea_token")
    patch = bool(config.get("mm_use_im_patch_token", True))
    silent = "mm_use_im_patch_token" not in config
    marks = 2 if config.get("mm_use_im_start_end", False) else 0
    meant = (
        "has no mm_use_im_patch_token, which means true" if silent else f"has mm_use_im_patch_token {patch}"
    )
    if stated is not None:
        if type(stated) is not int or not 0 <= stated < rows:
            raise BadWeights(
                f"{where}: im_region_fea_token is {stated!r:.40}, but the embedding has {rows} rows; the "
                f"weights are of another checkpoint, or a token was added before it (the file {meant})"
            )
        return stated
    if pieces is None:
        return rows - 1 - marks
    expected = pieces + int(patch) + 1 + marks
    if rows != expected:
        raise BadWeights(
            f"{where}: a tokenizer of {pieces} pieces and the tokens added to it make {expected} rows, but "
            f"the embedding has {rows}; the file {meant}, so that <im_patch> takes id {pieces}. If the "
            "checkpoint was trained without it, write the field as false; or state im_region_fea_token"
        )
    return pieces + int(patch)
