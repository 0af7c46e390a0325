"""Earlier turns: to the letter where they are known, as words with their places where they are not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deixis.answers.grounded import Answer
from deixis.regions.shapes import Box, Point
from deixis.server.limits import ServerLimits
from tests.server.asking import PICTURE, Client, chat, data_url, png, region, shown, user


def turns(said: dict[str, Any], *asked: Any) -> dict[str, Any]:
    """Return a dialogue of two questions."""
    first = user(PICTURE, "What is ", region(point=[5, 6], name="dot"), "?")
    return {"messages": [first, {"role": "assistant", **said}, user(*(asked or ("And now?",)))]}


def test_an_answer_of_ours_comes_back_to_the_letter() -> None:
    client = Client()
    first = client.ask(chat("What is ", region(point=[5, 6], name="dot"), "?")).json()
    message = first["choices"][0]["message"]
    asked = client.asked({"messages": [*chat("What?")["messages"], message, user("And now?")]})
    (before,) = asked.before
    assert json.loads(before.to_json()) == message["answer"]
    assert before.question == "What is {dot}?" and before.raw is not None and before.raw.ids == (5, 6, 7)
    assert asked.question == "And now?" and len(asked.pictures) == 1


def test_words_alone_are_remembered_with_their_question() -> None:
    asked = Client().asked(turns({"content": "A dog."}))
    (before,) = asked.before
    assert before.text == "A dog." and before.spans == () and before.raw is None
    assert before.question == "What is {dot}?"
    assert dict(before.regions) == {"dot": Point(5, 6, frame=asked.pictures[0].frame)}
    assert before.pictures == asked.pictures


def test_words_with_places_are_remembered_with_these() -> None:
    span = {"start": 2, "end": 5, "phrase": "dog", "nowhere": False, "nowhere_score": None}
    span["places"] = [{"box": [1, 2, 30, 40], "score": 1}]
    (before,) = Client().asked(turns({"content": "A dog.", "places": [span]})).before
    assert before.spans[0].phrase == "dog"
    assert before.spans[0].places[0].box.as_tuple() == (1, 2, 30, 40)


def test_an_answer_that_does_not_say_its_question_gets_it() -> None:
    whole = {
        "text": "A dog.", "nowhere": False, "nowhere_score": None, "spans": [], "system": "fake",
        "picture": {"width": 80, "height": 60}, "seconds": 1,
    }  # fmt: skip
    (before,) = Client().asked(turns({"content": None, "answer": whole})).before
    assert before.question == "What is {dot}?" and dict(before.regions).keys() == {"dot"}


def test_a_picture_may_come_later() -> None:
    messages = [user("Hello?"), {"role": "assistant", "content": "Hello!"}, *chat("What?")["messages"]]
    asked = Client().asked({"messages": messages})
    assert asked.before[0].pictures == () and len(asked.pictures) == 1


def test_a_picture_shown_again_is_the_same() -> None:
    messages = [*chat("What?")["messages"], {"role": "assistant", "content": "A dog."}]
    question = user(PICTURE, shown(data_url(png(40, 30, seed=1))), region(box=[1, 2, 3, 4], picture=1))
    asked = Client().asked({"messages": [*messages, question]})
    assert [one.width for one in asked.pictures] == [80, 40]
    # Pictures are counted as they are shown: the second one is the first again.
    assert asked.regions == {"r1": Box(1, 2, 3, 4, frame=asked.pictures[0].frame)}


def wrong_answers() -> list[tuple[dict[str, Any], str, str]]:
    whole = Client().ask(chat("What?")).json()["choices"][0]["message"]["answer"]
    size = {"width": 81, "height": 60}
    other = whole["picture"] | {"digest": "00"}
    return [
        ({"answer": {}}, "MalformedAnswer", "messages[1].answer: the answer has the fields"),
        ({"answer": whole | {"text": "a"}}, "MalformedAnswer", "leaves the text"),
        ({"answer": whole | {"x": 1}}, "MalformedAnswer", "unknown: x"),
        ({"answer": whole | {"picture": size}}, "FrameMismatch", "a picture of 81 x 60"),
        ({"answer": whole | {"picture": other}}, "FrameMismatch", "another picture of 80 x 60"),
        ({"answer": whole | {"spans": [None]}}, "MalformedAnswer", "a span is an object"),
        ({"answer": whole | {"raw": {"text": "", "ids": ["a"]}}}, "MalformedAnswer", "whole number"),
        ({"answer": whole | {"seconds": 10**400}}, "MalformedAnswer", "seconds is a finite number"),
        ({"answer": whole | {"regions": {"a": {"box": [9, 9, 99, 99]}}}}, "MalformedAnswer", "sticks out"),
        ({"content": " "}, "UsageError", "messages[1] says nothing"),
        ({"content": "A dog.", "places": [{}]}, "MalformedAnswer", "messages[1].places: a span has"),
        ({"content": "A", "tool_calls": []}, "UsageError", "messages[1].tool_calls"),
    ]


@pytest.mark.parametrize(("said", "code", "message"), wrong_answers())
def test_what_cannot_have_been_said(said: dict[str, Any], code: str, message: str) -> None:
    error = Client().refused(turns(said))
    assert error["code"] == code and message in error["message"], error


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        ("a", "have to begin and to end with one of the user"),
        ("ua", "have to begin and to end"),
        ("auau", "have to begin"),
        ("uu", "messages[1] has the role 'user' as the one before it"),
        ("uaau", "messages[2] has the role 'assistant' as"),
    ],
)
def test_turns_come_in_turn(roles: str, message: str) -> None:
    names = {"u": "user", "a": "assistant"}
    messages = [{"role": names[role], "content": "Hello."} for role in roles]
    assert message in Client().refused({"messages": messages})["message"]


def test_messages_pictures_and_regions_are_bounded() -> None:
    client = Client(limits=ServerLimits(messages=2, pictures=1, regions=3))
    assert "at most 2 are taken" in client.refused(turns({"content": "A"}))["message"]
    other = shown(data_url(png(40, 30, seed=1)))
    assert "one picture too many" in client.refused({"messages": [user(PICTURE, other, "a")]})["message"]
    assert client.ask({"messages": [user(PICTURE, PICTURE, "a")]}).status_code == 200
    points = [region(point=[1, number]) for number in range(4)]
    assert client.ask(chat(*points[:3])).status_code == 200
    assert "points 4 times or more; at most 3" in client.refused(chat(*points))["message"]


def test_regions_of_all_turns_count() -> None:
    client = Client(limits=ServerLimits(regions=2))
    again = (region(point=[1, 1]), region(point=[2, 2]))
    assert "at most 1" in client.refused(turns({"content": "A."}, *again))["message"]


def test_an_answer_needs_its_pictures() -> None:
    whole = Client().ask(chat("What?")).json()["choices"][0]["message"]["answer"]
    messages = [user("Hello?"), {"role": "assistant", "answer": whole}, user("And?")]
    asked = Client().asked({"messages": messages})
    assert isinstance(asked.before[0], Answer)  # whether it fits the question is the engine's to say
