"""How one answer of the family is decoded: the words decide everything, held to sound boxes on request."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from deixis.answers.grounded import Finish
from deixis.engine.policy import Delta, Start, unguided
from deixis.systems.spliced.grammar.tokens import HeldToBoxes
from deixis.systems.spliced.reading import SplicedReader


class SplicedPolicy:
    """Decodes one answer; it ends with one of the reader's end tokens. held: to sound boxes, if it is."""

    places: Sequence[object] = ()
    words_decide = True  # so that an engine elsewhere may write the words

    def __init__(self, reader: SplicedReader, *, held: HeldToBoxes | None = None) -> None:
        self.reader, self.held = reader, held
        if held is not None:
            self.words_decide = False

    @property
    def ends(self) -> frozenset[int]:
        """The tokens that end an answer."""
        return self.reader.ends

    def start(self, logits: Tensor) -> Start:
        """Leave the beginning to the words."""
        return unguided()

    def forced(self, hidden: Tensor) -> Sequence[int]:
        """Force nothing."""
        return ()

    def constrain(self, logits: Tensor) -> Tensor:
        """Allow everything, or sound boxes only."""
        return logits if self.held is None else self.held.constrain(logits)

    def accept(self, token: int, logprob: float) -> Delta:
        """Take the next token."""
        if self.held is not None:
            self.held.accept(token)
        return self.reader.add(token, logprob, ())

    def close(self, finish: Finish) -> Delta:
        """Return what is left."""
        return self.reader.close(finish)
