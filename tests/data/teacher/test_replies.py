"""The JSON of a reply, and what replies without any are called."""

from __future__ import annotations

from typing import Any

import pytest

from deixis.data.teacher.lesson import Rejected
from deixis.data.teacher.replies import LONGEST, content_of
from deixis.endpoints.chat import Reply


@pytest.mark.parametrize(
    "text", ["[1]", " [1]\n", "```json\n[1]\n```", "```\n[1]```", "Here it is:\n```json\n[1]\n```\nEnjoy!"]
)
def test_json_bare_or_in_a_fence(text: str) -> None:
    assert content_of(Reply(text)) == [1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "cut off"),
        ('[{"human": "What', "no JSON"),
        ('[{"human": "What?"}, ', "cut off: the JSON has no end"),
        ('[{"human": "a", "human": "b"}]', "a name is given twice"),
        ("[NaN]", "NaN is no JSON"),
        ("Sure! The dog sleeps.", "no JSON"),
        ("I'm sorry, but I can't help with that.", "refusal: I'm sorry"),
        ("As an AI, I do not see pictures.", "refusal"),
        ("[" * 100_000, "no JSON: too deep|cut off|no JSON"),
        ("[" + " " * LONGEST + "]", "too long"),
        ("[1] \ud800", "halves of characters"),
    ],
)
def test_replies_without(text: str, reason: str) -> None:
    with pytest.raises(Rejected, match=reason):
        content_of(Reply(text))


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(None, refusal="No."), "refusal: No."),
        (Reply("[1]", finish="length"), "cut off: the reply was longer"),
        (Reply("", finish="content_filter"), "refusal: the server's filter"),
    ],
)
def test_ends_that_servers_tell(reply: Any, reason: str) -> None:
    with pytest.raises(Rejected, match=reason):
        content_of(reply)
