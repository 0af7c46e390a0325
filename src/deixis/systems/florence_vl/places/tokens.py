"""Florence-2's tokens: BART's byte pairs, and 1,024 more, among them one for each thousandth of a side.

A published folder's ``tokenizer.json`` is BART's, to which the authors' program adds the others each time;
the files of ``transformers``' own class hold all of them. Both are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from tokenizers import AddedToken

from deixis.errors import BadWeights
from deixis.layers.towers.florence_prompts import BEGIN, END, PAD
from deixis.text.prompt_tokens import neutralised
from deixis.text.tokenizers.checked_input import check_characters
from deixis.text.tokenizers.tokenizer_file import count_ids, open_tokenizer

TOKENS_FILE = "florence_tokenizer.json"  # in a folder of ours
BINS = 1000
# In the order of their ids, with the spelling of the authors ("desciption").
ADDED = (
    *("<od>", "</od>", "<ocr>", "</ocr>"),
    *(f"<loc_{number}>" for number in range(BINS)),
    *chain.from_iterable((f"<{one}>", f"</{one}>") for one in ("cap", "ncap", "dcap")),
    *("<grounding>", "</grounding>", "<seg>", "</seg>", "<sep>"),
    *("<region_cap>", "</region_cap>", "<region_to_desciption>", "</region_to_desciption>"),
    *("<proposal>", "</proposal>", "<poly>", "</poly>", "<and>"),
)
KNOWN = {"<s>": BEGIN, "<pad>": PAD, "</s>": END}


@dataclass(frozen=True)
class Words:
    """A run of text."""

    text: str


@dataclass(frozen=True)
class Location:
    """One number of a place: which thousandth of a side. at: which of the tokens it was."""

    bin: int
    at: int


@dataclass(frozen=True)
class Mark:
    """Any other token that is no text, such as ``<poly>``."""

    text: str


Piece = Words | Location | Mark


class FlorenceTokens:
    """Text to ids and back; what stands in a user's text never acts as a special token."""

    def __init__(self, file: Path) -> None:
        self.tokenizer = open_tokenizer(file)
        if self.tokenizer.token_to_id("<loc_0>") is None:
            special = [AddedToken(text, special=True, normalized=False) for text in ADDED]
            self.tokenizer.add_special_tokens(special)
        self.size = count_ids(self.tokenizer, file)
        for text, number in KNOWN.items():
            if (found := self.tokenizer.token_to_id(text)) != number:
                raise BadWeights(
                    f"{file}: the id of {text} is {found}; expected {number}, as Florence-2 has it"
                )
        ids = [self.tokenizer.token_to_id(f"<loc_{number}>") for number in range(BINS)]
        self.first = ids[0] or 0
        if ids != list(range(self.first, self.first + BINS)):
            raise BadWeights(
                f"{file}: the tokens <loc_0> to <loc_{BINS - 1}> are not there, one behind another"
            )
        added = self.tokenizer.get_added_tokens_decoder()
        self.acting = {number: token.content for number, token in added.items()}
        # In a text that is encoded, special tokens are letters; other added ones are taken apart.
        self.tokenizer.encode_special_tokens = True
        self.unguarded = tuple(token.content for token in added.values() if not token.special)

    def __len__(self) -> int:
        return self.size

    def encode(self, text: str) -> list[int]:
        """Return the ids of text, without begin and end."""
        check_characters(text)
        plain = neutralised(text, self.unguarded) if self.unguarded else text
        return list(self.tokenizer.encode(plain, add_special_tokens=False).ids)

    def locations(self, bins: Sequence[int]) -> list[int]:
        """Return the ids of numbers of a place."""
        return [self.first + one for one in bins]

    def pieces(self, ids: Sequence[int]) -> Iterator[Piece]:
        """Yield what ids stand for; begin, end and filling stand for nothing."""
        run: list[int] = []
        for at, number in enumerate(ids):
            if number in (BEGIN, PAD, END):
                continue
            token = self.acting.get(number)
            if token is None and self.tokenizer.id_to_token(number) is not None:
                run.append(number)
                continue
            if run:
                yield Words(self.tokenizer.decode(run))
                run = []
            if self.first <= number < self.first + BINS:
                yield Location(number - self.first, at)
            else:
                yield Mark(token or f"<{number}>")  # a row of the table may have no token
        if run:
            yield Words(self.tokenizer.decode(run))

    def text(self, ids: Sequence[int]) -> str:
        """Return ids as text, all tokens spelled out."""
        return self.tokenizer.decode(list(ids), skip_special_tokens=False)
