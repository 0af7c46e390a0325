"""Which tokens of a tokenizer keep to the grammar of boxes."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from deixis.errors import UsageError
from deixis.systems.spliced.grammar.boxes import LONGEST, OUTSIDE, BoxGrammar, Inside, State
from deixis.text.prompt_tokens import TextCodec

KEPT = 4096  # states whose tokens are remembered


class BoxTokens:
    """The tokens of a tokenizer by what they write in and around brackets; made once for a tokenizer.

    UsageError: it can't spell boxes.
    """

    def __init__(self, codec: TextCodec, grammar: BoxGrammar) -> None:
        self.grammar = grammar
        self.texts = token_texts(codec)
        self.opening = [number for number, text in enumerate(self.texts) if "[" in text]
        letters = grammar.letters
        self.inner = [
            number
            for number, text in enumerate(self.texts)
            if text and set(text.partition("]")[0]) <= letters
        ]
        spelt = {self.texts[number] for number in self.inner}
        missing = [one for one in sorted({*letters, "]"} - {" "}) if one not in spelt]
        if missing or not self.opening:
            named = ", ".join(map(repr, missing or ["["]))
            raise UsageError(
                f"the tokenizer has no token of its own for {named}: answers can't be held to a grammar; "
                "leave grammar out"
            )
        self.allowed = lru_cache(maxsize=KEPT)(self._allowed)
        self.unsound = frozenset(
            one for one in self.opening if grammar.after(OUTSIDE, self.texts[one]) is None
        )

    def _allowed(self, state: Inside) -> tuple[int, ...]:
        """Return the tokens that may come next in a bracket."""
        return tuple(one for one in self.inner if self.grammar.after(state, self.texts[one]) is not None)


def token_texts(codec: TextCodec) -> tuple[str, ...]:
    """Return what each token writes behind another one; special tokens write nothing."""
    before = codec.encode("a", begin=False)
    known = codec.decode(before)
    return tuple(codec.decode([*before, token])[len(known) :] for token in range(len(codec)))


class HeldToBoxes:
    """The state of one answer. most: how many boxes it may have; room: how many tokens, all in all."""

    def __init__(self, tokens: BoxTokens, *, most: int | None, room: int) -> None:
        self.tokens, self.most, self.left = tokens, most, room
        self.state: State = OUTSIDE
        self.boxes = 0

    def constrain(self, logits: Tensor) -> Tensor:
        """Return logits (V,) with minus infinity for tokens that would write what is no box.

        No answer ends in a bracket, and no box is begun that there are too few tokens left for.
        """
        texts = self.tokens.texts
        if isinstance(self.state, Inside):
            allowed = [one for one in self.tokens.allowed(self.state) if self.has_room(texts[one])]
            kept = torch.tensor(allowed, device=logits.device)
            return torch.full_like(logits, float("-inf")).index_copy(0, kept, logits[kept])
        unsound = self.tokens.unsound
        never = [one for one in self.tokens.opening if one in unsound or not self.has_room(texts[one])]
        if not never:
            return logits
        return logits.index_fill(0, torch.tensor(never, device=logits.device), float("-inf"))

    def has_room(self, text: str) -> bool:
        """Tell whether the boxes that a text begins are not too many, and can be finished."""
        count = text.count("[")
        if not count:
            return True
        return self.left >= LONGEST and (self.most is None or self.boxes + count <= self.most)

    def accept(self, token: int) -> None:
        """Take the next token."""
        self.left -= 1
        text = self.tokens.texts[token] if token < len(self.tokens.texts) else ""
        self.boxes += text.count("[")
        after = self.tokens.grammar.after(self.state, text)
        assert after is not None, f"{text!r} can't follow {self.state}"
        self.state = after
