"""Marks of a prompt that grow once its regions are chosen: the picture, the list of places, boxes by name.

    … Image: <image><image>…<image> Regions: <r0><region><r1><region> … What is <roi><r1></roi><refer_feat>?

Boxes become the proxies of the places that were chosen for them, in ids and labels alike: ``<ground_box>``
is learnt. What is inserted is never learnt (groma.md section 9.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from deixis.errors import BadRegion
from deixis.systems.groma.dialect import GromaTokens
from deixis.text.token_sequence import IGNORED

Counting = Literal["checked", "published"]
"""How boxes and marks are held against each other: "checked" wants one box a mark. "published" raises for too
few boxes only: of more, the first ones count, and every one has a vector, whatever mark that meets."""


@dataclass(frozen=True)
class Chosen:
    """The places of one prompt. count: how many it lists; refer, ground: which was chosen for each box."""

    count: int
    refer: tuple[int, ...] = ()
    ground: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for what, own in (("refer", self.refer), ("ground", self.ground)):
            if wrong := [index for index in own if not 0 <= index < self.count]:
                raise BadRegion(f"{what} box has place {wrong[0]}; the prompt lists {self.count} places")


@dataclass(frozen=True)
class Grown:
    """A prompt in which nothing grows any more.

    labels: as many as ids, IGNORED where nothing is learnt. features: the place whose vector each
    ``<refer_feat>`` of this prompt takes, in order.
    """

    ids: tuple[int, ...]
    labels: tuple[int, ...]
    features: tuple[int, ...]


def grown(
    ids: Sequence[int],
    chosen: Chosen,
    *,
    tokens: GromaTokens,
    picture_tokens: int,
    labels: Sequence[int] | None = None,
    counting: Counting = "checked",
    name: str = "a prompt",
) -> Grown:
    """Return a prompt with all its places.

    picture_tokens: how many vectors the picture has. labels: by default nothing is learnt. Everything from
    the first padding on is dropped. Raises BadRegion, naming the sample, unless there is exactly one picture
    before one list of regions, and boxes for all marks of boxes.
    """
    kept = list(ids)
    kept = kept[: kept.index(tokens.pad)] if tokens.pad in kept else kept
    learnt = [IGNORED] * len(kept) if labels is None else list(labels)[: len(kept)]
    if len(learnt) != len(kept):
        raise BadRegion(f"{name} has {len(kept)} tokens and {len(learnt)} labels; expected one each")
    check_lists(kept, tokens, name=name)
    check_counts(kept, chosen, tokens, counting=counting, name=name)
    refer, ground = iter(chosen.refer), iter(chosen.ground)
    out: list[int] = []
    out_labels: list[int] = []
    for token, label in zip(kept, learnt, strict=True):
        if token == tokens.refer_box:
            own = [tokens.proxy(next(refer))]
        elif token == tokens.ground_box:
            own = [tokens.proxy(next(ground))]
        elif token == tokens.image:
            own = [token] * picture_tokens
        elif token == tokens.region:
            own = [one for index in range(chosen.count) for one in (tokens.proxy(index), token)]
        else:
            own = [token]
        out += own
        if token in (tokens.image, tokens.region):
            out_labels += [IGNORED] * len(own)
        else:
            out_labels.append(own[0] if label == token else label)
    return Grown(tuple(out), tuple(out_labels), tuple(chosen.refer))


def check_lists(ids: Sequence[int], tokens: GromaTokens, *, name: str) -> None:
    """Raise BadRegion unless a prompt has one picture and, behind it, one list of regions."""
    pictures, lists = (
        [place for place, one in enumerate(ids) if one == token] for token in (tokens.image, tokens.region)
    )
    if len(pictures) != 1 or len(lists) != 1 or pictures[0] > lists[0]:
        raise BadRegion(
            f"{name} has {len(pictures)} marks <image> and {len(lists)} marks <region>; expected one of "
            "each, <image> first. Put a user's words through `neutralised`"
        )


def check_counts(
    ids: Sequence[int], chosen: Chosen, tokens: GromaTokens, *, counting: Counting, name: str
) -> None:
    """Raise BadRegion unless boxes and their marks go together."""
    wanted = [("<refer_box>", tokens.refer_box, len(chosen.refer))]
    wanted += [("<ground_box>", tokens.ground_box, len(chosen.ground))]
    if counting == "checked":
        wanted.append(("<refer_feat>", tokens.refer_feat, len(chosen.refer)))
    for text, token, given in wanted:
        marks = sum(one == token for one in ids)
        if marks > given or (marks < given and counting == "checked"):
            raise BadRegion(
                f"{name} has {marks} marks {text} for {given} boxes; expected one each, or vectors would "
                "meet the wrong marks. Was a box dropped, or the text cut?"
            )


def padded_rows(rows: Sequence[Grown], *, tokens: GromaTokens) -> tuple[list[list[int]], list[list[int]]]:
    """Return ids and labels of prompts, filled up on the right to one length."""
    longest = max((len(row.ids) for row in rows), default=0)
    ids = [[*row.ids, *[tokens.pad] * (longest - len(row.ids))] for row in rows]
    labels = [[*row.labels, *[IGNORED] * (longest - len(row.labels))] for row in rows]
    return ids, labels
