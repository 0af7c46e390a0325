"""An answer: text, the phrases in it that speak of places, and those places in pixels of the original."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING, Any

from deixis.answers.content import AnswerContent
from deixis.answers.parts import Finish, Place, Raw, Span
from deixis.pictures.opening import Picture

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["Answer", "Finish", "Place", "Raw", "Span", "answer_schema"]


class Answer(AnswerContent):
    """What a system answered: its content, which can be written as JSON, read from it, and drawn."""

    def to_dict(self, *, weights: str = "") -> dict[str, Any]:
        """Return the answer as plain values, as ``answer_schema`` describes them.

        weights: the fingerprint of the weights that answered (``System.fingerprint``), to be stated as well.
        """
        from deixis.answers.as_json import answer_to_dict

        return answer_to_dict(replace(self, weights=weights) if weights else self)

    def to_json(self, *, weights: str = "") -> str:
        """Return the answer as one line of JSON, in ASCII: other letters are escaped.

        weights: see ``to_dict``.
        """
        return json.dumps(self.to_dict(weights=weights), allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes, picture: Picture | None = None) -> Answer:
        """Return the answer that ``to_json`` wrote; MalformedAnswer for text that it could not have written.

        picture: the picture it speaks of (the first, of several), for drawing; a grey one of the right size
        stands in for each that isn't given.
        """
        from deixis.answers.from_json import read_fields

        return cls(**read_fields(text, picture=picture))

    def draw(self, number: int = 0) -> Image.Image:
        """Return the picture with the answer, its places and the regions that were pointed at drawn on it.

        number: which of several pictures.
        """
        from deixis.answers.drawing.drawn_answer import draw

        return draw(self, number)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the drawn answer, or its text where it is about no picture."""
        from deixis.answers.as_html import answer_to_html

        return answer_to_html(self)


def answer_schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of what ``Answer.to_json`` writes.

    >>> answer_schema()["title"]
    'An answer of deixis'
    """
    file = resources.files("deixis.answers").joinpath("schema.json")
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content
