"""How much one request, and all of them together, may ask of a server."""

from __future__ import annotations

from dataclasses import dataclass, fields

from deixis.engine.settings import MOST_NEW_TOKENS
from deixis.errors import UsageError
from deixis.pictures.opening import LARGEST_PIXELS
from deixis.serving.asked import LONGEST_DEADLINE
from deixis.systems.questions import MOST_PICTURES, MOST_REGIONS

# What other parts of the program bound as well; no server allows more.
HIGHEST = {
    "tokens": MOST_NEW_TOKENS,
    "pictures": MOST_PICTURES,
    "pixels": LARGEST_PIXELS,
    "body_bytes": 1 << 30,
    "threads": 256,
    "deadline": int(LONGEST_DEADLINE),
}


@dataclass(frozen=True)
class ServerLimits:
    """The limits of a server; UsageError for one that is no number above 0.

    Of one request: body_bytes: of its body, and of a picture that is uploaded or fetched. pixels: of all its
    pictures together. pictures, regions, messages: how many. tokens: the longest answer. deadline: seconds
    from its arrival to its last token; upload_seconds: for its body to arrive, and for a picture that is
    fetched; stall_seconds: for which the one who asked may take nothing of the answer.

    Of all: requests: that are open at a time; requests_each: of one who asks. held_bytes: of their bodies and
    opened pictures. uploads, upload_bytes: uploaded pictures that are kept, and their memory. threads: that
    read requests and open pictures; as many fetch pictures.
    """

    body_bytes: int = 32 << 20
    pixels: int = 50_000_000
    pictures: int = 8
    regions: int = 4 * MOST_REGIONS
    messages: int = 100
    tokens: int = MOST_NEW_TOKENS
    deadline: float = 300.0
    upload_seconds: float = 60.0
    stall_seconds: float = 60.0
    requests: int = 256
    requests_each: int = 128
    held_bytes: int = 2 << 30
    uploads: int = 1000
    upload_bytes: int = 1 << 30
    threads: int = 4

    def __post_init__(self) -> None:
        for one in fields(self):
            value, kind = getattr(self, one.name), float if one.type == "float" else int
            right = isinstance(value, int | kind) and not isinstance(value, bool)
            if not right or not 0 < value <= HIGHEST.get(one.name, 1 << 50):
                whole = "" if kind is float else "whole "
                raise UsageError(
                    f"the server's limit {one.name} is {value!r:.40}; expected a {whole}number above 0, "
                    f"at most {HIGHEST.get(one.name, 1 << 50):,}"
                )
