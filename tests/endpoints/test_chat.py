"""Requests with pictures, and what is read of an answer."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from deixis.endpoints.chat import LARGEST_PICTURE, ChatRequest, ShownPicture, Usage, reply_of, usage_of
from deixis.errors import EndpointError, UsageError

PICTURE = ShownPicture(b"\xff\xd8 not quite a picture")


def test_pictures_travel_as_data_addresses_and_are_kept_as_digests() -> None:
    request = ChatRequest("m", (("system", "Look."), ("user", ("first", PICTURE, "then"))))
    system, user = request.to_dict()["messages"]
    assert system == {"role": "system", "content": "Look."}
    first, picture, then = user["content"]
    assert (first, then) == ({"type": "text", "text": "first"}, {"type": "text", "text": "then"})
    head, _, encoded = picture["image_url"]["url"].partition(",")
    assert head == "data:image/jpeg;base64" and base64.b64decode(encoded) == PICTURE.encoded
    kept = request.to_dict(pictures=False)["messages"][1]["content"]
    assert kept[1]["image_url"]["url"] == f"sha256:{PICTURE.digest}"
    assert request.to_dict(pictures=False) != request.to_dict()


@pytest.mark.parametrize("content", [(), (1,), None, ("a", b"bytes")])
def test_content_that_is_none(content: Any) -> None:
    with pytest.raises(UsageError, match="all strings"):
        ChatRequest("m", (("user", content),))


def test_pictures_are_bounded() -> None:
    for encoded in (b"", bytes(LARGEST_PICTURE + 1)):
        with pytest.raises(UsageError, match="make it smaller"):
            ShownPicture(encoded)


def choice(message: Any, **further: Any) -> dict[str, Any]:
    return {"choices": [{"message": message, **further}]}


def test_what_an_answer_holds() -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
    reply = reply_of({**choice({"content": "8 7"}, finish_reason="length"), "usage": usage})
    assert (reply.text, reply.finish, reply.usage) == ("8 7", "length", Usage(7, 2))
    assert reply.usage is not None and (reply.usage + Usage(1, 1)).total == 11


def test_a_refusal_is_an_answer() -> None:
    reply = reply_of(choice({"content": None, "refusal": "I won't."}))
    assert (reply.text, reply.refusal) == (None, "I won't.")


@pytest.mark.parametrize("message", [{"content": None}, {"content": None, "refusal": 7}, [], "text", None])
def test_answers_without_text(message: Any) -> None:
    with pytest.raises(EndpointError, match="no text at"):
        reply_of(choice(message))


@pytest.mark.parametrize(
    "given",
    [None, 7, {}, {"prompt_tokens": 1}, {"prompt_tokens": -1, "completion_tokens": 1},
     {"prompt_tokens": True, "completion_tokens": 1}, {"prompt_tokens": 1.5, "completion_tokens": 1}],
)  # fmt: skip
def test_counts_that_mean_nothing(given: Any) -> None:
    assert usage_of(given) is None
