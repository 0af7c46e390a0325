"""A ``tokenizer.json`` (Llama-3, Gemma) as a codec."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from tokenizers import AddedToken as FastAddedToken

from deixis.answers.reading.dialects import REGION_TOKEN
from deixis.errors import BadWeights
from deixis.text.prompt_tokens import TextReader
from deixis.text.tokenizers.checked_input import check_characters, check_ids
from deixis.text.tokenizers.codecs.defaults import FERRET, PAD_TOKEN, CodecDefaults, listed, region_of
from deixis.text.tokenizers.readers import TokenReader, WholeReader
from deixis.text.tokenizers.settings import (
    SETTINGS_FILE,
    read_settings,
    token_text,
    write_json,
)
from deixis.text.tokenizers.spellers import speller_of
from deixis.text.tokenizers.tokenizer_file import TOKENIZER_FILE, count_ids, open_tokenizer

PROBE = "a, b"  # of more than one token, to see what is put around a text


class TokenizerCodec:
    """A ``tokenizer.json``, with ``<pad>`` and the region token added in this order where they are missing.

    eos, pad, region: texts of tokens; of one or several that end an answer, of none for a system without a
    region token. What stands before every text is what the file itself puts there. leading: the text of a
    token that a file puts nowhere, but the prompts spell out (early Llama-3 files); see ``prompt_ids``.
    """

    def __init__(
        self,
        file: str | PathLike[str],
        *,
        eos: str | Sequence[str],
        pad: str = PAD_TOKEN,
        region: str | None = REGION_TOKEN,
        leading: str | None = None,
    ) -> None:
        self.tokenizer = open_tokenizer(Path(file))
        for text in (pad, region):
            if text is not None and self.tokenizer.token_to_id(text) is None:
                self.tokenizer.add_special_tokens([FastAddedToken(text, special=True, normalized=False)])
        self.size = count_ids(self.tokenizer, file)  # counting them takes a while
        end, *further = listed(eos)
        self.texts: dict[str, Any] = {"eos_token": end, "pad_token": pad, "region_token": region}
        self.texts |= {"further_eos_tokens": further, "leading_token": leading}
        self.ends = tuple(self.id_of(text) for text in (end, *further))
        self.eos, self.pad = self.ends[0], self.id_of(pad)
        self.region: int | None = None if region is None else self.id_of(region)
        self.bos: int | None = self.begun_with(file)
        self.leading = self.bos if leading is None else self.id_of(leading)
        self.specials = tuple(
            token.content for token in self.tokenizer.get_added_tokens_decoder().values() if token.special
        )
        ids = self.tokenizer.get_vocab(with_added_tokens=True)
        acting = frozenset(self.specials)
        self.words = 1 + max((number for text, number in ids.items() if text not in acting), default=-1)

    def begun_with(self, file: object) -> int | None:
        """Return the token that the file puts in front of every text, if it does.

        BadWeights where it puts more around a text, or something behind it.
        """
        alone, whole = (self.tokenizer.encode(PROBE, add_special_tokens=added).ids for added in (False, True))
        if whole == alone:
            return None
        if whole[1:] != alone:
            raise BadWeights(
                f"{file} puts {len(whole) - len(alone)} tokens around every text; expected one in front, "
                "or none"
            )
        return int(whole[0])

    def __len__(self) -> int:
        return self.size

    def id_of(self, text: str) -> int:
        """Return the id of a token's text."""
        found = self.tokenizer.token_to_id(text)
        if found is None:
            raise BadWeights(f"the tokenizer has no token {text!r}, which its settings name")
        return found

    def encode(self, text: str, *, begin: bool = True) -> list[int]:
        """Return the ids of text."""
        check_characters(text)
        front = [self.bos] if begin and self.bos is not None else []
        return [*front, *self.tokenizer.encode(text, add_special_tokens=False).ids]

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of ids, without the special tokens."""
        return self.tokenizer.decode(check_ids(ids, len(self)), skip_special_tokens=True)

    def reader(self) -> TextReader:
        """Return what makes text of ids one by one."""
        speller = speller_of(self.tokenizer)
        if speller is None:
            return WholeReader(self.decode, size=len(self))
        return TokenReader(self.tokenizer, speller, size=len(self), skipped=frozenset(self.specials))

    def save(self, folder: Path) -> None:
        """Write ``tokenizer.json`` and its settings."""
        self.tokenizer.save(str(folder / TOKENIZER_FILE))
        write_json(folder / SETTINGS_FILE, {"tokenizer_class": "PreTrainedTokenizerFast", **self.texts})

    @classmethod
    def load(cls, folder: Path, defaults: CodecDefaults = FERRET) -> TokenizerCodec:
        """Read ``tokenizer.json`` of a folder; its settings have to name the token that ends an answer."""
        settings = read_settings(folder)
        eos = defaults.ends_of(settings)
        if not eos:
            raise BadWeights(
                f"{folder / SETTINGS_FILE} names no eos_token; expected the text of the end token"
            )
        return cls(
            folder / TOKENIZER_FILE,
            eos=eos,
            pad=token_text(settings.get("pad_token")) or PAD_TOKEN,
            region=region_of(settings, defaults, folder / SETTINGS_FILE),
            leading=token_text(settings.get("leading_token", defaults.leading)),
        )
