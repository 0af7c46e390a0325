"""A word-piece vocabulary of our own, with the tokens that only code may write.

Special tokens are entries of the vocabulary but never part of the tokenizer's grammar: the text "<place>",
typed by a user, is read as "<", "place", ">".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from deixis.errors import BadWeights
from deixis.text.tokenizers.tokenizer_file import TOKENIZER_FILE, count_ids, open_tokenizer
from deixis.text.tokenizers.word_pieces.opening_tokens import PIECES, OpeningTokens


@dataclass(frozen=True)
class SpecialToken:
    """A token with a fixed id, written by code alone."""

    text: str
    id: int


PAD = SpecialToken("<pad>", 0)
PICTURE = SpecialToken("<picture>", 1)
REGION = SpecialToken("<region>", 2)
USER = SpecialToken("<user>", 3)
ANSWER = SpecialToken("<answer>", 4)
END = SpecialToken("<end>", 5)
PHRASE = SpecialToken("<p>", 6)
PHRASE_END = SpecialToken("</p>", 7)
PLACE = SpecialToken("<place>", 8)
FOUND = SpecialToken("<found>", 9)
NOWHERE = SpecialToken("<nowhere>", 10)
UNKNOWN = SpecialToken("<unknown>", 11)
SPECIAL = (PAD, PICTURE, REGION, USER, ANSWER, END, PHRASE, PHRASE_END, PLACE, FOUND, NOWHERE, UNKNOWN)

LONGEST_WORD = 64  # letters; a longer word is unknown


class Vocabulary:
    """Text to ids and back; knows nothing of regions or dialogues.

    opening: the tokens that answers begin with; None where there are none.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.pieces: list[str] = [str(tokenizer.id_to_token(i)) for i in range(tokenizer.get_vocab_size())]
        self.opening = OpeningTokens.of(self.pieces)

    def __len__(self) -> int:
        return len(self.pieces)

    def encode(self, text: str) -> list[int]:
        """Return the ids of plain text; special tokens in it are ordinary characters."""
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def save(self, folder: Path) -> None:
        """Write ``tokenizer.json`` into ``folder``."""
        self.tokenizer.save(str(folder / TOKENIZER_FILE))

    @classmethod
    def load(cls, folder: Path) -> Vocabulary:
        """Read ``tokenizer.json`` of ``folder``; BadWeights for one that isn't made as here."""
        path = folder / TOKENIZER_FILE
        return cls(as_made(open_tokenizer(path), path))


def as_made(tokenizer: Tokenizer, path: Path) -> Tokenizer:
    """Return a tokenizer of a file's pieces, made anew; BadWeights where the file is of another kind."""
    count_ids(tokenizer, path)
    pieces = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().__getitem__)
    if [str(piece) for piece in pieces[: len(SPECIAL)]] != [token.text for token in SPECIAL]:
        raise BadWeights(f"{path} doesn't begin with the tokens {', '.join(token.text for token in SPECIAL)}")
    made = piece_tokenizer({piece: i for i, piece in enumerate(pieces)}, unknown=UNKNOWN.text)
    stated, ours = json.loads(tokenizer.to_str()), json.loads(made.to_str())
    model, own = stated["model"], ours["model"]
    same = {
        name: (stated[name], ours[name])
        for name in ("normalizer", "pre_tokenizer", "decoder", "added_tokens")
    }
    same |= {
        name: (model.get(name), own[name]) for name in ("type", "unk_token", "continuing_subword_prefix")
    }
    same["vocab"] = (model.get("vocab"), own["vocab"])
    if wrong := [name for name, (there, here) in same.items() if there != here]:
        raise BadWeights(f"{path} is no vocabulary of word pieces as deixis writes it: {wrong[0]} differs")
    return made


def build_vocabulary(texts: Iterable[str], source: Mapping[str, int], *, at_least: int = 2) -> Vocabulary:
    """Return the word pieces of ``source`` that occur in ``texts`` often enough, and every single character.

    source: the pieces (with ids) of the tokenizer whose word vectors initialise ours. Single characters and
    their continuations are kept so that any word can be spelt.
    """
    reader = piece_tokenizer(dict(source), unknown="[UNK]")
    counts: dict[str, int] = {}
    for text in texts:
        for piece in reader.encode(text, add_special_tokens=False).tokens:
            counts[piece] = counts.get(piece, 0) + 1
    kept = [
        piece
        for piece in source
        if not (piece.startswith("[") and len(piece) > 1)
        and (counts.get(piece, 0) >= at_least or is_character(piece))
    ]
    pieces = [token.text for token in SPECIAL] + kept
    return Vocabulary(piece_tokenizer({piece: i for i, piece in enumerate(pieces)}, unknown=UNKNOWN.text))


def grown_vocabulary(vocabulary: Vocabulary, larger: Vocabulary) -> Vocabulary:
    """Return a vocabulary with the further pieces of ``larger`` behind its own, whose ids stay."""
    known = set(vocabulary.pieces)
    pieces = [*vocabulary.pieces, *(piece for piece in larger.pieces if piece not in known)]
    return Vocabulary(piece_tokenizer({piece: i for i, piece in enumerate(pieces)}, unknown=UNKNOWN.text))


def with_opening(vocabulary: Vocabulary) -> Vocabulary:
    """Return a vocabulary with the opening tokens behind its pieces, unless it has them."""
    if vocabulary.opening is not None:
        return vocabulary
    pieces = [*vocabulary.pieces, *PIECES]
    return Vocabulary(piece_tokenizer({piece: i for i, piece in enumerate(pieces)}, unknown=UNKNOWN.text))


def piece_tokenizer(pieces: dict[str, int], *, unknown: str) -> Tokenizer:
    """Return a lower-casing word-piece tokenizer over ``pieces``."""
    tokenizer = Tokenizer(WordPiece(pieces, unk_token=unknown, max_input_chars_per_word=LONGEST_WORD))
    tokenizer.normalizer = BertNormalizer(lowercase=True, strip_accents=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    return tokenizer


def is_character(piece: str) -> bool:
    """Tell whether a piece is one printable ASCII character, or its continuation."""
    bare = piece.removeprefix("##")
    return len(bare) == 1 and bare.isascii() and bare.isprintable()
