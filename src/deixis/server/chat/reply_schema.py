"""The forms of replies, as the server's schema states them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, WithJsonSchema

from deixis.server.region_schema import field_ref

AnswerOut = Annotated[dict[str, Any], WithJsonSchema(field_ref("Answer"))]
SpanOut = Annotated[dict[str, Any], WithJsonSchema(field_ref("Span"))]


class ReplyMessage(BaseModel):
    """content: the answer in plain text, or in the system's own dialect if that was asked for. places: the
    phrases of the plain text that speak of places, in pixels of the original picture. answer: all of it."""

    role: Literal["assistant"]
    content: str
    refusal: None
    places: list[SpanOut]
    answer: AnswerOut


class TokenLogprob(BaseModel):
    """token: "token_id:" and its number in the model's vocabulary."""

    token: str
    logprob: float
    bytes: None
    top_logprobs: list[Any] = Field(max_length=0)


class Logprobs(BaseModel):
    """How likely each token was."""

    content: list[TokenLogprob]
    refusal: None


class Choice(BaseModel):
    """The only reply."""

    index: Literal[0]
    message: ReplyMessage
    logprobs: Logprobs | None
    finish_reason: Literal["stop", "length"]


class PromptTokensDetails(BaseModel):
    """cached_tokens: positions that were known from earlier questions."""

    cached_tokens: int = Field(ge=0)


class Usage(BaseModel):
    """Tokens; those of the prompt include the positions of pictures."""

    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(ge=0)
    total_tokens: int = Field(ge=0)
    prompt_tokens_details: PromptTokensDetails


class ChatCompletion(BaseModel):
    """A whole reply."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[Choice] = Field(min_length=1, max_length=1)
    usage: Usage


class ReplyDelta(BaseModel):
    """What became certain since the piece before: text and places. The last one has the whole answer."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    places: list[SpanOut] | None = None
    answer: AnswerOut | None = None


class ChunkChoice(BaseModel):
    """A piece of the only reply."""

    index: Literal[0]
    delta: ReplyDelta
    logprobs: Logprobs | None
    finish_reason: Literal["stop", "length"] | None


class ChatCompletionChunk(BaseModel):
    """What each event of a stream holds; the last event is [DONE]. One with usage alone has no choices."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    choices: list[ChunkChoice] = Field(max_length=1)
    usage: Usage | None = None
