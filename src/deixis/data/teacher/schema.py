"""The part of JSON Schema that replies are checked by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deixis.data.teacher.lesson import Rejected
from deixis.files.json_files import shown_value

TYPES: Mapping[str, type | tuple[type, ...]] = {
    "array": list,
    "object": dict,
    "string": str,
    "integer": int,
    "boolean": bool,
}
# Keyword -> of which values it bounds the size or value, and to which side.
BOUNDS: Mapping[str, tuple[type, int]] = {
    "minItems": (list, 1),
    "maxItems": (list, -1),
    "minLength": (str, 1),
    "maxLength": (str, -1),
    "minProperties": (dict, 1),
    "maxProperties": (dict, -1),
    "minimum": (int, 1),
    "maximum": (int, -1),
}
KNOWN = {"type", "items", "properties", "required", "additionalProperties", *BOUNDS}


def check_schema(value: Any, schema: Mapping[str, Any], *, where: str = "the reply") -> None:
    """Raise Rejected with the place of the first thing in a value of JSON that does not fit a schema."""
    unknown = set(schema) - KNOWN
    assert not unknown, f"{unknown} is in no schema that is known here"
    kind = schema["type"]
    if not isinstance(value, TYPES[kind]) or (kind == "integer" and isinstance(value, bool)):
        raise Rejected(f"schema: {where} is {shown_value(value)}; expected {kind}")
    for name, (of, side) in BOUNDS.items():
        if name in schema and isinstance(value, of) and not isinstance(value, bool):
            size = value if isinstance(value, int) else len(value)  # type: ignore[arg-type]
            if side * size < side * schema[name]:
                raise Rejected(f"schema: {where} has {shown_value(size)}; {name} is {schema[name]}")
    if isinstance(value, dict):
        _check_object(value, schema, where)
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            check_schema(item, schema["items"], where=f"{where}[{index}]")


def _check_object(value: dict[str, Any], schema: Mapping[str, Any], where: str) -> None:
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            raise Rejected(f"schema: {where} lacks {name!r}")
    for name, item in value.items():
        if name in properties:
            check_schema(item, properties[name], where=f"{where}.{name}")
        elif schema.get("additionalProperties", True) is False:
            raise Rejected(
                f"schema: {where} has {shown_value(name)}; expected no more than {', '.join(properties)}"
            )
