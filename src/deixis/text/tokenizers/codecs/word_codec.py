"""The word pieces of small models trained from nothing as a codec."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from deixis.answers.reading.dialects import REGION_TOKEN
from deixis.text.prompt_tokens import TextReader
from deixis.text.tokenizers.checked_input import check_characters, check_ids
from deixis.text.tokenizers.codecs.defaults import PAD_TOKEN
from deixis.text.tokenizers.readers import WordReader
from deixis.text.tokenizers.word_pieces.vocabulary import END, PAD, REGION, USER, Vocabulary


class WordCodec:
    """A vocabulary of word pieces, in which the marks of the Vicuna templates act as its special tokens."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.bos: int | None = USER.id
        self.leading: int | None = USER.id
        self.ends: tuple[int, ...] = (END.id,)
        self.eos, self.pad = END.id, PAD.id
        self.region: int | None = REGION.id
        self.words = len(vocabulary)
        self.acting = {"<s>": USER.id, "</s>": END.id, PAD_TOKEN: PAD.id, REGION_TOKEN: REGION.id}
        self.specials = tuple(self.acting)
        self.boundary = re.compile("(" + "|".join(map(re.escape, self.acting)) + ")")

    def __len__(self) -> int:
        return len(self.vocabulary)

    def encode(self, text: str, *, begin: bool = True) -> list[int]:
        """Return the ids of text."""
        check_characters(text)
        ids = [USER.id] if begin else []
        for number, part in enumerate(self.boundary.split(text)):
            ids += [self.acting[part]] if number % 2 else self.vocabulary.encode(part)
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """Return words as English is written: numbers close to their brackets, capitals after full stops."""
        reader = self.reader()
        return "".join([reader.add(i) for i in check_ids(ids, len(self))]) + reader.close()

    def reader(self) -> TextReader:
        """Return what makes text of ids one by one."""
        return WordReader(self.vocabulary.pieces)

    def save(self, folder: Path) -> None:
        """Write ``tokenizer.json``."""
        self.vocabulary.save(folder)

    @classmethod
    def load(cls, folder: Path) -> WordCodec:
        """Read ``tokenizer.json`` of a folder."""
        return cls(Vocabulary.load(folder))
