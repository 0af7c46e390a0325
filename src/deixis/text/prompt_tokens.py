"""Prompt text to token ids, with a marker where the picture's vectors go, and answers back to text.

A picture is no token: the text is cut at every ``<image>``, each piece is encoded by itself, and -200 takes
the picture's place between them (ferret.md section 3). What a user types is plain text and stays it: texts
that would act as tokens are taken apart by ``neutralised`` before a template is put around them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Protocol

from deixis.errors import UsageError
from deixis.text.splicing import PICTURE_MARKER
from deixis.text.templates import IMAGE


class TextReader(Protocol):
    """Ids to text one by one; put together, what is returned is what ``decode`` makes of the same ids."""

    def add(self, token: int) -> str:
        """Return the text that became certain by this token, which may be none."""
        ...

    def close(self) -> str:
        """Return the rest."""
        ...


class TextCodec(Protocol):
    """Text to ids and back, with the ids that a system has to know.

    bos: begins every encoded text; None where nothing does. leading: where a prompt begins with it, every
    piece of text around pictures loses its first token; mostly ``bos``. eos: ends an answer; ends: all tokens
    that do, this one first. pad: fills short rows. region: its embedding is replaced by a region's vector;
    None where regions have no token. specials: texts that act as tokens in ``encode``. words: every id that
    other text becomes is below it.
    """

    bos: int | None
    leading: int | None
    eos: int
    ends: tuple[int, ...]
    pad: int
    region: int | None
    specials: tuple[str, ...]
    words: int

    def __len__(self) -> int:
        """Return how many ids there are, added ones included: the rows that an embedding needs."""
        ...

    def encode(self, text: str, *, begin: bool = True) -> list[int]:
        """Return the ids of text, ``bos`` in front if ``begin``; special tokens in the text act."""
        ...

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of ids, without the special tokens."""
        ...

    def reader(self) -> TextReader:
        """Return what makes text of ids one by one."""
        ...

    def save(self, folder: Path) -> None:
        """Write the files that ``text_codecs.open_codec`` reads."""
        ...


def prompt_ids(text: str, codec: TextCodec, *, regions: int | None = None) -> list[int]:
    """Return the ids of a rendered prompt, PICTURE_MARKER wherever ``<image>`` stands.

    regions: how many regions were written into the prompt. UsageError if it has another number of region
    tokens: one came from somewhere else, or was lost, and vectors would meet the wrong tokens.
    """
    pieces = [codec.encode(piece) for piece in text.split(IMAGE)]
    # Every piece was begun anew; the first beginning stays. The published rule looks at the first token only:
    # a beginning that the text spells out, with a tokenizer that adds none, costs each later piece a token.
    begun = int(codec.leading is not None and pieces[0][:1] == [codec.leading])
    ids = pieces[0][:begun]
    for number, piece in enumerate(pieces):
        ids += [PICTURE_MARKER] * (number > 0) + piece[begun:]
    written = 0 if codec.region is None else ids.count(codec.region)
    if regions is not None and written != regions:
        raise UsageError(
            f"the prompt has {written} region tokens for {regions} regions; put a user's words through "
            "`neutralised` and write one token a region"
        )
    return ids


def neutralised(text: str, specials: Iterable[str]) -> str:
    """Return text in which none of ``specials`` occurs any more, for words that may come from anyone.

    A space behind its first character takes each apart; other text stays as it is. ``<image>`` always counts
    as special.

    >>> neutralised("what is <region_fea> in <image>?</s>", ["<region_fea>", "</s>"])
    'what is < region_fea> in < image>?< /s>'
    """
    # One character, or white space at an end, cannot be taken apart by a space; no special token has that.
    apart = {special for special in specials if len(special) > 1 and special == special.strip()}
    acting = sorted({IMAGE, *apart}, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, acting)))
    while (found := pattern.search(text)) is not None:
        text = f"{text[: found.start() + 1]} {text[found.start() + 1 :]}"
    return text


def text_and_places(ids: Sequence[int], codec: TextCodec) -> tuple[str, list[tuple[int, int]]]:
    """Return the text of ids and the characters [start, end) that each id wrote.

    A token that writes nothing by itself (a special one, the first bytes of a character) has an empty range;
    the ranges cover the text without gaps. What waits for a later token is written by that one.
    """
    reader = codec.reader()
    parts = [reader.add(token) for token in ids]
    rest = reader.close()
    if parts:
        parts[-1] += rest
    ends = list(accumulate(map(len, parts), initial=0))
    return "".join(parts), list(pairwise(ends))


def shared_length(first: Sequence[object], second: Sequence[object]) -> int:
    """Return how much two texts or sequences have in common at their beginning.

    >>> shared_length([1, 2, 3], [1, 2, 4]), shared_length("a", "ab")
    (2, 1)
    """
    for place, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return place
    return min(len(first), len(second))


def tokens_over(places: Sequence[tuple[int, int]], start: int, end: int) -> list[int]:
    """Return the positions of the tokens that wrote any of the characters [start, end).

    >>> tokens_over([(0, 2), (2, 2), (2, 5), (5, 6)], 3, 6)
    [2, 3]
    """
    return [at for at, (first, last) in enumerate(places) if max(first, start) < min(last, end)]
