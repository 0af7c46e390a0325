"""Three ways in which texts become ids: sentencepiece (Vicuna), tokenizer.json (Llama-3, Gemma), word pieces.

Each opens from the files of a model's folder and writes them again. The last, over the vocabulary of the
embedded system, is for small models trained from nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from tokenizers import AddedToken as FastAddedToken
from tokenizers import Tokenizer

from deixis.answers.dialects import REGION_TOKEN
from deixis.errors import BadWeights, MissingWeights, UsageError
from deixis.text.prompt_tokens import TextCodec, TextReader
from deixis.text.tokenizers.llama_tokenizer import AddedToken, AddedTokens, Guard, SentencePieces
from deixis.text.tokenizers.readers import (
    PieceReader,
    TokenReader,
    WholeReader,
    WordReader,
    check_id,
    speller_of,
)
from deixis.text.tokenizers.settings import (
    SETTINGS_FILE,
    added_tokens,
    read_settings,
    token_text,
    token_texts,
    write_json,
)
from deixis.text.tokenizers.vocabulary import END, PAD, REGION, USER, Vocabulary

PIECES_FILE, TOKENIZER_FILE = "tokenizer.model", "tokenizer.json"
PAD_TOKEN = "<pad>"


@dataclass(frozen=True)
class CodecDefaults:
    """What a system knows of its tokenizer and a folder as it was published doesn't say; saved ones say all.

    region: its region token. guard: see ``sentencepieces``. ends: tokens that end an answer besides the
    folder's own. leading: see ``TokenizerCodec``.
    """

    region: str | None = REGION_TOKEN
    guard: Guard = "every piece"
    ends: tuple[str, ...] = ()
    leading: str | None = None

    def ends_of(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the texts of the tokens that end an answer; empty where settings name none themselves."""
        own = token_texts(settings.get("eos_token"))
        further = (
            token_texts(settings["further_eos_tokens"]) if "further_eos_tokens" in settings else self.ends
        )
        return tuple(dict.fromkeys((*own, *further))) if own else ()


FERRET = CodecDefaults()


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
            legacy=bool(settings.get("legacy", True)),
            guard=settings.get("guard", defaults.guard),
            begins=bool(settings.get("add_bos_token", True)),
            eos=defaults.ends_of(settings),
            pad=token_text(settings.get("pad_token")),
            region=settings.get("region_token", defaults.region),
        )


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
        self.size = self.tokenizer.get_vocab_size(with_added_tokens=True)  # counting them takes a while
        end, *further = listed(eos)
        self.texts: dict[str, Any] = {"eos_token": end, "pad_token": pad, "region_token": region}
        self.texts |= {"further_eos_tokens": further, "leading_token": leading}
        self.ends = tuple(self.id_of(text) for text in (end, *further))
        self.eos, self.pad = self.ends[0], self.id_of(pad)
        self.region: int | None = None if region is None else self.id_of(region)
        opening = self.tokenizer.encode("").ids
        if len(opening) > 1:
            raise BadWeights(
                f"{file} puts {len(opening)} tokens around every text; expected one in front, or none"
            )
        self.bos: int | None = opening[0] if opening else None
        self.leading = self.bos if leading is None else self.id_of(leading)
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
            region=settings.get("region_token", defaults.region),
            leading=token_text(settings.get("leading_token", defaults.leading)),
        )


class WordCodec:
    """A vocabulary of word pieces, in which the marks of the Vicuna templates act as its special tokens."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.bos: int | None = USER.id
        self.leading: int | None = USER.id
        self.ends: tuple[int, ...] = (END.id,)
        self.eos, self.pad = END.id, PAD.id
        self.region: int | None = REGION.id
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


def open_codec(kind: str, folder: str | PathLike[str], defaults: CodecDefaults = FERRET) -> TextCodec:
    """Return the codec of a model's folder. kind: "sentencepieces", "tokenizer" or "words".

    defaults: what holds where the folder doesn't say it, by default as in Ferret.
    Raises MissingWeights where the folder lacks the file, BadWeights for one that cannot be used.
    """
    path = Path(folder)
    if kind == "sentencepieces":
        return SentencePieceCodec.load(path, defaults)
    if kind == "tokenizer":
        return TokenizerCodec.load(path, defaults)
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


def added_with(added: AddedTokens | None, region: str | None) -> AddedTokens:
    """Return added tokens with the region token among them, if there is to be one."""
    if added is None:
        return AddedTokens() if region is None else AddedTokens.plain(region, special=[region])
    if region is None or region in {token.text for token in added.tokens}:
        return added
    return AddedTokens((*added.tokens, AddedToken(region, special=True)))


def listed(texts: str | Sequence[str]) -> tuple[str, ...]:
    """Return texts as a tuple, one of them too.

    >>> listed("</s>"), listed(["</s>", "<|end|>"])
    (('</s>',), ('</s>', '<|end|>'))
    """
    return (texts,) if isinstance(texts, str) else tuple(texts)


def check_characters(text: str) -> None:
    """Raise UsageError for text that has no UTF-8 form."""
    try:
        text.encode()
    except UnicodeEncodeError as fault:
        raise UsageError(f"text has half a character at {fault.start}; expected Unicode text") from fault


def check_ids(ids: Iterable[int], size: int) -> Sequence[int]:
    """Return ids as a list; UsageError for one outside the vocabulary, such as the picture's marker."""
    return [check_id(i, size) for i in ids]
