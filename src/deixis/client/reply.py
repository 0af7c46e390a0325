"""A server's reply as an answer about the picture that was asked about."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from deixis.answers.grounded import Answer
from deixis.errors import EndpointError, FrameMismatch, MalformedAnswer
from deixis.pictures.opening import Picture
from deixis.regions.names import split_names


def answer_of(content: Any, picture: Picture, *, question: str) -> Answer:
    """Return the answer of a chat completion, with the picture it is about.

    question: as it was asked. EndpointError: there is no answer of ours in it, or one about something else.
    """
    try:
        given = content["choices"][0]["message"]["answer"]
    except (KeyError, IndexError, TypeError):
        given = None
    return answer_in(given, picture, question=question)


def answer_in(given: Any, picture: Picture, *, question: str) -> Answer:
    """Return the answer that an object is, as ``answer_schema`` describes it; errors as of ``answer_of``."""
    if not isinstance(given, dict):
        raise EndpointError(
            "the server's reply has no answer with places (choices[0].message.answer); is it a deixis server?"
        )
    try:
        answer = Answer.from_json(json.dumps(of_this_picture(given, picture)), picture)
    except (MalformedAnswer, FrameMismatch, ValueError) as fault:
        raise EndpointError(f"the server's answer can't be used: {fault}") from fault
    # The server has put the question together of its parts, with braces doubled that need not be.
    same = split_names(answer.question) == split_names(question.strip())
    return replace(answer, question=question.strip()) if same else answer


def of_this_picture(given: dict[str, Any], picture: Picture) -> dict[str, Any]:
    """Return an answer whose picture is known by its size alone, where the digests differ.

    The server was sent this very file, but another JPEG library may decode it to other pixels.
    """
    about = given.get("picture")
    if not isinstance(about, dict) or about.get("digest") in (None, picture.frame.content):
        return given
    return given | {"picture": {name: value for name, value in about.items() if name != "digest"}}
