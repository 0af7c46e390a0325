"""What many prompts try out, read as branches behind each of them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from deixis.engine.decoders.causal import CausalDecoder
from deixis.engine.decoders.masks import Trees
from deixis.engine.loop import Decoding
from deixis.engine.policy import Probe
from deixis.engine.starting import LEAST_BRANCHING
from tests.engine.answers import asked, embedded, logits_anew
from tests.engine.decoders.test_causal import KINDS, SWITCH, alone, drawn, tiny
from tests.engine.test_loop import trying

TREE = [-1, 0, 0, 1, -1]  # a, then b or c behind it, d behind b; and e beside a
PATHS = {0: [0], 1: [0, 1], 2: [0, 2], 3: [0, 1, 3], 4: [4]}


@pytest.mark.parametrize("kind", KINDS)
def test_each_branch_is_read_as_if_it_were_the_only_one(kind: str) -> None:
    model = tiny(kind)
    decoder = CausalDecoder(model)
    prompts, tries = [drawn(count) for count in (3, 9)], torch.stack([drawn(5), drawn(5)])
    store = decoder.new_store(2, 16)
    rows = store.add(2)
    decoder.read(store, rows, prompts)
    trees = Trees.of([TREE, TREE[:3]])
    states = decoder.branches(store, rows, tries, trees)
    for row, (prompt, count) in enumerate(zip(prompts, (5, 3), strict=True)):
        for place in range(count):
            expected = alone(model, torch.cat([prompt, tries[row, PATHS[place]]]))[-1]
            torch.testing.assert_close(states[row, place], expected, atol=1e-4, rtol=1e-4)
    assert store.lengths == [3, 9], "nothing of it is kept"
    then = drawn(2)
    hidden = decoder.step(store, rows, then)
    for row, prompt in enumerate(prompts):
        expected = alone(model, torch.cat([prompt, then[row : row + 1]]))[-1]
        torch.testing.assert_close(hidden[row], expected, atol=1e-4, rtol=1e-4)


def many(decoder: CausalDecoder, probes: list[Probe], *, ids: int, answer: int = 6, shown: int | None = None):
    heard: list[list[Tensor]] = [[] for _ in range(LEAST_BRANCHING)]
    requests = [
        asked(
            decoder,
            [3 + number, *[7] * ids],
            shown=shown,
            policy=trying(probes, probes[:1], heard=own),
            max_new_tokens=answer,
        )
        for number, own in enumerate(heard)
    ]
    Decoding(decoder, requests).completions()
    return requests, heard


@pytest.mark.parametrize("shown", [None, 4])
@pytest.mark.parametrize("case", ["in the row", "another prompt", "no room"])
def test_many_prompts_hear_what_each_would_hear_alone(
    monkeypatch: pytest.MonkeyPatch, shown: int | None, case: str
) -> None:
    decoder = CausalDecoder(tiny("llama"))
    probes = [Probe((5,)), Probe((5, 6)), Probe((7, 6)), Probe((5,))]
    if case == "another prompt":
        probes.append(Probe((5,), embedded(decoder, [9, 9], shown=shown)))
    counted: list[int] = []
    real = decoder.branches

    def counting(store, rows, *given, **more):  # type: ignore[no-untyped-def]
        counted.append(len(rows))
        return real(store, rows, *given, **more)

    monkeypatch.setattr(decoder, "branches", counting)
    requests, heard = many(decoder, probes, ids=2, answer=2 if case == "no room" else 6, shown=shown)
    both, second = [LEAST_BRANCHING] * 2, [LEAST_BRANCHING]
    assert counted == {"in the row": both, "another prompt": second, "no room": second}[case]
    for request, own in zip(requests, heard, strict=True):
        for tried, answer in zip((probes, probes[:1]), own, strict=True):
            expected = [logits_anew(decoder, one.instead or request.embedded, one.tokens) for one in tried]
            torch.testing.assert_close(answer, torch.stack(expected), atol=1e-4, rtol=1e-4)


def test_what_would_cross_the_switch_is_read_anew_on_forks() -> None:
    decoder = CausalDecoder(tiny("phi3-long"))
    requests, heard = many(decoder, [Probe((5, 6)), Probe((7,))], ids=SWITCH - 2)
    assert len(requests[0].embedded) == SWITCH - 1
    for request, own in zip(requests, heard, strict=True):
        expected = [logits_anew(decoder, request.embedded, tokens) for tokens in ((5, 6), (7,))]
        torch.testing.assert_close(own[0], torch.stack(expected), atol=1e-4, rtol=1e-4)
