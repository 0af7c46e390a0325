"""A small vocabulary with Groma's tokens behind it."""

from __future__ import annotations

from deixis.systems.groma.dialect import GromaTokens, added_texts
from deixis.text.region_marks import PAD, REFER_FEAT
from deixis.text.tokenizers.codecs.word_codec import WordCodec
from deixis.text.tokenizers.word_pieces.vocabulary import SPECIAL, UNKNOWN, Vocabulary, piece_tokenizer

WORDS = (
    "a an the man dog dogs two near and is in of what where red car , . ? ! : ' s describe it on here sure"
)


def groma_words() -> WordCodec:
    """Return the codec."""
    letters = [chr(code) for code in range(33, 127)]
    pieces = [token.text for token in SPECIAL]
    pieces += dict.fromkeys([*WORDS.split(), *letters, *(f"##{letter}" for letter in letters)])
    known = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    vocabulary = Vocabulary(piece_tokenizer(known, unknown=UNKNOWN.text))
    return WordCodec(vocabulary, added_texts(), pad=PAD, region=REFER_FEAT)


def groma_tokens() -> GromaTokens:
    """Return the ids of its tokens."""
    return GromaTokens.of(groma_words())
