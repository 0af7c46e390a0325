"""A question as it goes over the wire: the picture's bytes, then its words with regions between them."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

from deixis.answers.as_json import answer_to_dict
from deixis.answers.content import AnswerContent
from deixis.client.refusals import OTHER_NAMES
from deixis.errors import BadPicture, UsageError
from deixis.pictures.opening import Picture
from deixis.regions.as_objects import region_object
from deixis.regions.names import split_names, unknown_name
from deixis.regions.shapes import Region

LARGEST_PICTURE = 256 << 20  # bytes; servers take less


def chat_request(
    picture: Picture,
    question: str,
    *,
    encoded: bytes | None = None,
    regions: Mapping[str, Region] | None = None,
    before: Sequence[AnswerContent] = (),
    model: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the body of a request to ``/v1/chat/completions``.

    encoded: the picture's file, whose pixels are those of the picture; without it they go as PNG. regions: by
    name, in any frame of the picture; they go in its pixels, cut at its edges (with RegionClipped). before:
    earlier answers about the picture, oldest first, which go as they came. settings: by the names of
    ``System.ask``. UsageError: a ``{name}`` that is no region, or no words. BadRegion: one outside.
    """
    if not question.strip():
        raise UsageError(f"a question needs words; got {question!r}")
    shown = picture_part(png_of(picture) if encoded is None else encoded)
    messages: list[dict[str, Any]] = []
    for answer in before:
        asked = worded(answer.question, dict(answer.regions), picture)
        messages.append({"role": "user", "content": asked})
        messages.append({"role": "assistant", "content": answer.text, "answer": said(answer)})
    messages.append({"role": "user", "content": worded(question.strip(), regions or {}, picture)})
    messages[0]["content"].insert(0, shown)
    body: dict[str, Any] = {} if model is None else {"model": model}
    given = {OTHER_NAMES.get(name, name): value for name, value in (settings or {}).items()}
    return body | {"messages": messages} | given


def worded(text: str, regions: Mapping[str, Region], picture: Picture) -> list[dict[str, Any]]:
    """Return the content parts of a text: words, and each region where it is meant."""
    parts: list[dict[str, Any]] = []
    for part in split_names(text):
        if part.words:
            parts.append({"type": "text", "text": part.words})
        if part.name is not None:
            if part.name not in regions:
                raise UsageError(unknown_name(part.name, regions))
            inside = regions[part.name].clipped(picture.frame)
            parts.append({"type": "region", "region": region_object(inside) | {"name": part.name}})
    return parts


def said(answer: AnswerContent) -> dict[str, Any]:
    """Return an earlier answer. Its picture goes without a digest: it is the one that goes along."""
    content = answer_to_dict(answer)
    if content["picture"] is not None:
        content["picture"] = {name: content["picture"][name] for name in ("width", "height")}
    return content


def picture_part(encoded: bytes) -> dict[str, Any]:
    """Return a picture's bytes as a content part; BadPicture for too many."""
    if len(encoded) > LARGEST_PICTURE:
        raise BadPicture(
            f"the picture has {len(encoded):,} bytes; at most {LARGEST_PICTURE:,} are sent: make it smaller"
        )
    data = base64.b64encode(encoded).decode("ascii")
    return {"type": "image_url", "image_url": {"url": f"data:{media_of(encoded)};base64,{data}"}}


def media_of(encoded: bytes) -> str:
    """Return the media type of a picture's bytes.

    >>> media_of(b"\\x89PNG\\r\\n\\x1a\\n")
    'image/png'
    """
    begins = {
        b"\x89PNG": "image/png",
        b"\xff\xd8\xff": "image/jpeg",
        b"GIF8": "image/gif",
        b"BM": "image/bmp",
    }
    if encoded[:4] == b"RIFF" and encoded[8:12] == b"WEBP":
        return "image/webp"
    return next(
        (kind for sign, kind in begins.items() if encoded.startswith(sign)), "application/octet-stream"
    )


def png_of(picture: Picture) -> bytes:
    """Return a picture's pixels without loss."""
    packed = io.BytesIO()
    picture.image().save(packed, "PNG", compress_level=1)
    return packed.getvalue()
