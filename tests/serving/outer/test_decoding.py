"""Answers through an outer engine are those of the decoding loop here; what can't be is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch

from deixis.client.server import Server
from deixis.engine.continuous import Broken
from deixis.engine.loop import Decoding
from deixis.engine.settings import Settings
from deixis.errors import EndpointError, UsageError
from deixis.regions.shapes import Box, Point
from deixis.serving.engine import Asked, Engine, Models
from deixis.serving.outer.decoding import OuterDecoding
from deixis.systems.contract import System
from deixis.systems.prompt import Prepared
from deixis.systems.questions import checked_question
from tests.serving.outer.fake_engine import FakeEngine, running
from tests.systems.ferret.tiny import fresh_ferret, fresh_ferret_v2
from tests.systems.groma.tiny import fresh_groma
from tests.systems.pointer.tiny import noise_picture, tiny_system
from tests.systems.vip_llava.tiny import fresh_vip_llava

QUESTIONS = (
    ("what is {it}?", {"it": Box(5, 6, 40, 50)}),
    ("where is the dog and the cat?", {}),
    ("describe {a} and {b}", {"a": Point(5, 6), "b": Box(1, 2, 30, 30)}),
)


@pytest.fixture(scope="module")
def ferret() -> System:
    return fresh_ferret()


@pytest.fixture
def fake(ferret: Any) -> Iterator[FakeEngine]:
    with running(ferret.network.language) as engine:
        yield engine


def prepared(system: System, settings: Settings) -> list[Prepared]:
    picture = noise_picture()
    asked = [checked_question(text, regions, picture) for text, regions in QUESTIONS]
    return system.prepare(asked, settings)


def outer(fake: FakeEngine, **changes: Any) -> OuterDecoding:
    return OuterDecoding(Server(fake.address, timeout=20.0, **changes), model="llama")


@pytest.mark.parametrize("fresh", [fresh_ferret, fresh_ferret_v2, fresh_vip_llava])
@pytest.mark.parametrize(
    "settings",
    [Settings(max_new_tokens=12), Settings(max_new_tokens=40, stop=("e",)), Settings(max_places=1)],
)
def test_greedy_answers_are_those_of_the_loop_here(fresh: Any, settings: Settings) -> None:
    system = fresh()
    local = Decoding(system.decoder, [one.request for one in prepared(system, settings)]).completions()
    again = prepared(system, settings)
    with running(system.network.language) as fake:
        written = outer(fake).completions([one.request for one in again])
    assert [one.ids for one in written] == [one.ids for one in local]
    assert [one.finish for one in written] == [one.finish for one in local]
    for one, other in zip(written, local, strict=True):
        assert torch.tensor(one.logprobs).allclose(torch.tensor(other.logprobs), atol=1e-4)
    for one, mine, other in zip(again, written, local, strict=True):
        assert system.answered(one, mine, seconds=0).text == system.answered(one, other, seconds=0).text


def test_deltas_together_are_the_answer(ferret: System, fake: FakeEngine) -> None:
    (one, *_) = prepared(ferret, Settings(max_new_tokens=12))
    decoding, text = outer(fake), ""
    decoding.submit(one.request)
    completion = None
    while not decoding.idle:
        for event in decoding.advance():
            assert not isinstance(event, Broken)
            text, completion = text + event.delta.text, event.completion
    assert completion is not None
    assert text == ferret.answered(one, completion, seconds=0).text


def test_what_is_sent(ferret: Any, fake: FakeEngine) -> None:
    (one, *_) = prepared(ferret, Settings(max_new_tokens=3, temperature=0.5, top_p=0.9, seed=4))
    outer(fake).completions([one.request])
    assert fake.requests == [
        {
            "model": "llama", "max_tokens": 3, "temperature": 0.5, "top_p": 0.9, "seed": 4, "logprobs": 1,
            "stop_token_ids": sorted(ferret.ends), "return_token_ids": True, "stream": True,
        }
    ]  # fmt: skip


def test_a_cancelled_answer_ends_with_what_there_is(ferret: System, fake: FakeEngine) -> None:
    (one, *_) = prepared(ferret, Settings(max_new_tokens=800))
    decoding = outer(fake)
    ticket = decoding.submit(one.request)
    while fake.written < 3:
        decoding.advance()
    decoding.cancel(ticket)
    (event,) = (event for event in decoding.advance() if event.number == ticket)
    assert not isinstance(event, Broken) and event.completion is not None
    assert event.completion.finish == "cancelled" and event.completion.ids
    assert decoding.idle and decoding.advance() == []


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ({"breaks_after": 2}, "broke off before its end"),
        ({"stops_early": 2}, r"ended an answer \(stop\) after 2 of 12 tokens"),
        ({"without_ids": True}, "says no token_ids"),
    ],
)
def test_an_answer_that_breaks_off_is_an_error_of_its_own(
    ferret: System, fake: FakeEngine, trouble: dict[str, Any], said: str
) -> None:
    for name, value in trouble.items():
        setattr(fake, name, value)
    (one, *_) = prepared(ferret, Settings(max_new_tokens=12))
    with pytest.raises(EndpointError, match=said):
        outer(fake).completions([one.request])


def test_an_engine_that_is_not_there_or_has_another_model(ferret: System, fake: FakeEngine) -> None:
    (one, *_) = prepared(ferret, Settings(max_new_tokens=2))
    with pytest.raises(UsageError, match="The model does not exist"):
        OuterDecoding(Server(fake.address), model="gpt").completions([one.request])
    gone = OuterDecoding(Server("http://127.0.0.1:9", program="vllm serve"), model="llama")
    with pytest.raises(EndpointError, match="start one with vllm serve"):
        gone.completions([one.request])


@pytest.mark.parametrize("fresh", [tiny_system, fresh_groma])
def test_systems_that_need_more_than_words_are_refused(fresh: Any, fake: FakeEngine) -> None:
    system = fresh()
    picture = noise_picture()
    (one,) = system.prepare([checked_question("where is the dog?", {}, picture)], Settings())
    with pytest.raises(UsageError, match="an outer engine can't answer this: this system looks at"):
        outer(fake).submit(one.request)
    assert not fake.requests


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"prefix": 2}, "see each other in both directions"),
        ({"key_bias": torch.zeros(1)}, "attended to more or less"),
    ],
)
def test_prompts_that_need_another_attention_are_refused(
    ferret: System, fake: FakeEngine, change: dict[str, Any], said: str
) -> None:
    (one, *_) = prepared(ferret, Settings())
    with pytest.raises(UsageError, match=said):
        outer(fake).submit(replace(one.request, embedded=replace(one.request.embedded, **change)))


def test_a_grammar_is_refused(ferret: System, fake: FakeEngine) -> None:
    (one, *_) = prepared(ferret, Settings())
    with pytest.raises(UsageError, match="a grammar of places rules tokens out"):
        outer(fake).submit(replace(one.request, settings=Settings(grammar=True)))


def test_it_stands_behind_the_engine_that_serves(ferret: System, fake: FakeEngine) -> None:
    picture, settings = noise_picture(), Settings(max_new_tokens=12)
    models = Models({"ferret": ferret}, elsewhere={"ferret": outer(fake)})
    with Engine(models) as engine:
        answers = [
            engine.ask(Asked(None, (picture,), text, regions=regions, settings=settings))
            for text, regions in QUESTIONS
        ]
        assert engine.statistics().work.tokens_written >= len(QUESTIONS)
        fake.breaks_after = 1
        with pytest.raises(EndpointError, match="broke off"):
            engine.ask(Asked(None, (picture,), "what is it?", settings=settings))
        assert engine.alive
    local = [ferret.ask(picture, text, regions=regions, max_new_tokens=12) for text, regions in QUESTIONS]
    assert [answer.text for answer in answers] == [answer.text for answer in local]
    assert fake.requests
