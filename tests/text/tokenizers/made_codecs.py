"""Tiny codecs of all three kinds, made in a moment: characters and a few words."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

import sentencepiece
from tokenizers import AddedToken as FastAddedToken
from tokenizers import Tokenizer, decoders
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.processors import TemplateProcessing

from deixis.text.tokenizers.added_tokens import AddedToken, AddedTokens
from deixis.text.tokenizers.codecs.opening import SentencePieceCodec, TokenizerCodec, WordCodec
from tests.systems.pointer.tiny import tiny_vocabulary

LLAMA_3 = ("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
GEMMA = ("<bos>", "<eos>", "<pad>", "<unk>", "<start_of_turn>", "<end_of_turn>")
PHI_MARKS = ("<|endoftext|>", "<|assistant|>", "<|system|>", "<|end|>", "<|user|>")
LETTERS = "".join(chr(code) for code in range(33, 127))


def piece_codec(folder: Path) -> SentencePieceCodec:
    """Return a sentencepiece codec of characters, with bytes for others, as Vicuna's falls back on them."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([" ".join(LETTERS)] * 4),
        model_writer=model,
        model_type="bpe",
        vocab_size=3 + 256 + len(LETTERS) + 1,
        hard_vocab_limit=False,
        character_coverage=1.0,
        byte_fallback=True,
        split_digits=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        minloglevel=2,
    )
    path = folder / "tokenizer.model"
    path.write_bytes(model.getvalue())
    return SentencePieceCodec(path)


def header_tokenizer(folder: Path, marks: Sequence[str] = LLAMA_3) -> Path:
    """Return a tokenizer.json with special tokens over single bytes, the first before every text."""
    alphabet = {letter: i for i, letter in enumerate(sorted(ByteLevel.alphabet()))}
    tokenizer = Tokenizer(BPE(alphabet, []))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([FastAddedToken(text, special=True, normalized=False) for text in marks])
    begin = marks[0]
    tokenizer.post_processor = TemplateProcessing(
        single=f"{begin} $A", special_tokens=[(begin, tokenizer.token_to_id(begin))]
    )
    path = folder / "tokenizer.json"
    tokenizer.save(str(path))
    return path


def header_codec(folder: Path) -> TokenizerCodec:
    """Return a codec with Llama-3's special tokens, padding and region token added."""
    return TokenizerCodec(header_tokenizer(folder), eos="<|eot_id|>")


def gemma_codec(folder: Path) -> TokenizerCodec:
    """Return a codec with Gemma's special tokens and the region token over single bytes."""
    return TokenizerCodec(header_tokenizer(folder, GEMMA), eos="<eos>")


def word_codec() -> WordCodec:
    """Return the codec of small models."""
    return WordCodec(tiny_vocabulary())


def phi_codec(folder: Path, *, begins: bool = False, region: str | None = None) -> SentencePieceCodec:
    """Return a codec with the marks and manners of Phi-3's. begins: as in its first files."""
    piece_codec(folder)
    marks = [AddedToken(PHI_MARKS[0], special=True, eats_left=False, eats_right=False)]
    marks += [AddedToken(text, special=True, eats_left=False, takes_bar=False) for text in PHI_MARKS[1:]]
    return SentencePieceCodec(
        folder / "tokenizer.model",
        AddedTokens(tuple(marks)),
        legacy=False,
        guard="spaced pieces",
        begins=begins,
        eos=("<|endoftext|>", "<|end|>"),
        pad="<|endoftext|>",
        region=region,
    )


def unbegun_codec(folder: Path) -> TokenizerCodec:
    """Return a codec as of early Llama-3 files, which put no token before a text."""
    path = header_tokenizer(folder)
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"post_processor": None}))
    return TokenizerCodec(
        path, eos=("<|eot_id|>", "<|end_of_text|>"), region=None, leading="<|begin_of_text|>"
    )
