"""A sentencepiece model (Vicuna, Phi-3) as a codec."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from deixis.answers.reading.dialects import REGION_TOKEN
from deixis.errors import UsageError
from deixis.files.writing import write_whole
from deixis.text.prompt_tokens import TextReader
from deixis.text.tokenizers.added_tokens import AddedToken, AddedTokens
from deixis.text.tokenizers.codecs.defaults import (
    FERRET,
    PAD_TOKEN,
    CodecDefaults,
    guard_of,
    listed,
    region_of,
)
from deixis.text.tokenizers.llama_tokenizer import Guard, SentencePieces
from deixis.text.tokenizers.readers import PieceReader
from deixis.text.tokenizers.settings import (
    SETTINGS_FILE,
    added_tokens,
    read_settings,
    token_text,
    truth,
    write_json,
)

PIECES_FILE = "tokenizer.model"


class SentencePieceCodec:
    """A sentencepiece model read as the published systems read it.

    added: the tokens behind those of the model; the region token is put last where it is missing. Ferret's
    eat the white space beside them, Ferret-v2's don't. legacy, guard: see ``sentencepieces``. begins: whether
    the model's begin token stands before every text (Phi-3's doesn't). eos: the texts of the tokens that end
    an answer, by default the model's own. pad: a token's text; by default ``<pad>`` where there is one, else
    the unknown token, as Vicuna has it. region: None for a system without a region token.
    """

    def __init__(
        self,
        model_file: str | PathLike[str],
        added: AddedTokens | None = None,
        *,
        legacy: bool = True,
        guard: Guard = "every piece",
        begins: bool = True,
        eos: str | Sequence[str] = (),
        pad: str | None = None,
        region: str | None = REGION_TOKEN,
    ) -> None:
        self.added = added_with(added, region)
        self.pieces = SentencePieces(model_file, self.added, legacy=legacy, guard=guard)
        self.content = Path(model_file).read_bytes()
        self.pad_text = pad or (PAD_TOKEN if PAD_TOKEN in self.pieces.ids else self.pieces.unk_text)
        self.region_text = region
        if self.pad_text not in self.pieces.ids:
            raise UsageError(f"padding {self.pad_text!r} is no token of {model_file}; add it")
        self.end_texts = listed(eos) or (self.pieces.token(self.pieces.eos),)
        for text in self.end_texts:
            if text not in self.pieces.ids:
                raise UsageError(f"end {text!r} is no token of {model_file}; add it")
        self.bos: int | None = self.pieces.bos if begins else None
        self.leading: int | None = self.pieces.bos
        self.ends = tuple(self.pieces.ids[text] for text in self.end_texts)
        self.eos, self.pad = self.ends[0], self.pieces.ids[self.pad_text]
        self.region: int | None = None if region is None else self.pieces.ids[region]
        self.specials = tuple(self.pieces.acting)
        self.words = int(self.pieces.processor.get_piece_size())

    def __len__(self) -> int:
        return len(self.pieces)

    def encode(self, text: str, *, begin: bool = True) -> list[int]:
        """Return the ids of text."""
        begun = begin and self.bos is not None
        # The oldest tokenizers failed on empty text; here it has no tokens of its own.
        return self.pieces.encode(text, bos=begun) if text else [self.pieces.bos] * begun

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of ids, without the special tokens."""
        return self.pieces.decode(ids)

    def reader(self) -> TextReader:
        """Return what makes text of ids one by one."""
        return PieceReader(self.pieces)

    def save(self, folder: Path) -> None:
        """Write ``tokenizer.model`` and its settings."""
        write_whole(folder / PIECES_FILE, self.content)
        tokens = {
            str(self.pieces.ids[token.text]): {
                "content": token.text,
                "lstrip": token.eats_left,
                "rstrip": token.eats_right,
                "normalized": False,
                "single_word": False,
                "special": token.special or token.text == self.region_text,
            }
            for token in self.added.tokens
        }
        names = {"bos_token": self.pieces.bos, "eos_token": self.eos, "unk_token": self.pieces.unk}
        settings: dict[str, Any] = {
            "tokenizer_class": "LlamaTokenizer",
            "legacy": self.pieces.legacy,
            "guard": self.pieces.guard,
            "add_bos_token": self.bos is not None,
            "added_tokens_decoder": tokens,
            **{name: self.pieces.token(i) for name, i in names.items()},
            "further_eos_tokens": list(self.end_texts[1:]),
            "pad_token": self.pad_text,
            "region_token": self.region_text,
        }
        roles = {settings[name] for name in (*names, "pad_token", "region_token")}
        settings["additional_special_tokens"] = [
            token.text for token in self.added.tokens if token.drops_bar and token.text not in roles
        ]
        write_json(folder / SETTINGS_FILE, settings)

    @classmethod
    def load(cls, folder: Path, defaults: CodecDefaults = FERRET) -> SentencePieceCodec:
        """Read ``tokenizer.model`` of a folder with its settings, of any release of transformers."""
        settings = read_settings(folder)
        return cls(
            folder / PIECES_FILE,
            added_tokens(folder, settings),
            legacy=truth(settings, "legacy", where=folder / SETTINGS_FILE),
            guard=guard_of(settings, defaults, folder / SETTINGS_FILE),
            begins=truth(settings, "add_bos_token", where=folder / SETTINGS_FILE),
            eos=defaults.ends_of(settings),
            pad=token_text(settings.get("pad_token")),
            region=region_of(settings, defaults, folder / SETTINGS_FILE),
        )


def added_with(added: AddedTokens | None, region: str | None) -> AddedTokens:
    """Return added tokens with the region token among them, if there is to be one.

    It acts as the published programs had it: decoded text shows it, which leaves out only tokens that have a
    role of the tokenizer's own.
    """
    tokens = () if added is None else added.tokens
    if region is None:
        return AddedTokens(tokens)
    if region not in {token.text for token in tokens}:
        return AddedTokens((*tokens, AddedToken(region, takes_bar=True)))
    return AddedTokens(
        tuple(
            replace(token, special=False, takes_bar=token.drops_bar) if token.text == region else token
            for token in tokens
        )
    )
