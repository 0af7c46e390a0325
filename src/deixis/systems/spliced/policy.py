"""How one answer of the family is decoded: the words decide everything."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from deixis.answers.grounded import Finish
from deixis.engine.policy import Delta, Start, unguided
from deixis.systems.spliced.reading import SplicedReader


class SplicedPolicy:
    """Decodes one answer; it ends with one of the reader's end tokens."""

    places: Sequence[object] = ()
    words_decide = True  # so that an engine elsewhere may write the words

    def __init__(self, reader: SplicedReader) -> None:
        self.reader = reader

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
        """Allow everything."""
        return logits

    def accept(self, token: int, logprob: float) -> Delta:
        """Take the next token."""
        return self.reader.add(token, logprob, ())

    def close(self, finish: Finish) -> Delta:
        """Return what is left."""
        return self.reader.close(finish)
