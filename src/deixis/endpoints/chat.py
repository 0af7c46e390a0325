"""What is asked of a chat endpoint, and what it answers, as OpenAI's protocol has them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from deixis.endpoints.bounds import MOST_BYTES, check_number
from deixis.endpoints.keys import MOST_SHOWN
from deixis.errors import EndpointError, UsageError

LARGEST_PICTURE = 16 << 20  # bytes
MOST_TOKENS = 1 << 40


@dataclass(frozen=True)
class ShownPicture:
    """A picture that goes along with a request: its encoded bytes, and what they are.

    UsageError: it has no bytes or too many.
    """

    encoded: bytes = field(repr=False)
    media: str = "image/jpeg"

    def __post_init__(self) -> None:
        if not 0 < len(self.encoded) <= LARGEST_PICTURE:
            raise UsageError(
                f"a picture of {len(self.encoded):,} bytes; expected at most {LARGEST_PICTURE:,}: make it "
                "smaller"
            )

    @cached_property
    def digest(self) -> str:
        """The picture's bytes as a digest, which stands for it where what was asked is kept."""
        return hashlib.sha256(self.encoded).hexdigest()

    def to_dict(self, *, whole: bool = True) -> dict[str, Any]:
        """Return the picture as the protocol has it; whole False: its digest instead of its bytes."""
        encoded = base64.b64encode(self.encoded).decode("ascii") if whole else ""
        url = f"data:{self.media};base64,{encoded}" if whole else f"sha256:{self.digest}"
        return {"type": "image_url", "image_url": {"url": url}}


Part = str | ShownPicture
Content = str | tuple[Part, ...]


@dataclass(frozen=True)
class ChatRequest:
    """One question to a chat endpoint.

    messages: (role, content), as "system" and "user"; content is text, or texts and pictures in order.
    UsageError: a field that no endpoint would understand.
    """

    model: str
    messages: tuple[tuple[str, Content], ...]
    temperature: float = 0.0
    max_tokens: int = 1024

    def __post_init__(self) -> None:
        texts: list[Any] = [self.model, *(role for role, _ in self.messages)]
        for _, content in self.messages:
            parts = content if isinstance(content, tuple) else (content,)
            texts += [part for part in parts if not isinstance(part, ShownPicture)] if parts else [None]
        if not all(isinstance(text, str) for text in texts) or not self.model or not self.messages:
            raise UsageError("a request has a model's name and at least one (role, content), all strings")
        check_number("temperature", self.temperature, least=0, most=100)
        check_number("max_tokens", self.max_tokens, least=1, most=MOST_BYTES, whole=True)

    def to_dict(self, *, pictures: bool = True) -> dict[str, Any]:
        """Return the request as the protocol has it; pictures False: a digest in the place of each."""
        return {
            "model": self.model,
            "messages": [
                {"role": role, "content": content_to_json(content, pictures=pictures)}
                for role, content in self.messages
            ],
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
        }


def content_to_json(content: Content, *, pictures: bool) -> str | list[dict[str, Any]]:
    """Return the content of a message as the protocol has it."""
    if isinstance(content, str):
        return content
    return [
        {"type": "text", "text": part} if isinstance(part, str) else part.to_dict(whole=pictures)
        for part in content
    ]


@dataclass(frozen=True)
class Usage:
    """The tokens of a request and of its answer."""

    prompt: int = 0
    completion: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.prompt + other.prompt, self.completion + other.completion)

    @property
    def total(self) -> int:
        """All tokens."""
        return self.prompt + self.completion


@dataclass(frozen=True)
class Reply:
    """The answer to a request.

    text: None if the model declines, with its words in refusal. finish: why it ended, "length" where it was
    cut. usage: None if the server doesn't say.
    """

    text: str | None
    refusal: str = ""
    finish: str = ""
    usage: Usage | None = None


def read_json(body: bytes, *, shown: Callable[[str], str] = str) -> Any:
    """Return the content of a body; EndpointError if it is not JSON. shown: what may be shown of it."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        said = shown(body[: 4 * MOST_SHOWN].decode("utf-8", errors="replace"))
        raise EndpointError(
            f"the endpoint's answer is not JSON: {said[:MOST_SHOWN]!r}; is the address that of a chat "
            "endpoint?"
        ) from None


def reply_of(content: Any, *, shown: Callable[[str], str] = str) -> Reply:
    """Return the first choice of a chat completion; EndpointError if there is none.

    shown: what of its words may be shown.

    >>> reply_of({"choices": [{"message": {"role": "assistant", "content": "8 7"}}]}).text
    '8 7'
    """
    try:
        choice = content["choices"][0]
        message = choice["message"]
        text, refusal = message["content"], message.get("refusal")
        finish = choice.get("finish_reason")
    except (KeyError, IndexError, TypeError, AttributeError):
        text = refusal = finish = None
    declined = text is None and isinstance(refusal, str) and bool(refusal)
    if not isinstance(text, str) and not declined:
        part = content if not isinstance(content, Sequence) else content[:1]
        said = shown(json.dumps(part)[: 4 * MOST_SHOWN])[:MOST_SHOWN]
        raise EndpointError(f"the endpoint's answer has no text at choices[0].message.content: {said}")
    return Reply(
        text=None if declined else text,
        refusal=refusal if declined else "",
        finish=finish if isinstance(finish, str) else "",
        usage=usage_of(content.get("usage") if isinstance(content, dict) else None),
    )


def usage_of(given: Any) -> Usage | None:
    """Return the tokens that a server counted; None where it says nothing that could be meant so."""
    if not isinstance(given, dict):
        return None
    prompt, completion = given.get("prompt_tokens"), given.get("completion_tokens")
    if type(prompt) is not int or type(completion) is not int:
        return None
    if not (0 <= prompt <= MOST_TOKENS and 0 <= completion <= MOST_TOKENS):
        return None
    return Usage(prompt, completion)
