"""Three ways in which texts become ids: sentencepiece (Vicuna), tokenizer.json (Llama-3, Gemma), word pieces.

Each opens from the files of a model's folder and writes them again. The last, over the vocabulary of the
embedded system, is for small models trained from nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path

from tokenizers import AddedToken as FastAddedToken
from tokenizers import Tokenizer

from deixis.answers.dialects import REGION_TOKEN
from deixis.errors import BadWeights, MissingWeights, UsageError
from deixis.language.prompt_tokens import TextCodec, TextReader
from deixis.language.sentencepieces import AddedToken, AddedTokens, SentencePieces
from deixis.language.text_readers import (
    PieceReader,
    TokenReader,
    WholeReader,
    WordReader,
    check_id,
    speller_of,
)
from deixis.language.tokenizer_settings import (
    SETTINGS_FILE,
    added_tokens,
    read_settings,
    token_text,
    write_json,
)
from deixis.language.vocabulary import END, PAD, REGION, USER, Vocabulary

PIECES_FILE, TOKENIZER_FILE = "tokenizer.model", "tokenizer.json"
PAD_TOKEN = "<pad>"


class SentencePieceCodec:
    """A sentencepiece model read as the published systems read it.

    added: the tokens behind those of the model; the region token is put last where it is missing. Ferret's
    eat the white space beside them, Ferret-v2's don't. pad: a token's text; by default ``<pad>`` where there
    is one, else the unknown token, as Vicuna has it.
    """

    def __init__(
        self,
        model_file: str | PathLike[str],
        added: AddedTokens | None = None,
        *,
        legacy: bool = True,
        pad: str | None = None,
        region: str = REGION_TOKEN,
    ) -> None:
        self.added = added if added is not None else AddedTokens.plain(region, special=[region])
        if region not in {token.text for token in self.added.tokens}:
            self.added = AddedTokens((*self.added.tokens, AddedToken(region, special=True)))
        self.pieces = SentencePieces(model_file, self.added, legacy=legacy)
        self.content = Path(model_file).read_bytes()
        self.pad_text = pad or (PAD_TOKEN if PAD_TOKEN in self.pieces.ids else self.pieces.unk_text)
        self.region_text = region
        if self.pad_text not in self.pieces.ids:
            raise UsageError(f"padding {self.pad_text!r} is no token of {model_file}; add it")
        self.bos: int | None = self.pieces.bos
        self.eos = self.pieces.eos
        self.pad, self.region = self.pieces.ids[self.pad_text], self.pieces.ids[region]
        self.specials = tuple(self.pieces.acting)

    def __len__(self) -> int:
        return len(self.pieces)

    def encode(self, text: str, *, begin: bool = True) -> list[int]:
        """Return the ids of text."""
        return self.pieces.encode(text, bos=begin)

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of ids, without the special tokens."""
        return self.pieces.decode(ids)

    def reader(self) -> TextReader:
        """Return what makes text of ids one by one."""
        return PieceReader(self.pieces)

    def save(self, folder: Path) -> None:
        """Write ``tokenizer.model`` and its settings."""
        (folder / PIECES_FILE).write_bytes(self.content)
        tokens = {
            str(self.pieces.ids[token.text]): {
                "content": token.text,
                "lstrip": token.eats_left,
                "rstrip": token.eats_right,
                "normalized": False,
                "single_word": False,
                "special": token.special,
            }
            for token in self.added.tokens
        }
        names = {"bos_token": self.pieces.bos, "eos_token": self.eos, "unk_token": self.pieces.unk}
        settings = {
            "tokenizer_class": "LlamaTokenizer",
            "legacy": self.pieces.legacy,
            "added_tokens_decoder": tokens,
            **{name: self.pieces.token(i) for name, i in names.items()},
            "pad_token": self.pad_text,
            "region_token": self.region_text,
        }
        write_json(folder / SETTINGS_FILE, settings)

    @classmethod
    def load(cls, folder: Path) -> SentencePieceCodec:
        """Read ``tokenizer.model`` of a folder with its settings, of any release of transformers."""
        settings = read_settings(folder)
        return cls(
            folder / PIECES_FILE,
            added_tokens(folder, settings),
            legacy=bool(settings.get("legacy", True)),
            pad=token_text(settings.get("pad_token")),
            region=settings.get("region_token", REGION_TOKEN),
        )


