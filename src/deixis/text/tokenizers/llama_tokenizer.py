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
from itertools import groupby
from os import PathLike
from pathlib import Path
from typing import Literal

from deixis.errors import UsageError
from deixis.text.tokenizers.added_tokens import AddedToken, AddedTokens
from deixis.text.tokenizers.sentencepiece_file import open_model, read_model

LOW_BAR = "\u2581"
# A model file may repeat a field at its end, and the last value counts: normaliser, dummy prefix, off.
NO_DUMMY_PREFIX = b"\x1a\x02\x18\x00"

Guard = Literal["every piece", "spaced pieces"]
"""Which pieces of text ``legacy=False`` encodes behind the guard "<unk>", whose own tokens are then dropped.

"every piece": transformers up to 4.33 (Groma). Where the vocabulary has a piece such as ">.", it joins the
end of the guard and the first character of the text, and that character is lost. Empty text is an error.
"spaced pieces": later releases (ViP-LLaVA, Florence-VL); only a piece that begins with a space is guarded.
"""


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
