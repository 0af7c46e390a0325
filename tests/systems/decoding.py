"""What the decoding loop makes of prompts, without the questions and answers around them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor

from deixis.engine.decoder import Decoder
from deixis.engine.decoders.causal import CausalDecoder
from deixis.engine.loop import Decoding
from deixis.engine.policy import Completion
from deixis.engine.settings import Settings
from deixis.systems.contract import System
from deixis.systems.prompt import Prompt


def decoded(system: System, prompts: Sequence[Prompt], **settings: Any) -> list[Completion]:
    """Return what a system writes to prompts, all of them as one batch; nothing of it is remembered."""
    return Decoding(system.decoder, system.requests(prompts, Settings(**settings))).completions()


@contextmanager
def reads_of(decoder: Decoder) -> Iterator[list[list[int]]]:
    """Note how many positions of each row a decoder reads, forward by forward; steps aside."""
    assert isinstance(decoder, CausalDecoder)
    noted: list[list[int]] = []

    def noting(read: Any) -> Any:
        def one(store: Any, rows: Sequence[int], vectors: Sequence[Tensor], **more: Any) -> Tensor:
            noted.append([len(one) for one in vectors])
            return read(store, rows, vectors, **more)

        return one

    ways = ("states", "_ragged")  # of rows that get equally many vectors, and of others
    for way in ways:
        setattr(decoder, way, noting(getattr(decoder, way)))
    try:
        yield noted
    finally:
        for way in ways:
            delattr(decoder, way)
