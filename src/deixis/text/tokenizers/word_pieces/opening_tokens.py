"""Tokens that an answer begins with: what the question is meant to get, and what it claims.

They are the last pieces that a vocabulary was made with, and entries like any other; but no text is split
into them, and only code and a network write them. A vocabulary without them is of a network that never learnt
to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

JUDGE, REFUSE, TELL = "judge", "refuse", "tell"
NAMES = ("where", "whether", "name", JUDGE, TELL, REFUSE)  # in the order of their ids
EITHER, CLAIMED = "<or>", "<claimed>"
PIECES = (*(f"<{name}>" for name in NAMES), EITHER, CLAIMED)


@dataclass(frozen=True)
class OpeningTokens:
    """The ids of opening tokens.

    intents: by name. either: stands between two claims. claimed: behind the last.

    >>> OpeningTokens.of(["a", "dog"]) is None, OpeningTokens.of(["a", *PIECES]).intents["where"]
    (True, 1)
    """

    intents: Mapping[str, int]
    either: int
    claimed: int

    @classmethod
    def of(cls, pieces: Sequence[str]) -> OpeningTokens | None:
        """Return the opening tokens of a vocabulary; None where it hasn't all of them."""
        ids = {piece: number for number, piece in enumerate(pieces) if piece in PIECES}
        if len(ids) < len(PIECES):
            return None
        return cls({name: ids[f"<{name}>"] for name in NAMES}, ids[EITHER], ids[CLAIMED])

    @cached_property
    def ids(self) -> frozenset[int]:
        """All of them."""
        return frozenset((*self.intents.values(), self.either, self.claimed))

    def intent(self, token: int) -> str | None:
        """Return the intent that a token says; None for any other token."""
        return next((name for name, number in self.intents.items() if number == token), None)
