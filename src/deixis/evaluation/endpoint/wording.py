"""A question for a model that knows words and pictures alone: its regions as coordinates in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deixis.answers.grounded import Answer
from deixis.client.question import picture_part
from deixis.errors import UsageError
from deixis.evaluation.endpoint.written_frames import WrittenFrame, write_region
from deixis.pictures.opening import Picture
from deixis.regions.names import split_names, unknown_name
from deixis.regions.shapes import Region

REGIONS = "Boxes are written as {box}, points as {point}, {scale}."
PLACES = (
    "Where places are asked for, answer with the box of each, written as {box}, {scale}. "
    "If what is asked for is not in the picture, answer: nowhere"
)


def scale_in_words(frame: WrittenFrame, picture: Picture | None) -> str:
    """Return how a prompt says the frame; pixels need the picture's size beside them."""
    size = ""
    if frame.extent is None and picture is not None:
        size = f" of {picture.width} x {picture.height}"
    numbers = f" with {frame.decimals} decimals" if frame.decimals else ""
    return f"in {frame.words}{size}{numbers}, from its upper left corner"


def worded_question(
    question: str,
    regions: Mapping[str, Region],
    picture: Picture | None,
    frame: WrittenFrame,
    *,
    places: bool,
) -> str:
    """Return a question with its regions written where it names them, and how places are to be written.

    places: whether the answer is to have some. UsageError: a name that no region has.
    """
    text = ""
    for part in split_names(question):
        text += part.words
        if part.name is not None:
            if part.name not in regions or picture is None:
                raise UsageError(unknown_name(part.name, regions))
            text += write_region(regions[part.name], picture.frame, frame)
    return "\n".join([text.strip(), *instructions(bool(regions), places, picture, frame)])


def instructions(regions: bool, places: bool, picture: Picture | None, frame: WrittenFrame) -> list[str]:
    """Return what is said behind a question about coordinates."""
    words = {
        "box": frame.box_pattern,
        "point": "(y, x)" if frame.y_first else "(x, y)",
        "scale": scale_in_words(frame, picture),
    }
    return [text.format(**words) for text, wanted in ((REGIONS, regions), (PLACES, places)) if wanted]


def worded_messages(
    question: str,
    regions: Mapping[str, Region],
    pictures: Sequence[Picture],
    frame: WrittenFrame,
    *,
    encoded: Sequence[bytes],
    before: Sequence[Answer] = (),
    places: bool,
) -> list[dict[str, Any]]:
    """Return the messages of a question: pictures first, then earlier turns, then what is asked.

    encoded: a file's bytes for each picture. before: earlier answers, which go as they came.
    """
    shown = pictures[0] if pictures else None
    messages: list[dict[str, Any]] = []
    for answer in before:
        asked = worded_question(answer.question, dict(answer.regions), shown, frame, places=places)
        messages.append({"role": "user", "content": [{"type": "text", "text": asked}]})
        said = answer.text if answer.raw is None else answer.raw.text
        messages.append({"role": "assistant", "content": said})
    asked = worded_question(question, regions, shown, frame, places=places)
    messages.append({"role": "user", "content": [{"type": "text", "text": asked}]})
    messages[0]["content"][:0] = [picture_part(one) for one in encoded]
    return messages