class TokenizerCodec:
    """A ``tokenizer.json``, with ``<pad>`` and the region token added in this order where they are missing.

    eos, pad, region: texts of tokens. What stands before every text is what the file itself puts there.
    """

    def __init__(
        self,
        file: str | PathLike[str],
        *,
        eos: str,
        pad: str = PAD_TOKEN,
        region: str = REGION_TOKEN,
    ) -> None:
        self.tokenizer = open_tokenizer(Path(file))
        for text in (pad, region):
            if self.tokenizer.token_to_id(text) is None:
                self.tokenizer.add_special_tokens([FastAddedToken(text, special=True, normalized=False)])
        self.size = self.tokenizer.get_vocab_size(with_added_tokens=True)  # counting them takes a while
        self.texts = {"eos_token": eos, "pad_token": pad, "region_token": region}
        self.eos, self.pad, self.region = (self.id_of(text) for text in (eos, pad, region))
        opening = self.tokenizer.encode("").ids
        if len(opening) > 1:
            raise BadWeights(
                f"{file} puts {len(opening)} tokens around every text; expected one in front, or none"
            )
        self.bos: int | None = opening[0] if opening else None
        self.specials = tuple(
            token.content for token in self.tokenizer.get_added_tokens_decoder().values() if token.special
        )

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
    def load(cls, folder: Path) -> TokenizerCodec:
        """Read ``tokenizer.json`` of a folder; its settings have to name the token that ends an answer."""
        settings = read_settings(folder)
        eos = token_text(settings.get("eos_token"))
        if eos is None:
            raise BadWeights(
                f"{folder / SETTINGS_FILE} names no eos_token; expected the text of the end token"
            )
        return cls(
            folder / TOKENIZER_FILE,
            eos=eos,
            pad=token_text(settings.get("pad_token")) or PAD_TOKEN,
            region=settings.get("region_token", REGION_TOKEN),
        )


class WordCodec:
    """A vocabulary of word pieces, in which the marks of the Vicuna templates act as its special tokens."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.bos: int | None = USER.id
        self.eos, self.pad, self.region = END.id, PAD.id, REGION.id
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
        return cls(Vocabulary(open_tokenizer(folder / TOKENIZER_FILE)))


def open_codec(kind: str, folder: str | PathLike[str]) -> TextCodec:
    """Return the codec of a model's folder. kind: "sentencepieces", "tokenizer" or "words".

    Raises MissingWeights where the folder lacks the file, BadWeights for one that cannot be used.
    """
    path = Path(folder)
    if kind == "sentencepieces":
        return SentencePieceCodec.load(path)
    if kind == "tokenizer":
        return TokenizerCodec.load(path)
    if kind == "words":
        return WordCodec.load(path)
    raise UsageError(f'codec is {kind!r}; expected "sentencepieces", "tokenizer" or "words"')


def open_tokenizer(path: Path) -> Tokenizer:
    """Return the tokenizer of a file."""
    if not path.is_file():
        raise MissingWeights(f"there is no tokenizer file {str(path)!r}; expected a tokenizer.json")
    try:
        return Tokenizer.from_file(str(path))
    except Exception as fault:  # the package raises nothing more special
        raise BadWeights(f"{path} is not a tokenizer file, or it is damaged: {fault}") from fault


def check_characters(text: str) -> None:
    """Raise UsageError for text that has no UTF-8 form."""
    try:
        text.encode()
    except UnicodeEncodeError as fault:
        raise UsageError(f"text has half a character at {fault.start}; expected Unicode text") from fault


def check_ids(ids: Iterable[int], size: int) -> Sequence[int]:
    """Return ids as a list; UsageError for one outside the vocabulary, such as the picture's marker."""
    return [check_id(i, size) for i in ids]
