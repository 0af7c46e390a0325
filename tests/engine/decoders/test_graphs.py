"""Recorded steps on a GPU give what steps give that are not recorded."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from deixis.engine.batching.limits import BatchLimits
from deixis.engine.continuous import ContinuousDecoding
from deixis.engine.decoders.causal import CausalDecoder
from deixis.engine.decoders.graphs import PATIENCE, StepGraph, rounded
from deixis.engine.loop import Decoding
from tests.engine.answers import END, Recording, asked
from tests.engine.decoders.test_causal import tiny

gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.gpu
@gpu
@pytest.mark.parametrize("kind", ["llama-grouped", "gemma", "phi3"])
def test_recorded_steps_are_the_same(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = CausalDecoder(tiny(kind).cuda())

    def answers() -> list[tuple[int, ...]]:
        lengths = (30, 12, 21)
        requests = [
            asked(decoder, [3 + n, 4, 5], policy=Recording(never=(END,)), max_new_tokens=length)
            for n, length in enumerate(lengths)
        ]
        decoding = Decoding(decoder, requests)
        completions = decoding.completions()
        graphs = decoding.batch.store.graphs
        recorded.append(0 if graphs is None else len(graphs.graphs))
        return [completion.ids for completion in completions]

    recorded: list[int] = []
    fast = answers()
    monkeypatch.setattr(CausalDecoder, "_recorded", lambda *_, **__: None)
    assert answers() == fast
    assert recorded[0] > 1 and recorded[1] == 0, f"graphs: {recorded}, after {PATIENCE} steps of a shape"


class Repeated(StepGraph):
    """Stands for a recorded step where there is no CUDA: the same tensors that stay, computed each time."""

    def record(self) -> None:
        self.forward()

    def replay(self) -> Tensor:
        return self.forward().clone()


@pytest.mark.parametrize("shown", [None, 4])
def test_rounded_steps_leave_every_answer_as_it_is(
    monkeypatch: pytest.MonkeyPatch, shown: int | None
) -> None:
    """While others are read behind those that are written, join in the middle, and leave."""
    decoder = CausalDecoder(tiny("llama"))

    def answers() -> dict[int, tuple[int, ...]]:
        limits = BatchLimits(rows=8, cache_bytes=1 << 22, chunk=16, quiet_chunk=16)
        batch, done = ContinuousDecoding(decoder, limits=limits), {}
        waiting = [
            asked(
                decoder,
                [3 + n] * (4 + 9 * n),
                shown=shown,
                max_new_tokens=20 - n,
                policy=Recording(never=(END,)),
            )
            for n in range(8)
        ]
        while waiting or not batch.idle:
            if waiting and len(batch.members) < 5:
                batch.submit(waiting.pop(0))
            for event in batch.advance():
                if event.completion is not None:
                    done[event.number] = event.completion.ids
        recorded.append([] if batch.store.graphs is None else [key[0] for key in batch.store.graphs.graphs])
        return done

    recorded: list[list[int]] = []
    plain = answers()
    monkeypatch.setattr(CausalDecoder, "recorder", lambda *_: Repeated)
    assert answers() == plain and len(plain) == 8
    assert recorded[0] == [] and recorded[1] and all(rows == rounded(rows) for rows in recorded[1])
