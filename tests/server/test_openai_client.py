"""The ordinary `openai` client, unchanged, asks the embedded model's network through a port."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest

from deixis.answers.grounded import Answer
from deixis.pictures.opening import open_picture
from deixis.regions.shapes import Box
from deixis.server.application import create_app
from deixis.server.guards.keys import Keys
from deixis.serving.engine import Engine
from deixis.systems.contract import System
from tests.server.asking import PICTURE, png, region, running, text, user
from tests.serving.serving import served
from tests.systems.pointer.tiny import tiny_system

KEY = "a-key-for-tests"


@pytest.fixture(scope="module")
def system() -> System:
    return tiny_system()


@pytest.fixture(scope="module")
def address(system: System) -> Iterator[str]:
    engine: Engine
    with served(system) as engine, running(create_app(engine, keys=Keys([KEY]))) as (address, _):
        yield address


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{address}/v1", api_key=KEY, max_retries=0) as client:
        yield client


MESSAGES: Any = [user(PICTURE, "What is ", region(box=[10, 5, 60, 40]), "?")]


def test_a_region_is_asked_about(client: openai.OpenAI, system: System) -> None:
    alone = system.ask(open_picture(png()), "What is {r1}?", r1=Box(10, 5, 60, 40), max_new_tokens=9)
    reply = client.chat.completions.create(model="tiny", messages=MESSAGES, max_tokens=9)
    message: Any = reply.choices[0].message
    assert message.content == alone.text
    assert [span["phrase"] for span in message.places] == [span.phrase for span in alone.spans]
    assert message.answer["raw"]["ids"] == list(alone.raw.ids if alone.raw else ())
    assert reply.choices[0].finish_reason == ("length" if alone.finish == "length" else "stop")
    assert reply.usage is not None and reply.usage.completion_tokens == len(message.answer["raw"]["ids"])
    assert reply.usage.prompt_tokens > 9  # the picture's positions count


def test_a_stream_is_the_same_answer(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="tiny", messages=MESSAGES, max_tokens=9)
    stream = client.chat.completions.create(
        model="tiny", messages=MESSAGES, max_tokens=9, stream=True, stream_options={"include_usage": True}
    )
    pieces = list(stream)
    deltas: list[Any] = [piece.choices[0].delta for piece in pieces if piece.choices]
    message: Any = whole.choices[0].message
    assert "".join(delta.content or "" for delta in deltas) == message.content
    places = [span for delta in deltas for span in getattr(delta, "places", None) or []]
    assert places == message.places
    assert {**deltas[-1].answer, "seconds": 0} == {**message.answer, "seconds": 0}
    assert pieces[-1].usage is not None and whole.usage is not None
    assert pieces[-1].usage.completion_tokens == whole.usage.completion_tokens


def test_fields_of_ours_go_in_the_extra_body(client: openai.OpenAI) -> None:
    reply = client.chat.completions.create(
        model="tiny", messages=MESSAGES, max_tokens=30, extra_body={"max_places": 0, "dialect": "own"}
    )
    message: Any = reply.choices[0].message
    assert message.places == [] and message.content == message.answer["raw"]["text"]


def test_sampling_is_honoured_and_seeded(client: openai.OpenAI) -> None:
    given: Any = {"model": "tiny", "messages": MESSAGES, "max_tokens": 12, "temperature": 1.5, "top_p": 0.95}
    texts = [
        client.chat.completions.create(**given, seed=seed, logprobs=True).choices[0] for seed in (1, 1, 2)
    ]
    assert texts[0].message.content == texts[1].message.content != texts[2].message.content
    assert texts[0].logprobs is not None and texts[0].logprobs.content
    assert all(token.logprob <= 0 for token in texts[0].logprobs.content)


def test_a_message_goes_back_as_it_came(client: openai.OpenAI, system: System) -> None:
    first = client.chat.completions.create(model="tiny", messages=MESSAGES, max_tokens=9)
    message: Any = first.choices[0].message
    dialogue = [*MESSAGES, message.model_dump(), {"role": "user", "content": "And where is it?"}]
    second: Any = client.chat.completions.create(model="tiny", messages=dialogue, max_tokens=9)
    picture = open_picture(png())
    before = system.ask(picture, "What is {r1}?", r1=Box(10, 5, 60, 40), max_new_tokens=9)
    alone: Answer = system.ask(picture, "And where is it?", before=[before], max_new_tokens=9)
    assert second.choices[0].message.content == alone.text
    assert second.choices[0].message.answer["raw"]["ids"] == list(alone.raw.ids if alone.raw else ())
    assert second.usage.prompt_tokens_details.cached_tokens > 0


def test_models_are_listed(client: openai.OpenAI) -> None:
    (model,) = client.models.list().data
    assert model.id == "tiny" and model.owned_by == "deixis"
    own: Any = client.models.retrieve("tiny")
    assert own.deixis["system"] == "pointer" and own.deixis["pictures_taken"] == [1, 1]


def test_errors_are_those_of_the_client(client: openai.OpenAI, address: str) -> None:
    create = client.chat.completions.create
    with pytest.raises(openai.NotFoundError, match="there is no model 'large'") as told:
        create(model="large", messages=MESSAGES)
    assert told.value.code == "UnknownModel"
    with pytest.raises(openai.BadRequestError, match="best_of is no field") as wrong:
        create(model="tiny", messages=MESSAGES, extra_body={"best_of": 3})
    assert wrong.value.param == "best_of"
    outside: Any = [user(PICTURE, region(box=[900, 900, 950, 950]))]
    with pytest.raises(openai.BadRequestError, match="lies outside the picture"):
        create(model="tiny", messages=outside)
    with (
        openai.OpenAI(base_url=f"{address}/v1", api_key="not-the-key", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError, match="not one of this server's"),
    ):
        stranger.models.list()


def test_a_client_that_knows_only_text_and_pictures(client: openai.OpenAI) -> None:
    messages: Any = [user(text("Describe the picture."), PICTURE)]
    reply = client.chat.completions.create(model="tiny", messages=messages, max_tokens=5, temperature=0, n=1)
    assert isinstance(reply.choices[0].message.content, str)


def test_leaving_a_stream_takes_the_question_back(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(model="tiny", messages=MESSAGES, max_tokens=500, stream=True)
    next(iter(stream))
    stream.close()
    reply = client.chat.completions.create(model="tiny", messages=MESSAGES, max_tokens=2)
    assert reply.choices[0].message.content is not None
