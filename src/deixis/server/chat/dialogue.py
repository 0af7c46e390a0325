"""The messages of a request as a question to the engine, with what was said before."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from deixis.answers.from_json import span_from
from deixis.answers.grounded import Answer, Span
from deixis.errors import FrameMismatch, MalformedAnswer, UsageError
from deixis.pictures.opening import Picture
from deixis.server.chat.fields import AssistantMessage, Message, SystemMessage, TextPart, UserMessage
from deixis.server.chat.shown_pictures import ShownPictures
from deixis.server.chat.worded import Worded, worded
from deixis.server.limits import ServerLimits

Turn = tuple[int, UserMessage | AssistantMessage]
REMEMBERED = "remembered"  # the system of an answer of which only words are known


class Dialogue:
    """A question, its regions and pictures, and the answers before it, oldest first.

    UsageError, BadPicture, BadRegion, MalformedAnswer, FrameMismatch: which message can't be used, and why.
    """

    def __init__(self, messages: Sequence[Message], pictures: ShownPictures, limits: ServerLimits) -> None:
        turns = turns_of(messages, limits)
        left = limits.regions
        before: list[Answer] = []
        asked = Worded()
        for number, message in turns:
            if isinstance(message, UserMessage):
                where = f"messages[{number}].content"
                asked = worded(message.content, pictures, where=where, most_regions=left)
                left -= len(asked.regions)
            else:
                before.append(said(message, asked, pictures.known, where=f"messages[{number}]"))
        self.text, self.regions, self.before = asked.text, asked.regions, tuple(before)
        self.pictures = tuple(pictures.known)


def turns_of(messages: Sequence[Message], limits: ServerLimits) -> list[Turn]:
    """Return questions and answers in turn, each with its number; UsageError if they don't come in turn."""
    if len(messages) > limits.messages:
        raise UsageError(f"there are {len(messages)} messages; at most {limits.messages} are taken")
    turns: list[Turn] = []
    for number, message in enumerate(messages):
        if not isinstance(message, SystemMessage):
            turns.append((number, message))
        elif words_of(message.content).strip():
            raise UsageError(
                f"messages[{number}] has the role {message.role!r}, which the systems here were not taught "
                "to follow; leave it out, or say it in the question"
            )
    kinds = [type(message) for _, message in turns]
    if not kinds or kinds[0] is not UserMessage or kinds[-1] is not UserMessage:
        raise UsageError(
            "the messages have to begin and to end with one of the user, the question to be answered"
        )
    for (_, one), (number, other) in pairwise(turns):
        if type(one) is type(other):
            raise UsageError(
                f"messages[{number}] has the role {other.role!r} as the one before it; expected user and "
                "assistant in turn. Put what one of them said into one message"
            )
    return turns


def words_of(content: str | Sequence[TextPart] | None) -> str:
    """Return content that is made of words alone."""
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(part.text for part in content)


def said(message: AssistantMessage, asked: Worded, pictures: Sequence[Picture], *, where: str) -> Answer:
    """Return an earlier answer: to the letter where the message has it, else its words, with known places.

    asked: the question before it. pictures: those that were shown until then.
    """
    if message.answer is not None:
        return own_answer(message.answer, asked, pictures, where=f"{where}.answer")
    text = words_of(message.content)
    if not text.strip():
        raise UsageError(f"{where} says nothing; expected content, or an answer")
    try:
        spans = spans_of(message.places or [], pictures)
        return Answer(
            text=text,
            spans=spans,
            pictures=tuple(pictures),
            system=REMEMBERED,
            seconds=0.0,
            question=asked.text,
            regions=tuple(asked.regions.items()),
        )
    except MalformedAnswer as fault:
        raise MalformedAnswer(f"{where}.places: {fault}") from None


def spans_of(places: Sequence[dict[str, Any]], pictures: Sequence[Picture]) -> tuple[Span, ...]:
    """Return the phrases of an earlier answer with their places."""
    return tuple(span_from(one, [picture.frame for picture in pictures]) for one in places)


def own_answer(content: dict[str, Any], asked: Worded, pictures: Sequence[Picture], *, where: str) -> Answer:
    """Return an answer as this server gave it, about the pictures that were shown.

    What it says of its own question counts; where it says nothing, the message before it does.
    """
    about = pictures[0] if pictures and content.get("picture") is not None else None
    try:
        answer = Answer.from_json(json.dumps(content), about)
    except MalformedAnswer as fault:
        raise MalformedAnswer(f"{where}: {fault}") from None
    except FrameMismatch as fault:
        raise FrameMismatch(f"{where}: {fault}") from None
    if not answer.question:
        answer = replace(answer, question=asked.text, regions=tuple(asked.regions.items()))
    return answer
