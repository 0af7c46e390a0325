"""From the bytes of a request to a question in the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from starlette.requests import Request

from deixis.errors import DeadlinePassed
from deixis.server.bodies import body_of, check_type, json_of
from deixis.server.chat.asking import Asking
from deixis.server.chat.dialogue import Dialogue
from deixis.server.chat.fields import ChatRequest
from deixis.server.chat.reply import Reply
from deixis.server.chat.settings import settings_of
from deixis.server.chat.shown_pictures import ShownPictures, pixels_bytes, remote_addresses
from deixis.server.field_faults import checked_fields
from deixis.server.guards.admission import Visit
from deixis.server.guards.key_check import WHO
from deixis.server.service import Service
from deixis.serving.asked import Asked

JSON = ("application/json",)


@dataclass(frozen=True)
class Opened:
    """A request that was read: what it asks, and how it is to be answered. streamed: event by event.

    told_usage: whether a stream tells the tokens as well.
    """

    asked: Asked
    reply: Reply
    streamed: bool
    told_usage: bool


async def opened(request: Request, service: Service) -> Opened:
    """Return what a request asks, its pictures opened; errors say what can't be used."""
    check_type(request, JSON)
    body = await body_of(request, service.limits)
    chat = await service.in_thread(partial(read, body))
    opening = service.opening
    addresses = remote_addresses(chat, opening)
    fetching = [
        service.fetching(partial(opening.fetch, url, where=where)) for url, where in addresses.items()
    ]
    remote = dict(zip(addresses, await asyncio.gather(*fetching), strict=True))
    asked = await service.in_thread(partial(asked_of, chat, service, remote=remote, who=request.scope[WHO]))
    options = chat.stream_options
    return Opened(
        asked,
        Reply(service.name_of(chat.model), chat.dialect == "own", bool(chat.logprobs)),
        streamed=bool(chat.stream),
        told_usage=options is not None and bool(options.include_usage),
    )


def read(body: bytes) -> ChatRequest:
    """Return the fields of a request; Refusal, InvalidField for what isn't one."""
    return checked_fields(ChatRequest, json_of(body))


def asked_of(chat: ChatRequest, service: Service, *, remote: Mapping[str, bytes], who: str) -> Asked:
    """Return what a request asks; it blocks for as long as pictures take to be opened."""
    settings = settings_of(chat, service.limits)
    dialogue = Dialogue(chat.messages, ShownPictures(service.opening, remote), service.limits)
    return Asked(
        chat.model,
        dialogue.pictures,
        dialogue.text,
        regions=dialogue.regions,
        before=dialogue.before,
        settings=settings,
        who=who,
    )


def hold(visit: Visit, asked: Asked) -> None:
    """Let a request hold the memory of its pictures in the place of its body's, which is gone by now."""
    visit.release()
    visit.hold(pixels_bytes(asked.pictures))


async def submitted(asked: Asked, service: Service, *, since: float) -> Asking:
    """Give a question to the engine, which checks it first: in a thread, for large masks take a while.

    since: the loop's time at which it arrived. DeadlinePassed: too long ago.
    """
    left = service.limits.deadline - (asyncio.get_running_loop().time() - since)
    if left <= 0:
        raise DeadlinePassed(f"reading the request took longer than {service.limits.deadline:g} s")
    asking = Asking(service.engine)
    await service.in_thread(partial(asking.submit, replace(asked, deadline=left)))
    return asking
