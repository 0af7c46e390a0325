"""Questions made ready to be decoded: their pictures encoded as batches, their prompts built and embedded."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from deixis.errors import DeixisError, ModelFailed
from deixis.serving.asked import Failed
from deixis.serving.desk import Desk
from deixis.serving.open_request import OpenRequest
from deixis.systems.contract import System
from deixis.systems.prompt import Prepared

LOG = logging.getLogger("deixis")

Ready = tuple[OpenRequest, Prepared]


def made_ready(system: System, requests: Sequence[OpenRequest], desk: Desk) -> Iterator[list[Ready]]:
    """Yield requests with what is to be decoded for them, batch by batch.

    Those that the system can't answer are ended; one of them doesn't keep others of its batch from it.
    """
    for batch in batches(requests, pictures=desk.limits.encode):
        wanted = [request for request in batch if not request.unwanted and answerable(system, request, desk)]
        try:
            yield prepared(system, wanted)
        except Exception:  # whoever's fault it was shows when each is prepared alone
            yield [ready for request in wanted for ready in prepared_alone(system, request, desk)]


def batches(requests: Sequence[OpenRequest], *, pictures: int) -> list[list[OpenRequest]]:
    """Return requests in their order, in batches about so many different pictures at most."""
    every: list[list[OpenRequest]] = []
    seen: set[int] = set()
    for request in requests:
        own = {id(picture) for picture in request.question.pictures}
        if not every or len(seen | own) > pictures:
            every.append([])
            seen = set()
        every[-1].append(request)
        seen |= own
    return every


def answerable(system: System, request: OpenRequest, desk: Desk) -> bool:
    """Tell whether a system takes the settings and the pictures of a request; if not, it is ended."""
    try:
        system.check_settings(request.asked.settings)
        system.check_pictures(request.question.pictures)
    except DeixisError as fault:
        desk.end(request, Failed(fault), "failed")
        return False
    return True


def prepared(system: System, requests: Sequence[OpenRequest]) -> list[Ready]:
    """Return requests prepared as one batch."""
    if not requests:
        return []
    made = system.prepare(
        [request.question for request in requests], [request.asked.settings for request in requests]
    )
    return list(zip(requests, made, strict=True))


def prepared_alone(system: System, request: OpenRequest, desk: Desk) -> list[Ready]:
    """Return a request prepared by itself; nothing, and it is ended, if that can't be done."""
    try:
        return prepared(system, [request])
    except DeixisError as fault:
        desk.end(request, Failed(fault), "failed")
    except Exception as fault:
        LOG.exception("request %d could not be prepared", request.number)
        told = f"the question could not be prepared: {type(fault).__name__}: {fault}"
        desk.end(request, Failed(ModelFailed(told)), "failed")
    return []
