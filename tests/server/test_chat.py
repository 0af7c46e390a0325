"""Requests become questions to the engine, answers become replies."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from deixis.answers.grounded import answer_schema
from deixis.engine.settings import Settings
from deixis.errors import (
    BadWeights,
    DeadlinePassed,
    EngineStopped,
    ModelFailed,
    QueueFull,
    TooLarge,
    UnknownModel,
    UsageError,
)
from deixis.regions.rle import compress, encode_runs
from deixis.regions.shapes import Box, Mask, Point, Polygon, Scribble
from tests.server.asking import PICTURE, Client, chat, data_url, png, region, shown, text, user


def test_a_reply_has_the_text_its_places_and_the_whole_answer() -> None:
    client = Client()
    reply = client.ask(chat("What is it?")).json()
    assert reply["object"] == "chat.completion" and reply["model"] == "fake"
    (choice,) = reply["choices"]
    assert choice["finish_reason"] == "stop" and choice["logprobs"] is None
    message = choice["message"]
    assert message["role"] == "assistant" and message["content"] == "A dog."
    assert message["places"] == message["answer"]["spans"]
    assert message["places"][0]["places"] == [{"box": [1, 2, 30, 40], "score": 0.75}]
    jsonschema.validate(message["answer"], answer_schema())
    assert reply["usage"] == {
        "prompt_tokens": 70,
        "completion_tokens": 3,
        "total_tokens": 73,
        "prompt_tokens_details": {"cached_tokens": 64},
    }


def test_a_region_is_meant_where_it_stands() -> None:
    asked = Client().asked(
        chat("Is ", region(box=[1, 2, 30, 40]), " left of ", region(point=[50, 20], name="dot"), "?")
    )
    assert asked.question == "Is {r1} left of {dot}?"
    frame = asked.pictures[0].frame
    assert asked.regions == {"r1": Box(1, 2, 30, 40, frame=frame), "dot": Point(50, 20, frame=frame)}
    assert asked.model is None and asked.before == ()


MASK = {"size": [60, 80], "counts": compress([10, 20, 4770])}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"box": [8, 6, 40, 30]}, Box(8, 6, 40, 30)),
        ({"box": [0.1, 0.1, 0.5, 0.5], "frame": "unit"}, Box(8, 6, 40, 30)),
        ({"box": [100, 100, 500, 500], "frame": "thousandths"}, Box(8, 6, 40, 30)),
        ({"point": [3, 4], "frame": "pixels"}, Point(3, 4)),
        ({"polygon": [[0, 0], [8, 0], [8, 6]]}, Polygon([(0, 0), (8, 0), (8, 6)])),
        ({"scribble": [[500, 500]], "frame": "thousandths"}, Scribble([(40, 30)])),
        ({"mask": MASK}, Mask((10, 20, 4770), 60, 80)),
        ({"mask": {"size": [60, 80], "counts": [10, 20, 4770]}}, Mask((10, 20, 4770), 60, 80)),
        ({"box": [8, 6, 90, 30]}, Box(8, 6, 80, 30)),  # cut at the edge
    ],
)
def test_every_shape_in_every_frame(given: dict[str, Any], expected: Any) -> None:
    with pytest.warns() if given == {"box": [8, 6, 90, 30]} else no_warning():
        asked = Client().asked(chat("What is ", region(**given), "?"))
    assert asked.regions["r1"] == expected.bind(asked.pictures[0].frame)


def no_warning() -> Any:
    from contextlib import nullcontext

    return nullcontext()


def test_one_region_may_be_meant_twice_and_names_stay_free() -> None:
    asked = Client().asked(
        chat(region(point=[1, 1], name="r1"), region(point=[2, 2]), region(point=[1, 1], name="r1"))
    )
    assert asked.question == "{r1}{r2}{r1}" and set(asked.regions) == {"r1", "r2"}


def test_words_of_several_parts_begin_on_lines_of_their_own() -> None:
    asked = Client().asked({"messages": [user("Look.", PICTURE, "What is it?", " Tell ", "me.")]})
    assert asked.question == "Look.\nWhat is it? Tell me."


def test_braces_are_words() -> None:
    asked = Client().asked(chat("What does {it} and {{x}} mean?"))
    assert asked.question == "What does {{it}} and {{{{x}}}} mean?"


def test_text_alone_is_a_question_too() -> None:
    asked = Client().asked({"messages": [{"role": "user", "content": "Hello?"}]})
    assert asked.question == "Hello?" and asked.pictures == ()


def test_regions_in_several_pictures() -> None:
    other = shown(data_url(png(40, 30, seed=1)))
    asked = Client().asked(
        {
            "messages": [
                user(
                    PICTURE, other, PICTURE, region(point=[3, 3], picture=1), region(point=[3, 3], picture=2)
                )
            ]
        }
    )
    first, second = asked.pictures  # the third part shows the first once more
    assert asked.regions == {"r1": Point(3, 3, frame=second.frame), "r2": Point(3, 3, frame=first.frame)}


def test_settings_are_honoured() -> None:
    given = {
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 7,
        "stop": ["\n", "dog"],
        "max_completion_tokens": 12,
        "logprobs": True,
        "max_places": 2,
        "grammar": True,
    }
    asked = Client().asked(chat("What?", **given, model="other", n=1, user="me", frequency_penalty=0))
    assert asked.model == "other"
    assert asked.settings == Settings(
        temperature=0.5,
        top_p=0.9,
        seed=7,
        stop=("\n", "dog"),
        max_new_tokens=12,
        logprobs=True,
        max_places=2,
        grammar=True,
    )


def test_null_is_absent_and_the_answer_greedy() -> None:
    nothing = dict.fromkeys(
        ("temperature", "top_p", "seed", "stop", "max_tokens", "stream", "model", "tools")
    )
    nothing.pop("tools")
    assert Client().asked(chat("What?", **nothing)).settings == Settings()


def test_the_log_probability_of_each_token() -> None:
    choice = Client().ask(chat("What?", logprobs=True)).json()["choices"][0]
    told = [(one["token"], one["logprob"]) for one in choice["logprobs"]["content"]]
    assert told == [("token_id:5", -0.5), ("token_id:6", -0.25), ("token_id:7", -0.125)]


def test_the_own_dialect_for_those_who_ask() -> None:
    message = Client().ask(chat("What?", dialect="own")).json()["choices"][0]["message"]
    assert message["content"] == "A <p>dog</p>." and message["answer"]["text"] == "A dog."


def test_the_longest_answer_is_bounded() -> None:
    from deixis.server.limits import ServerLimits

    client = Client(limits=ServerLimits(tokens=20))
    assert client.asked(chat("What?")).settings.max_new_tokens == 20
    error = client.refused(chat("What?", max_tokens=21))
    assert error["param"] == "max_tokens" and "gives at most 20" in error["message"]


@pytest.mark.parametrize(
    ("wrong", "param", "message"),
    [
        ({"n": 2}, "n", "n is 2; it should be less than or equal to 1"),
        ({"best_of": 1}, "best_of", "best_of is no field that is known here"),
        ({"tools": []}, "tools", "tools is no field"),
        ({"frequency_penalty": 0.5}, "frequency_penalty", "is 0.5; it should be less than or equal to 0"),
        ({"logit_bias": {"5": 1}}, "logit_bias", "logit_bias is an object; it should have at most 0"),
        ({"temperature": "0"}, "temperature", "temperature is '0'; it should be a valid number"),
        ({"temperature": -1}, "temperature", "greater than or equal to 0"),
        ({"seed": 1.5}, "seed", "seed is 1.5; it should be a valid integer"),
        ({"seed": 2**80}, "seed", "less than or equal to"),
        ({"stream": 1}, "stream", "stream is 1; it should be a valid boolean"),
        ({"stop": [""]}, "stop[0]", "stop"),
        ({"stop": ["a"] * 17}, "stop", "stop is a list of 17"),
        ({"max_tokens": 5, "max_completion_tokens": 6}, "max_tokens", "they mean the same"),
        ({"messages": []}, "messages", "messages is a list of 0; it should have at least 1 item"),
        ({"messages": "What?"}, "messages", "it should be a valid list"),
        ({"messages": [{"role": "tool", "content": ""}]}, "messages[0]", "has the role 'tool'; expected one"),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "messages[0].content is missing"),
        ({"messages": [user("a", {"type": "audio"})]}, "messages[0].content[1]", "has the type 'audio'"),
        ({"messages": [user({"type": "text"})]}, "messages[0].content[0].text", "is missing"),
        (
            {"messages": [user({"type": "text", "text": "a", "size": 3})]},
            "messages[0].content[0].size",
            "is no field that is known",
        ),
        ({"response_format": {"type": "json_object"}}, "response_format.type", "it should be 'text'"),
        ({"dialect": "raw"}, "dialect", "it should be 'plain' or 'own'"),
    ],
)
def test_what_is_no_field_is_refused_by_name(wrong: dict[str, Any], param: str, message: str) -> None:
    client = Client()
    error = client.refused(chat("What?") | wrong)
    assert error["param"] == param and message in error["message"], error
    assert error["code"] == "UsageError" and error["type"] == "invalid_request_error"
    assert not client.engine.asked


@pytest.mark.parametrize(
    ("part", "code", "message"),
    [
        (region(box=[1, 2, 3]), "BadRegion", "messages[0].content[1].region is [1, 2, 3]; expected 4 finite"),
        (region(box=[5, 5, 1, 1]), "BadRegion", "needs x0 < x1"),
        (region(box=[100, 100, 200, 200]), "BadRegion", "lies outside the picture"),
        (region(box=[1, 2, 3, 4], point=[1, 2]), "BadRegion", "exactly one of box"),
        (region(circle=[1, 2, 3]), "BadRegion", "exactly one of box"),
        (region(), "BadRegion", "exactly one of box"),
        (region(box=[1, 2, 3, 4], frame="inches"), "BadRegion", 'the frame "inches"; expected one of pixels'),
        (region(box=[1, 2, 3, 4], frame=[]), "BadRegion", "the frame []"),
        (region(box=[5, 5, 9, 9], frame="unit"), "BadRegion", "is it frame 'pixels'?"),
        (region(mask=MASK, frame="unit"), "BadRegion", "a mask is always in pixels"),
        (region(mask={"size": [60, 81], "counts": "04"}), "BadRegion", "mask"),
        (region(mask={"size": [10**9, 10**9], "counts": "04"}), "BadRegion", "mask"),
        (
            region(box=[1, 2, 3, 4], picture=1),
            "BadRegion",
            "in picture 1, but up to its question 1 were shown",
        ),
        (region(box=[1, 2, 3, 4], picture=True), "BadRegion", "has the picture true"),
        (region(box=[1, 2, 3, 4], name="2x"), "BadRegion", 'is called "2x"; expected'),
        (region(box=[1, 2, 3, 4], name=None), "BadRegion", "is called missing or null"),
        (region(box=[1, 2, 3, 1e999]), "BadRegion", "finite"),
        (region(polygon=[[0, 0]] * 20_001), "BadRegion", "3 to 20000 points"),
        ({"type": "region", "region": [1]}, "UsageError", "messages[0].content[1].region is a list of 1"),
    ],
)
def test_what_is_no_region_is_said(part: dict[str, Any], code: str, message: str) -> None:
    import json

    client = Client()
    body = json.dumps(chat(part, "?")).replace("Infinity", "1e999")
    reply = client.post("/v1/chat/completions", content=body, headers={"Content-Type": "application/json"})
    error = reply.json()["error"]
    assert reply.status_code == 400 and error["code"] == code and message in error["message"], error


def test_two_regions_of_one_name_are_refused() -> None:
    parts = (region(point=[1, 1], name="a"), region(point=[2, 2], name="a"))
    assert "give it its own name" in Client().refused(chat(*parts))["message"]


def test_a_region_without_a_picture_is_refused() -> None:
    error = Client().refused({"messages": [user("What is ", region(point=[1, 1]), "?")]})
    assert "up to its question 0 were shown" in error["message"]


@pytest.mark.parametrize(
    ("fault", "status", "code", "after"),
    [
        (UnknownModel("there is no model 'x'"), 404, "UnknownModel", None),
        (TooLarge("too long"), 400, "TooLarge", None),
        (UsageError("max_new_tokens"), 400, "UsageError", None),
        (QueueFull("9 wait", retry_after=2.2), 503, "QueueFull", "3"),
        (EngineStopped("it is closed"), 503, "EngineStopped", None),
        (DeadlinePassed("late"), 504, "DeadlinePassed", None),
        (ModelFailed("it stopped"), 503, "ModelFailed", "1"),
        (BadWeights("no such tensor"), 500, "BadWeights", None),
    ],
)
@pytest.mark.parametrize("told", ["refusal", "failure"])
def test_what_the_engine_says_has_its_status(
    fault: Any, status: int, code: str, after: str | None, told: str
) -> None:
    client = Client()
    setattr(client.engine, told, fault)
    for streamed in (False, True):
        reply = client.ask(chat("What?", stream=streamed))
        assert reply.status_code == status, reply.text
        assert reply.json()["error"]["code"] == code
        assert reply.json()["error"]["message"] == str(fault).replace("max_new_tokens", "max_tokens")
        assert reply.headers.get("retry-after") == after


def test_what_nobody_expects_is_told_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    client = Client()
    client.engine.refusal = RuntimeError("a secret")
    error = client.refused(chat("What?"), 500)
    assert error["type"] == "server_error" and "secret" not in error["message"]
    assert "a request failed" in caplog.text


def test_a_mask_comes_through_whole() -> None:
    import numpy as np

    pixels = np.zeros((60, 80), dtype=bool)
    pixels[10:30, 20:50] = True
    mask = {"size": [60, 80], "counts": compress(encode_runs(pixels))}
    asked = Client().asked(chat("What is ", region(mask=mask), "?"))
    assert (asked.regions["r1"].rasterise() == pixels).all()


def test_messages_that_say_nothing() -> None:
    client = Client()
    system = {"role": "system", "content": ""}
    assert client.asked({"messages": [system, *chat("What?")["messages"]]}).question == "What?"
    error = client.refused({"messages": [system | {"content": [text("Be brief.")]}, *chat("a")["messages"]]})
    assert "role 'system'" in error["message"] and "say it in the question" in error["message"]
