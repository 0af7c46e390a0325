"""What is wrong with the fields of a request, in words, and by the path of the first wrong one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from deixis.server.refusals import InvalidField

LONGEST_SHOWN = 60
Path = tuple[int | str, ...]
Model = TypeVar("Model", bound=BaseModel)


def checked_fields(kind: type[Model], content: Any) -> Model:
    """Return the fields of a request; InvalidField for the first that isn't as the schema has it."""
    try:
        return kind.model_validate(content)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_context=True)[0]
        raise fault_of(first, content) from None


def fault_of(error: ErrorDetails, content: Any) -> InvalidField:
    """Return what an error of pydantic says, as one of ours. What was given is shown only if it is short."""
    path = path_in(error["loc"], content, named=error["type"] in ("extra_forbidden", "missing"))
    where = written(path) or "the request"
    if error["type"] == "extra_forbidden":
        return InvalidField(f"{where} is no field that is known here; leave it out", param=where)
    if error["type"] == "missing":
        return InvalidField(f"{where} is missing", param=where)
    if error["type"] == "union_tag_invalid":
        kind = error["ctx"]["discriminator"].strip("'")
        said = f"{where} has the {kind} {error['ctx']['tag'][:LONGEST_SHOWN]!r}"
        return InvalidField(f"{said}; expected one of {error['ctx']['expected_tags']}", param=where)
    return InvalidField(f"{where} is {shown(error['input'])}; {expected(error)}", param=where)


def expected(error: ErrorDetails) -> str:
    """Return what pydantic says of what should have come instead, in our words."""
    if error["type"] in ("model_type", "model_attributes_type", "dict_type"):
        return "it should be an object"
    message = re.sub(r"^(Input|List|String|Dictionary) ", "it ", error["msg"])
    return message.partition(" after validation")[0]


def path_in(loc: Path, content: Any, *, named: bool) -> Path:
    """Return a path without what pydantic says of alternatives: the steps that lead somewhere in a request.

    named: whether the last step is the name of a field, there or not.

    >>> content = {"messages": [{"content": [{"type": "text", "text": "a", "size": 1}]}]}
    >>> path_in(("messages", 0, "user", "content", "parts", 0, "text", "size"), content, named=True)
    ('messages', 0, 'content', 0, 'size')
    """
    return walked(loc, content, named=named) or ()


def walked(loc: Path, content: Any, *, named: bool) -> Path | None:
    """Return the steps of a path that lead somewhere; None if the last one's field can't be here.

    An alternative may be called as a field is: what is no way as a field is tried as an alternative's name.
    """
    if not loc:
        return ()
    step, rest = loc[0], loc[1:]
    known: Sequence[object] | Mapping[str, object] = ()
    if isinstance(content, list) and isinstance(step, int):
        known = range(len(content))
    elif isinstance(content, dict) and isinstance(step, str):
        known = content
    if step in known and (way := walked(rest, content[step], named=named)) is not None:
        return (step, *way)
    if rest:
        return walked(rest, content, named=named)
    if not named:
        return ()
    return (step,) if isinstance(content, dict) else None


def written(path: Path) -> str:
    """Return a path as it is read.

    >>> written(("messages", 0, "content"))
    'messages[0].content'
    """
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step[:LONGEST_SHOWN]}" for step in path)
    return text.removeprefix(".")


def shown(value: Any) -> str:
    """Return what was given, if it is short: a number, a word; else of what kind it is.

    >>> shown(7), shown(None), shown("x" * 100), shown({"a": 1})
    ('7', 'null', 'a text of 100 letters', 'an object')
    """
    if isinstance(value, str):
        return repr(value) if len(value) <= LONGEST_SHOWN else f"a text of {len(value):,} letters"
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else f"a list of {len(value):,}"
    text = json.dumps(value)
    return text if len(text) <= LONGEST_SHOWN else "a number of many digits"
