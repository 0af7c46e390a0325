"""The JSON schemas of regions and answers, as parts of the server's own schema."""

from __future__ import annotations

from functools import cache
from typing import Any

from deixis.answers.grounded import answer_schema
from deixis.regions.frames import NAMED
from deixis.regions.names import REGION_NAME

HERE = "#/components/schemas/"
PART = "x-part"
NAMES = {
    "span": "Span", "place": "Place", "region": "AnswerRegion", "pair": "Pair", "mask": "Mask",
    "picture": "AnswerPicture",
}  # fmt: skip


@cache
def answer_components() -> dict[str, Any]:
    """Return the schemas of an answer and its parts, by the names they have in the server's schema."""
    schema = renamed(answer_schema())
    parts = {NAMES[name]: part for name, part in schema.pop("$defs").items()}
    schema.pop("$schema")
    return {"Answer": schema, **parts, "Region": asked_region(parts["AnswerRegion"])}


def renamed(value: Any) -> Any:
    """Return a schema whose references lead to the parts of the server's schema."""
    if isinstance(value, dict):
        return {
            name: HERE + NAMES[part.rpartition("/")[2]] if name == "$ref" else renamed(part)
            for name, part in value.items()
        }
    return [renamed(part) for part in value] if isinstance(value, list) else value


def asked_region(answered: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a region in a request: as in an answer, with a frame and a name."""
    own = {
        "frame": {
            "enum": [*NAMED],
            "default": "pixels",
            "description": "What coordinates are measured in: pixels of the original picture, fractions or "
            "thousandths of its sides. A mask is always in pixels.",
        },
        "name": {
            "type": "string",
            "pattern": f"^{REGION_NAME.pattern}$",
            "maxLength": 64,
            "description": "By which the answer's question speaks of it; without names they are r1, r2, ….",
        },
    }
    properties = answered["properties"] | own
    box = properties["box"] | {"description": "x0, y0, x1, y1, in the units of the frame."}
    return {
        "type": "object",
        "description": "What a question points at; exactly one shape.",
        "additionalProperties": False,
        "oneOf": answered["oneOf"],
        "properties": properties | {"box": box},
    }


def ref(name: str) -> dict[str, Any]:
    """Return a reference to a part of the server's schema."""
    return {"$ref": HERE + name}


def field_ref(name: str) -> dict[str, Any]:
    """Return what stands for it in a field of pydantic's, which knows no references but its own."""
    return {PART: name}


def with_references(value: Any) -> Any:
    """Return a schema with references in the places of what stands for them."""
    if isinstance(value, dict):
        if PART in value:
            return ref(value[PART]) | {name: own for name, own in value.items() if name == "description"}
        return {name: with_references(own) for name, own in value.items()}
    return [with_references(own) for own in value] if isinstance(value, list) else value
