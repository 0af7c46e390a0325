"""The word pieces of small models trained from nothing as a codec."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from deixis.answers.reading.dialects import REGION_TOKEN
from deixis.errors import BadWeights, UsageError
from deixis.text.prompt_tokens import TextReader
from deixis.text.tokenizers.added_tokens import AddedTokens
from deixis.text.tokenizers.checked_input import check_characters, check_ids
from deixis.text.tokenizers.codecs.defaults import PAD_TOKEN
from deixis.text.tokenizers.readers import WordReader
from deixis.text.tokenizers.settings import SETTINGS_FILE, read_settings, token_text, write_json
from deixis.text.tokenizers.word_pieces.vocabulary import END, PAD, REGION, USER, Vocabulary


class WordCodec:
    """A vocabulary of word pieces, in which the marks of the Vicuna templates act as its special tokens.

    added: texts of further tokens, behind those of the vocabulary; decoded text shows them. pad, region: one
    of these instead of the vocabulary's own.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        added: Sequence[str] = (),
        *,
        pad: str = PAD_TOKEN,
        region: str = REGION_TOKEN,
    ) -> None:
        self.vocabulary = vocabulary
        self.added = tuple(token.text for token in AddedTokens.plain(*added).tokens)
        self.bos: int | None = USER.id
        self.leading: int | None = USER.id
        self.ends: tuple[int, ...] = (END.id,)
        self.acting = {"<s>": USER.id, "</s>": END.id, PAD_TOKEN: PAD.id, REGION_TOKEN: REGION.id}
        self.acting |= {text: len(vocabulary) + number for number, text in enumerate(self.added)}
        self.pad_text, self.region_text = pad, region
        for text in (pad, region):
            if text not in self.acting:
                raise UsageError(f"{text!r} is no token of this vocabulary; add it")
        self.eos, self.pad = END.id, self.acting[pad]
        self.region: int | None = self.acting[region]
        self.words = len(vocabulary)
        self.specials = tuple(self.acting)
        longest_first = sorted(self.acting, key=len, reverse=True)
        self.boundary = re.compile("(" + "|".join(map(re.escape, longest_first)) + ")")

    def __len__(self) -> int:
        return len(self.vocabulary) + len(self.added)

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
        return WordReader(self.vocabulary.pieces, self.added)

    def save(self, folder: Path) -> None:
        """Write ``tokenizer.json``, and what was added into ``tokenizer_config.json``."""
        self.vocabulary.save(folder)
        if self.added:
            roles = {"pad_token": self.pad_text, "region_token": self.region_text}
            write_json(folder / SETTINGS_FILE, {"added_words": list(self.added), **roles})

    @classmethod
    def load(cls, folder: Path) -> WordCodec:
        """Read ``tokenizer.json`` of a folder, and what was added; BadWeights for what isn't written here."""
        settings = read_settings(folder)
        added = settings.get("added_words", [])
        if not isinstance(added, list) or not all(isinstance(text, str) for text in added):
            raise BadWeights(
                f"{folder / SETTINGS_FILE}: added_words is {added!r:.60}; expected a list of texts"
            )
        pad, region = (token_text(settings.get(name)) for name in ("pad_token", "region_token"))
        try:
            return cls(Vocabulary.load(folder), added, pad=pad or PAD_TOKEN, region=region or REGION_TOKEN)
        except UsageError as fault:
            raise BadWeights(f"{folder / SETTINGS_FILE}: {fault}") from fault
