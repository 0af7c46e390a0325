"""Groma's own tokens: 114 behind the vocabulary of its decoder, and what a system has to know of their ids.

The order is the published one (Ma et al., arXiv 2404.13013): "[PAD]" comes first, the region proxies last. So
are the manners of the tokens: all of them eat the white space beside them, and only "[PAD]" is left out of
decoded text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Protocol

from deixis.errors import BadWeights, UsageError
from deixis.text.region_marks import (
    GROUND_BOX,
    GROUNDING,
    MARKS,
    PAD,
    PHRASE,
    PHRASE_END,
    REFER_BOX,
    REFER_FEAT,
    REGION,
    ROI,
    ROI_END,
    SUPERVISED,
)
from deixis.text.templates import IMAGE
from deixis.text.tokenizers.added_tokens import AddedTokens
from deixis.text.tokenizers.codecs.defaults import CodecDefaults
from deixis.text.tokenizers.codecs.piece_codec import SentencePieceCodec

MOST_REGIONS = 100
DEFAULTS = CodecDefaults(region=REFER_FEAT, guard="every piece")
"""What a published folder's tokenizer files don't say; ``legacy`` is what they do say."""


def proxies(most: int = MOST_REGIONS) -> tuple[str, ...]:
    """Return the names by which an answer speaks of the places of its prompt.

    >>> proxies(3)
    ('<r0>', '<r1>', '<r2>')
    """
    return tuple(f"<r{number}>" for number in range(most))


def added_texts(most: int = MOST_REGIONS) -> tuple[str, ...]:
    """Return the texts of all added tokens in the order of their ids.

    >>> len(added_texts()), added_texts()[:2], added_texts()[-1]
    (114, ('[PAD]', '<sep>'), '<r99>')
    """
    return (*MARKS, *proxies(most))


def added_tokens(most: int = MOST_REGIONS) -> AddedTokens:
    """Return the added tokens with their manners: as plain strings were added, "[PAD]" as a special one."""
    return AddedTokens.plain(*added_texts(most), special=[PAD])


def groma_codec(
    model_file: str | PathLike[str], *, legacy: bool, most: int = MOST_REGIONS
) -> SentencePieceCodec:
    """Return the tokenizer of a sentencepiece file with the added tokens behind it.

    legacy: what ``tokenizer_config.json`` of the weights says; it decides which ids a text has beside tokens.
    """
    return SentencePieceCodec(
        model_file, added_tokens(most), legacy=legacy, guard="every piece", pad=PAD, region=REFER_FEAT
    )


class TokenTable(Protocol):
    """What is asked of a codec here: a text of one token becomes one id."""

    def encode(self, text: str, *, begin: bool = True) -> list[int]:
        """Return the ids of text."""
        ...


@dataclass(frozen=True)
class GromaTokens:
    """The ids of the tokens that mean something to the network or to whoever reads its answers.

    proxies: the ids of ``<r0>``, ``<r1>`` … in this order; one behind the other.
    """

    pad: int
    supervised: int
    roi: int
    roi_end: int
    phrase: int
    phrase_end: int
    image: int
    region: int
    refer_box: int
    ground_box: int
    refer_feat: int
    grounding: int
    proxies: range

    @classmethod
    def of(cls, codec: TokenTable, *, most: int = MOST_REGIONS) -> GromaTokens:
        """Return the ids by a codec; BadWeights where a text is no single token or the proxies have gaps."""
        own = [one_id(codec, text) for text in proxies(most)]
        if own != list(range(own[0], own[0] + most)):
            raise BadWeights(
                f"the tokenizer has {most} region tokens with ids {own[0]} to {own[-1]}; expected them one "
                "behind the other, as <r0>, <r1> …"
            )
        roles = {"pad": PAD, "supervised": SUPERVISED, "roi": ROI, "roi_end": ROI_END, "phrase": PHRASE}
        roles |= {"phrase_end": PHRASE_END, "image": IMAGE, "region": REGION, "refer_box": REFER_BOX}
        roles |= {"ground_box": GROUND_BOX, "refer_feat": REFER_FEAT, "grounding": GROUNDING}
        ids = {name: one_id(codec, text) for name, text in roles.items()}
        return cls(**ids, proxies=range(own[0], own[0] + most))

    def proxy(self, index: int) -> int:
        """Return the id that speaks of place ``index`` of a prompt; UsageError where there is none."""
        if not 0 <= index < len(self.proxies):
            raise UsageError(
                f"there is no region token for place {index}; this tokenizer has {len(self.proxies)}"
            )
        return self.proxies[index]

    def index(self, token: int) -> int | None:
        """Return which place a token speaks of; None for a token that speaks of none."""
        return token - self.proxies.start if token in self.proxies else None


def one_id(codec: TokenTable, text: str) -> int:
    """Return the id of a text that is one token; BadWeights for any other.

    Behind the bar that newer tokenizers put before a text that begins with a token, the token is the last id.
    """
    ids = codec.encode(text, begin=False)
    bar = codec.encode(f"{text}{text}", begin=False)
    if not ids or bar[-2:] != [ids[-1]] * 2:
        raise BadWeights(f"the tokenizer doesn't know {text} as one token; is it a tokenizer of Groma?")
    return ids[-1]


def region_indices(ids: Sequence[int], tokens: GromaTokens, *, count: int) -> list[int]:
    """Return the places that ids speak of, in order, the same one again if it is named again.

    count: how many places the prompt has; what lies beyond is left out. The published reading of an answer,
    which looks at nothing but the proxies.
    """
    found = [tokens.index(token) for token in ids]
    return [index for index in found if index is not None and index < count]
