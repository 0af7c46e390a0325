"""Text to ids as the Llama and Vicuna tokenizers of the published systems had it, and back.

The published weights were trained with the slow, Python tokenizers of transformers 4, whose handling of
spaces beside added tokens is part of what the weights know. transformers 5 offers a fast one only, and its
ids differ even with the same file:

- white space beside a token that was added as a plain string stays, unless the token is declared again with
  both of its strip flags;
- a piece of text that begins with a space loses one U+2581;
- ``legacy`` is false unless asked for, and a lone U+2581 before the first token of a prompt (Phi-3) is gone;
- with ``legacy=False`` the character that the old code swallowed after an added token (see ``Guard``) stays.

So the model file is read with the package ``sentencepiece``, and the rules around it are written out here.
An added or control token that a user types acts as that token, as it did in the published systems: text that
isn't trusted has to be cleaned before it becomes a prompt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from deixis.errors import BadWeights, MissingWeights, UsageError

LOW_BAR = "\u2581"
LARGEST_MODEL = 16 * 2**20
# A model file may repeat a field at its end, and the last value counts: normaliser, dummy prefix, off.
NO_DUMMY_PREFIX = b"\x1a\x02\x18\x00"

Guard = Literal["every piece", "spaced pieces"]
"""Which pieces of text ``legacy=False`` encodes behind the guard "<unk>", whose own tokens are then dropped.

