"""A mapping, as yaml gives it, to a frozen dataclass: every key must exist and every value have its type."""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from deixis.errors import RecipeError

T = TypeVar("T")
LARGEST_WHOLE = (1 << 63) - 1


def build(kind: type[T], values: Any, *, where: str) -> T:
    """Return ``kind(**values)`` with nested dataclasses built likewise.

    Raises RecipeError for an unknown key (naming the nearest legal one), a missing key or a value of another
    type.

    >>> @dataclasses.dataclass(frozen=True)
    ... class Schedule:
    ...     warmup: int = 0
    >>> build(Schedule, {"warmpu": 3}, where="recipe")
    Traceback (most recent call last):
    deixis.errors.RecipeError: recipe: unknown key 'warmpu'; did you mean 'warmup'? Legal keys: warmup
    """
    if not isinstance(values, Mapping):
        raise RecipeError(f"{where}: expected keys and values, got {values!r:.80}")
    types_of = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}  # type: ignore[arg-type]
    values = renamed(values, getattr(kind, "ALIASES", {}), where=where)
    for key in values:
        if key not in fields:
            raise RecipeError(unknown_key(f"{key!s:.80}", list(fields), where=where))
    missing = [
        name
        for name, field in fields.items()
        if name not in values
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise RecipeError(f"{where}: missing {', '.join(missing)}")
    return kind(
        **{key: convert(types_of[key], value, where=f"{where}.{key}") for key, value in values.items()}
    )


def renamed(values: Mapping[str, Any], aliases: Mapping[str, str], *, where: str) -> dict[str, Any]:
    """Return values under the names of today; RecipeError where one is given under both.

    >>> renamed({"records": "a.jsonl"}, {"records": "samples"}, where="source")
    {'samples': 'a.jsonl'}
    """
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = aliases.get(key, key)
        if name in found:
            raise RecipeError(f"{where}: {name} is given twice; keep one of them")
        found[name] = value
    return found


def unknown_key(key: str, legal: list[str], *, where: str) -> str:
    """Return the message for a key that does not exist."""
    near = difflib.get_close_matches(key, legal, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{where}: unknown key {key!r}; {hint}Legal keys: {', '.join(sorted(legal))}"


def convert(kind: Any, value: Any, *, where: str) -> Any:
    """Return ``value`` as ``kind``: a plain type, a dataclass, a tuple, a mapping or a union of these."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        check_plain(value, where=where)
        return value
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return convert(next(a for a in arguments if a is not type(None)), value, where=where)
    if origin is typing.Literal:
        if not any(type(value) is type(one) and value == one for one in arguments):
            raise RecipeError(f"{where}: is {value!r:.80}; expected one of {', '.join(map(repr, arguments))}")
        return value
    if dataclasses.is_dataclass(kind):
        return build(kind, value, where=where)  # type: ignore[arg-type]
    if origin is tuple:
        return convert_tuple(arguments, value, where=where)
    if origin in (dict, Mapping):
        if not isinstance(value, Mapping):
            raise RecipeError(f"{where}: expected keys and values, got {value!r:.80}")
        for key in value:
            if not isinstance(key, str):
                raise RecipeError(f"{where}: key {key!r:.80} is no text")
        return {k: convert(arguments[1], v, where=f"{where}.{k:.80}") for k, v in value.items()}
    if type(value) in (int, float):
        check_plain(value, where=where)
    if kind is float and type(value) in (int, float):
        return float(value)
    if type(value) is kind:
        return value
    hint = " (yaml reads 1e-3 as text; write 1.0e-3)" if kind is float and isinstance(value, str) else ""
    raise RecipeError(f"{where}: is {value!r:.80}; expected {kind.__name__}{hint}")


def convert_tuple(arguments: tuple[Any, ...], value: Any, *, where: str) -> tuple[Any, ...]:
    """Return a yaml list as a tuple of fixed or any length."""
    if not isinstance(value, list | tuple):
        raise RecipeError(f"{where}: expected a list, got {value!r:.80}")
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        kinds = (arguments[0],) * len(value)
    elif len(arguments) == len(value):
        kinds = arguments
    else:
        raise RecipeError(f"{where}: expected {len(arguments)} entries, got {len(value)}")
    return tuple(
        convert(k, v, where=f"{where}[{i}]") for i, (k, v) in enumerate(zip(kinds, value, strict=True))
    )


def check_plain(value: Any, *, where: str) -> None:
    """Raise RecipeError for what JSON can't hold either: numbers without end, NaN, dates, keys of no text."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            if not isinstance(key, str):
                raise RecipeError(f"{where}: key {key!r:.80} is no text")
            check_plain(one, where=f"{where}.{key:.80}")
    elif isinstance(value, list | tuple):
        for number, one in enumerate(value):
            check_plain(one, where=f"{where}[{number}]")
    elif isinstance(value, float) and not math.isfinite(value):
        raise RecipeError(f"{where}: is {value}; expected a finite number")
    elif isinstance(value, int) and abs(value) > LARGEST_WHOLE:
        raise RecipeError(f"{where}: is a number of over 64 bits")
    elif not (value is None or isinstance(value, bool | int | float | str)):
        raise RecipeError(f"{where}: is {value!r:.80}; expected a number, a text, a list or a mapping")
