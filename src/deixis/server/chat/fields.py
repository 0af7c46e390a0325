"""A request to ``/v1/chat/completions``: its fields, all of them, by type and bounds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, WithJsonSchema

from deixis.engine.settings import HOTTEST, LONGEST_STOP, MOST_NEW_TOKENS, MOST_STOPS
from deixis.server.region_schema import field_ref

LONGEST_TEXT, MOST_PARTS, LONGEST_URL = 100_000, 1000, 1 << 30

# Read by ``regions.as_objects`` and ``answers.from_json``, whose messages say more than a schema's.
RegionField = Annotated[dict[str, Any], WithJsonSchema(field_ref("Region"))]
AnswerField = Annotated[dict[str, Any], WithJsonSchema(field_ref("Answer"))]
SpanField = Annotated[dict[str, Any], WithJsonSchema(field_ref("Span"))]
Text = Annotated[str, Field(max_length=LONGEST_TEXT)]


class Fields(BaseModel):
    """Named fields and no others; values of just the types that are said."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class TextPart(Fields):
    """Words; their spaces count, for a region may stand between two of them."""

    type: Literal["text"]
    text: Text


class PictureURL(Fields):
    """Where a picture is."""

    url: str = Field(
        max_length=LONGEST_URL,
        description="data:image/…;base64,…, or picture:ID of an upload (POST /v1/pictures); http, https "
        "and file where the server allows them.",
        json_schema_extra={"format": "uri"},
    )
    detail: Literal["auto", "low", "high"] | None = Field(
        None, description="Taken, but without effect: each system has its own resolution."
    )


class PicturePart(Fields):
    """A picture, shown where it stands."""

    type: Literal["image_url"]
    image_url: PictureURL


class RegionPart(Fields):
    """A region, meant where it stands among the words."""

    type: Literal["region"]
    region: RegionField


Part = Annotated[TextPart | PicturePart | RegionPart, Field(discriminator="type")]
Parts = Annotated[list[Part], Field(min_length=1, max_length=MOST_PARTS)]
TextParts = Annotated[list[TextPart], Field(min_length=1, max_length=MOST_PARTS)]


def kind_of_content(value: Any) -> str:
    """Return how the content of a message is written."""
    return "parts" if isinstance(value, list) else "text"


Content = Annotated[
    Annotated[Text, Tag("text")] | Annotated[Parts, Tag("parts")], Discriminator(kind_of_content)
]
Words = Annotated[
    Annotated[Text, Tag("text")] | Annotated[TextParts, Tag("parts")], Discriminator(kind_of_content)
]

Ending = Annotated[str, Field(min_length=1, max_length=LONGEST_STOP)]
Stop = Annotated[
    Annotated[Ending, Tag("text")] | Annotated[list[Ending], Field(max_length=MOST_STOPS), Tag("parts")],
    Discriminator(kind_of_content),
]


class SystemMessage(Fields):
    """Nothing that these systems know; only an empty one is taken."""

    role: Literal["system", "developer"]
    content: Words
    name: str | None = None


class UserMessage(Fields):
    """A question: words, with pictures and regions among them."""

    role: Literal["user"]
    content: Content
    name: str | None = None


class AssistantMessage(Fields):
    """What was answered before.

    With ``answer`` it is used to the letter; with ``places`` the words are known with their places; else they
    are words.
    """

    role: Literal["assistant"]
    content: Words | None = None
    answer: AnswerField | None = None
    places: list[SpanField] | None = Field(None, max_length=1000)
    name: str | None = None
    refusal: None = None
    audio: None = None
    annotations: Annotated[list[Any], Field(max_length=0)] | None = None
    function_call: None = None
    tool_calls: None = None


Message = Annotated[SystemMessage | UserMessage | AssistantMessage, Field(discriminator="role")]


class StreamOptions(Fields):
    """What a stream says besides the answer."""

    include_usage: bool | None = Field(None, description="One more event, with ``usage``, before the last.")
    include_obfuscation: Literal[False] | None = None


class ResponseFormat(Fields):
    """Text is the only one."""

    type: Literal["text"]


class ChatRequest(Fields):
    """A dialogue whose last message is to be answered, and how.

    Fields that are null are as if they were absent. What isn't listed is refused by its name.
    """

    model_config = ConfigDict(title="ChatRequest")

    messages: list[Message] = Field(min_length=1)
    model: str | None = Field(None, max_length=200, description="See /v1/models; the first by default.")
    temperature: float | None = Field(
        None, ge=0, le=HOTTEST, description="0, the default, takes the likeliest token."
    )
    top_p: float | None = Field(None, gt=0, le=1)
    seed: int | None = Field(None, ge=0, le=2**63 - 1)
    stop: Stop | None = Field(None, description="The answer ends before this text, or any of these.")
    max_tokens: int | None = Field(None, ge=1, le=MOST_NEW_TOKENS)
    max_completion_tokens: int | None = Field(None, ge=1, le=MOST_NEW_TOKENS)
    logprobs: bool | None = Field(None, description="Whether to tell how likely each token was.")
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_places: int | None = Field(
        None, ge=0, le=MOST_NEW_TOKENS, description="So many places are named at most."
    )
    grammar: bool | None = Field(
        None, description="Whether only what can be read back may be written; by default as the system does."
    )
    dialect: Literal["plain", "own"] | None = Field(
        None,
        description="What ``content`` of the reply is: plain text (the default), or what the network wrote, "
        "to the letter, with its own ways to spell places.",
    )
    user: str | None = Field(None, max_length=1000, description="Taken, but without effect.")
    n: int | None = Field(None, ge=1, le=1)
    top_logprobs: int | None = Field(None, ge=0, le=0)
    frequency_penalty: float | None = Field(None, ge=0, le=0)
    presence_penalty: float | None = Field(None, ge=0, le=0)
    logit_bias: Annotated[dict[str, float], Field(max_length=0)] | None = None
    response_format: ResponseFormat | None = None
    store: Literal[False] | None = None