"every piece": transformers up to 4.33 (Groma). Where the vocabulary has a piece such as ">.", it joins the
end of the guard and the first character of the text, and that character is lost. Empty text is an error.
"spaced pieces": later releases (ViP-LLaVA, Florence-VL); only a piece that begins with a space is guarded.
"""


@dataclass(frozen=True)
class AddedToken:
    """A text that is one token, and what it does to the white space beside it.

    special: one of the tokenizer's own (padding, end of text …), left out of decoded text. As it stands, a
    token is what transformers up to 4.33 made of a plain string: it eats white space on both sides.
    takes_bar: a lone U+2581 before it, at the beginning of a text, is dropped where ``legacy`` is false;
    special tokens do that unless told otherwise. Phi-3's marks don't: its settings name them in no role.
    """

    text: str
    special: bool = False
    eats_left: bool = True
    eats_right: bool = True
    takes_bar: bool | None = None

    @property
    def drops_bar(self) -> bool:
        """Whether a lone U+2581 before it is dropped."""
        return self.special if self.takes_bar is None else self.takes_bar

    def __post_init__(self) -> None:
        if not self.text or self.text != self.text.strip():
            raise UsageError(
                f"an added token cannot be {self.text!r}; expected text without white space at its ends"
            )


@dataclass(frozen=True)
class AddedTokens:
    """The tokens added to a model, in the order of their ids; one that the model knows keeps its own id."""

    tokens: tuple[AddedToken, ...] = ()

    def __post_init__(self) -> None:
        texts = [token.text for token in self.tokens]
        twice = sorted({text for text in texts if texts.count(text) > 1})
        if twice:
            raise UsageError(f"added tokens given twice: {', '.join(twice)}; give each once")

    @classmethod
    def plain(cls, *texts: str, special: Iterable[str] = ()) -> AddedTokens:
        """Return tokens as plain strings were added: white space is eaten on both sides.

        >>> AddedTokens.plain("[PAD]", "<roi>", special=["[PAD]"]).tokens[1]
        AddedToken(text='<roi>', special=False, eats_left=True, eats_right=True, takes_bar=None)
        """
        named = frozenset(special)
        if not named <= set(texts):
            raise UsageError(f"special tokens {sorted(named - set(texts))} are not among the added {texts}")
        return cls(tuple(AddedToken(text, special=text in named) for text in texts))


NONE_ADDED = AddedTokens()


class SentencePieces:
    """A sentencepiece model with its added tokens: text to ids and back.

    legacy: the value of ``legacy`` in the tokenizer's configuration; true where the file has none.
    guard: read only where ``legacy`` is false, see ``Guard``.
    Raises MissingWeights when there is no such file, BadWeights when it is no usable model.
    """

    def __init__(
        self,
        model_file: str | PathLike[str],
        added: AddedTokens = NONE_ADDED,
        *,
        legacy: bool,
        guard: Guard = "every piece",
    ) -> None:
        if guard not in ("every piece", "spaced pieces"):
            raise UsageError(f'guard is {guard!r}; expected "every piece" or "spaced pieces"')
        path = Path(model_file)
        content = read_model(path)
        processor = open_model(content, path)
        # The file is opened as it is first: only what is whole may get something appended.
        self.processor = processor if legacy else open_model(content + NO_DUMMY_PREFIX, path)
        self.legacy, self.guard = legacy, guard
        self.bos, self.eos, self.unk = (
            int(i) for i in (processor.bos_id(), processor.eos_id(), processor.unk_id())
        )
        self.pieces: list[str] = [processor.id_to_piece(i) for i in range(processor.get_piece_size())]
        self.unk_text = self.pieces[self.unk]
        self.guard_length = len(self.processor.encode(self.unk_text, out_type=str))

        control = [AddedToken(self.pieces[i], True, False, False) for i in (self.bos, self.eos, self.unk)]
        # A control token that is added again gets the manners it is given there.
        self.acting = {token.text: token for token in (*control, *added.tokens)}
        self.special = {text for text, token in self.acting.items() if token.special}
        self.bar_droppers = {text for text, token in self.acting.items() if token.drops_bar}
        self.own_words = {token.text for token in added.tokens}
        self.ids = {piece: i for i, piece in enumerate(self.pieces)}
        for token in added.tokens:
            if token.text not in self.ids:
                self.ids[token.text] = len(self.pieces)
                self.pieces.append(token.text)
        # Where one token begins another, the longer one is meant.
        longest_first = sorted(self.acting, key=len, reverse=True)
        self.boundary = re.compile("(" + "|".join(re.escape(text) for text in longest_first) + ")")
        self.later: dict[str, str] = {}  # what pieces write behind others, as far as it was needed

    def __len__(self) -> int:
        return len(self.pieces)

    def encode(self, text: str, bos: bool = True) -> list[int]:
        """Return the ids of ``text``, with the token that begins a sequence in front if ``bos``.

        Raises UsageError for empty text with ``legacy=False`` and the guard of every piece, where the old
        tokenizer failed too, and for text that has no UTF-8 form.
        """
        if not text and not self.legacy and self.guard == "every piece":
            raise UsageError("empty text has no ids with legacy=False; give some text or leave the call out")
        try:
            text.encode()
        except UnicodeEncodeError as fault:
            raise UsageError(f"text has half a character at {fault.start}; expected Unicode text") from fault
        ids = [self.ids.get(token, self.unk) for token in self.split(text)]
        return [self.bos, *ids] if bos else ids

    def encode_around(self, text: str, marker: str, marker_id: int, *, bos: bool = True) -> list[int]:
        """Return the ids of ``text`` with ``marker_id`` wherever ``marker`` stands.

        Each piece between markers is encoded on its own. If the first begins with the token that begins a
        sequence, this one stays and the first id of every piece is dropped. That is the rule of the published
        systems, word for word: with ``bos=False`` and text that spells the token out, the later pieces lose
        a token of their own.
        """
        if not marker:
            raise UsageError('the marker is empty; expected text such as "<image>"')
        pieces = [self.encode(piece, bos) if piece else [self.bos] * bos for piece in text.split(marker)]
        dropped = int(pieces[0][:1] == [self.bos])
        ids = pieces[0][:1] * dropped
        for i, piece in enumerate(pieces):
            ids += [marker_id] * (i > 0) + piece[dropped:]
        return ids

    def decode(self, ids: Iterable[int], skip_special: bool = True) -> str:
        """Return the text of ``ids``, added tokens set off by spaces, as transformers up to 4.33 wrote it.

        Raises UsageError for an id outside the vocabulary, such as the id of a marker.
        """
        tokens = [token for token in map(self.token, ids) if not (skip_special and token in self.special)]
        parts: list[str] = []
        for is_word, run in groupby(tokens, key=lambda token: token in self.own_words):
            texts = list(run)
            parts += texts if is_word else [self.spell(texts)]
        return " ".join(parts)

    def token(self, i: int) -> str:
        """Return the text of one id."""
        if not 0 <= i < len(self.pieces):
            raise UsageError(
                f"id {int(i)} is not of this vocabulary of {len(self.pieces):,} tokens; "
                "take markers out before decoding"
            )
        return self.pieces[i]

    def split(self, text: str) -> list[str]:
        """Return the tokens of ``text`` as texts, nothing put in front."""
        if not text:
            return []
        if not self.legacy:
            text = LOW_BAR + text.replace(LOW_BAR, " ")
        parts = self.boundary.split(text)  # text, token, text, …, text
        for i in range(1, len(parts), 2):
            if self.acting[parts[i]].eats_left:
                parts[i - 1] = parts[i - 1].rstrip()
            if self.acting[parts[i]].eats_right:
                parts[i + 1] = parts[i + 1].lstrip()
        tokens: list[str] = []
        for i, part in enumerate(parts):
            tokens += [part] if i % 2 else self.split_plain(part)
        bare = not self.legacy and len(tokens) > 1 and tokens[0] == LOW_BAR and tokens[1] in self.bar_droppers
        return tokens[1:] if bare else tokens

    def split_plain(self, text: str) -> list[str]:
        """Return the tokens of a piece of text without added or control tokens."""
        if not text:
            return []
        guarded = self.guard == "every piece" or text.startswith((LOW_BAR, " "))
        if self.legacy or not guarded:
            return list(self.processor.encode(text, out_type=str))
        # Fewer tokens than the guard has: a long piece of the vocabulary took it in, and nothing is dropped.
        tokens = list(self.processor.encode(self.unk_text + text, out_type=str))
        return tokens[self.guard_length :] if len(tokens) >= self.guard_length else tokens

    def spell(self, tokens: list[str]) -> str:
        """Return the text of tokens none of which is an added one."""
        first, *others = tokens
        text, run = "", []
        after_control = False
        for i, token in enumerate([first.removeprefix(LOW_BAR), *others]):
            if token not in self.special:
                run.append(token)
                after_control = False
                continue
            gap = " " if self.legacy and i > 0 and not after_control else ""
            text += gap + self.join(run) + token
            run, after_control = [], True
        return text + self.join(run)

    def join(self, tokens: list[str]) -> str:
        """Return what sentencepiece makes of its own pieces."""
        return str(self.processor.decode(tokens)) if tokens else ""


def read_model(path: Path) -> bytes:
    """Return the content of a model file of reasonable size."""
    if not path.is_file():
        raise MissingWeights(f"there is no tokenizer file {str(path)!r}; expected a sentencepiece model")
    with path.open("rb") as stream:
        content = stream.read(LARGEST_MODEL + 1)
    if len(content) > LARGEST_MODEL:
        raise BadWeights(
            f"{path} has more than {LARGEST_MODEL:,} bytes; no sentencepiece model is that large"
        )
    return content


def open_model(content: bytes, path: Path) -> Any:
    """Return the sentencepiece processor of a model file's content."""
    try:
        from sentencepiece import SentencePieceProcessor
    except ImportError as fault:
        raise UsageError(
            "this tokenizer needs the package sentencepiece; install it with `pip install sentencepiece`"
        ) from fault
    processor = SentencePieceProcessor()
    try:
        processor.LoadFromSerializedProto(content)
    except RuntimeError as fault:
        raise BadWeights(f"{path} is not a sentencepiece model, or it is damaged: {fault}") from fault
    if min(processor.bos_id(), processor.eos_id(), processor.unk_id()) < 0:
        raise BadWeights(
            f"{path} lacks a token for begin, end or unknown; expected a model of the Llama family"
        )
    return processor
