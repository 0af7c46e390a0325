"""Recorded steps on a GPU give what steps give that are not recorded."""

from __future__ import annotations

import pytest
import torch

from deixis.engine.decoder import CausalDecoder
from deixis.engine.graphs import PATIENCE
from deixis.engine.loop import Decoding
from tests.engine.answers import END, Recording, asked
from tests.engine.test_decoder import tiny

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
    monkeypatch.setattr(CausalDecoder, "_graph", lambda *_, **__: None)
    assert answers() == fast
    assert recorded[0] > 1 and recorded[1] == 0, f"graphs: {recorded}, after {PATIENCE} steps of a shape"
