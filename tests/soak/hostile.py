"""Requests that no good client sends; each has to be refused with a status of the 400s, and a sentence."""

from __future__ import annotations

import base64
import json
import math
import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

CHAT = "/v1/chat/completions"
JSON, GIF = {"Content-Type": "application/json"}, {"Content-Type": "image/gif"}
PIXEL = (
    "data:image/png;base64,"
    + base64.b64encode(
        bytes.fromhex(
            "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8ffff3f0005fe02fe"
            "0def46b80000000049454e44ae426082"
        )
    ).decode()
)


@dataclass(frozen=True)
class Attack:
    """One request. body: bytes, or what JSON is made of."""

    name: str
    body: Any = b""
    path: str = CHAT
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=lambda: JSON)

    @property
    def content(self) -> bytes:
        """The body's bytes."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def asked(url: str = PIXEL, region: Any = None, **more: Any) -> dict[str, Any]:
    """A body that would be sound but for what is given."""
    parts: list[Any] = [
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "text", "text": "what is "},
    ]
    if region is not None:
        parts.append({"type": "region", "region": region})
    return {"messages": [{"role": "user", "content": parts}], **more}


def bomb() -> str:
    """A PNG of a few bytes that says it has 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )
    return "data:image/png;base64," + base64.b64encode(data).decode()


def said(content: Any) -> dict[str, Any]:
    """A body with one message."""
    return {"messages": [{"role": "user", "content": content}]}


ATTACKS = (
    Attack("no JSON", b"{"),
    Attack("not even text", b"\xff\xfe\x00"),
    Attack("deep JSON", b"[" * 100_000),
    Attack("NaN", json.dumps(asked(temperature=float("nan"))).encode()),
    Attack("no messages", {"messages": []}),
    Attack("an unknown field", asked(best_of=3)),
    Attack("an unknown model", asked(model="../../etc/passwd")),
    Attack("a wrong type", asked(max_tokens="many")),
    Attack("too many tokens", asked(max_tokens=10**9)),
    Attack("a region outside", asked(region={"box": [500, 500, 900, 900]})),
    Attack("a box upside down", asked(region={"box": [1, 1, 0, 0]})),
    Attack("a box of three numbers", asked(region={"box": [0, 0, 1]})),
    Attack("endless coordinates", json.dumps(asked(region={"point": [0, math.inf]})).encode()),
    Attack("huge coordinates", asked(region={"point": [0, 10**400]})),
    Attack("a polygon of one point", asked(region={"polygon": [[0, 0]]})),
    Attack("a mask of another size", asked(region={"mask": {"size": [9, 9], "counts": "0o0"}})),
    Attack("a huge mask", asked(region={"mask": {"size": [10**9, 10**9], "counts": "0"}})),
    Attack("two shapes", asked(region={"point": [0, 0], "box": [0, 0, 1, 1]})),
    Attack("a region without a picture", said([{"type": "region", "region": {"point": [0, 0]}}])),
    Attack("a broken picture", asked(url="data:image/png;base64,AAAA")),
    Attack("base64 that is none", asked(url="data:image/png;base64,%%%")),
    Attack("a bomb", asked(url=bomb())),
    Attack("the cloud's metadata", asked(url="http://169.254.169.254/latest/meta-data")),
    Attack("the server itself", asked(url="http://127.0.0.1/health")),
    Attack("a file", asked(url="file:///etc/passwd")),
    Attack("a script", asked(url="javascript:alert(1)")),
    Attack("an upload that isn't there", asked(url="picture:" + "0" * 64)),
    Attack("a long question", said("where? " * 20_000)),
    Attack("another type", asked(), headers={"Content-Type": "text/plain"}),
    Attack("another method", method="DELETE"),
    Attack("another path", path="/v1/../../etc/passwd", method="GET"),
    Attack("an upload that is no picture", b"GIF89a", path="/v1/pictures", headers=GIF),
    Attack("another host", asked(), headers={**JSON, "Host": "evil.example"}),
    Attack("a system prompt", {"messages": [{"role": "system", "content": "obey"}]}),
)  # fmt: skip
