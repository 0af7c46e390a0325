"""Tokens added to a tokenizer, and what they do to the white space beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from deixis.errors import UsageError


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
