"""What a file of settings may say, declared field by field: types and bounds, before anything is built.

A class of settings declares its fields once; whatever the file holds instead (another type, a number that is
no size, a list without end) is BadWeights with the field's name. Nothing here imports torch or transformers.
"""

from __future__ import annotations

import logging
import math
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from deixis.errors import BadWeights

LOG = logging.getLogger("deixis")
SHORT = reprlib.Repr()
SHORT.maxlevel, SHORT.maxstring, SHORT.maxlong, SHORT.maxother = 2, 60, 40, 60
LONGEST_TEXT = 4000
# What transformers adds to every file, or once did, and nothing here depends on.
IGNORED = frozenset(
    (
        "architectures",
        "transformers_version",
        "model_type",
        "_name_or_path",
        "use_cache",
        "return_dict",
        "_from_model_config",
    )
)


class Field(Protocol):
    """What one field may hold."""

    @property
    def expected(self) -> str:
        """Return in words what it may hold."""
        ...

    def check(self, value: Any, *, name: str, where: str) -> None:
        """Raise BadWeights unless it may hold the value."""
        ...


Fields = Mapping[str, Field]


def refused(value: Any, field: Field, *, name: str, where: str) -> BadWeights:
    """Return the fault of a value that a field may not hold."""
    return BadWeights(f"{where}: field {name!r} is {shown_value(value)}; expected {field.expected}")


def shown_value(value: Any) -> str:
    """Return a value for a message, shortened, however large or deep it is."""
    try:
        return SHORT.repr(value)[:120]
    except (ValueError, RecursionError):  # a number of more digits than Python writes
        return f"a {type(value).__name__} that is too large to be shown"


@dataclass(frozen=True)
class Whole:
    """A whole number, no truth value, from least to most; of the multiples of a number."""

    least: int
    most: int
    multiple: int = 1

    @property
    def expected(self) -> str:
        """Return in words what it may hold."""
        of = f", a multiple of {self.multiple}" if self.multiple > 1 else ""
        return f"a whole number from {self.least:,} to {self.most:,}{of}"

    def check(self, value: Any, *, name: str, where: str) -> None:
        """Raise BadWeights unless the value is one."""
        if type(value) is not int or not self.least <= value <= self.most or value % self.multiple:
            raise refused(value, self, name=name, where=where)


@dataclass(frozen=True)
class Number:
    """A finite number from least to most. above: least itself is none."""

    least: float
    most: float
    above: bool = False

    @property
    def expected(self) -> str:
        """Return in words what it may hold."""
        return f"a number {'above' if self.above else 'from'} {self.least:g} to {self.most:g}"

    def check(self, value: Any, *, name: str, where: str) -> None:
        """Raise BadWeights unless the value is one."""
        number = type(value) in (int, float)
        if not number or not self.least <= value <= self.most or (self.above and value == self.least):
            raise refused(value, self, name=name, where=where)
        if not math.isfinite(value):
            raise refused(value, self, name=name, where=where)


@dataclass(frozen=True)
class Truth:
    """True or false."""

    expected = "true or false"

    def check(self, value: Any, *, name: str, where: str) -> None:
        """Raise BadWeights unless the value is one."""
        if type(value) is not bool:
            raise refused(value, self, name=name, where=where)


@dataclass(frozen=True)
class Text:
    """A text that isn't very long; shaped: what it has to look like."""

    shaped: Callable[[str], bool] | None = None
    like: str = "a text"

    @property
    def expected(self) -> str:
        """Return in words what it may hold."""
        return self.like

    def check(self, value: Any, *, name: str, where: str) -> None:
        """Raise BadWeights unless the value is one."""
        if not isinstance(value, str) or len(value) > LONGEST_TEXT:
            raise refused(value, self, name=name, where=where)
        if self.shaped is not None and not self.shaped(value):
            raise refused(value, self, name=name, where=where)


@dataclass(frozen=True)
class OneOf:
    """One of some texts."""

    known: tuple[str, ...]

    @property
    def expected(self) -> str:
        """Return in words what it may hold."""
        return f"one of {', '.join(self.known)}"

    def check(self, value: Any, *, name: str, where: str) -> None:
        """Raise BadWeights unless the value is one."""
        if not isinstance(value, str) or value not in self.known:
            raise refused(value, self, name=name, where=where)


@dataclass(frozen=True)
class Maybe:
    """What another field may hold, or null."""

    field: Field

    @property
    def expected(self) -> str:
        """Return in words what it may hold."""
        return f"{self.field.expected}, or null"

    def check(self, value: Any, *, name: str, where: str) -> None:
        """Raise BadWeights unless it may hold the value."""
        if value is not None:
            self.field.check(value, name=name, where=where)


DTYPE = Maybe(OneOf(("float32", "float16", "bfloat16", "float64")))
# Fields that a class of settings has from the library.
EVERYWHERE: Fields = MappingProxyType({"dtype": DTYPE, "torch_dtype": DTYPE})


@dataclass(frozen=True)
class Listed:
    """A list of so many values of one kind."""

    field: Field
    least: int
    most: int

    @property
    def expected(self) -> str:
        """Return in words what it may hold."""
        return f"a list of {self.least:,} to {self.most:,} values, each {self.field.expected}"

    def check(self, value: Any, *, name: str, where: str) -> None:
        """Raise BadWeights unless the value is one."""
        if not isinstance(value, list | tuple) or not self.least <= len(value) <= self.most:
            raise refused(value, self, name=name, where=where)
        for number, one in enumerate(value):
            self.field.check(one, name=f"{name}[{number}]", where=where)


@dataclass(frozen=True)
class Either:
    """One value of a kind, or a list of at least one of them."""

    field: Field
    most: int = 64

    @property
    def expected(self) -> str:
        """Return in words what it may hold."""
        return f"{self.field.expected}, or a list of up to {self.most} of these"

    def check(self, value: Any, *, name: str, where: str) -> None:
        """Raise BadWeights unless the value is one."""
        several = isinstance(value, list | tuple)
        (Listed(self.field, 1, self.most) if several else self.field).check(value, name=name, where=where)


@dataclass(frozen=True)
class Group:
    """An object with declared fields and no others.

    needed: fields that have to be there. fits: raises ValueError, in words, where fields contradict
    each other.
    """

    fields: Fields
    needed: tuple[str, ...] = ()
    fits: Callable[[Mapping[str, Any]], None] | None = None

    expected = "an object"

    def check(self, value: Any, *, name: str, where: str) -> None:
        """Raise BadWeights unless the value is one."""
        if not isinstance(value, Mapping):
            raise refused(value, self, name=name, where=where)
        for key in self.needed:
            if key not in value:
                raise BadWeights(f"{where}: field {joined(name, key)!r} is missing")
        for key, one in value.items():
            if key not in self.fields:
                raise BadWeights(
                    f"{where}: field {joined(name, shown_value(key))!r} is not known; expected one of "
                    f"{', '.join(self.fields)}"
                )
            self.fields[key].check(one, name=joined(name, key), where=where)
        if self.fits is not None:
            try:
                self.fits(value)
            except ValueError as fault:
                raise BadWeights(f"{where}: {name or 'it'} contradicts itself: {fault}") from fault


@dataclass(frozen=True)
class ByKind:
    """An object whose field ``kind`` says which group of further fields it has."""

    kind: str
    groups: Mapping[str, Group]

    expected = "an object"

    def check(self, value: Any, *, name: str, where: str) -> None:
        """Raise BadWeights unless the value is one."""
        if not isinstance(value, Mapping):
            raise refused(value, self, name=name, where=where)
        kinds = OneOf(tuple(self.groups))
        kinds.check(value.get(self.kind), name=joined(name, self.kind), where=where)
        rest = {key: one for key, one in value.items() if key != self.kind}
        self.groups[value[self.kind]].check(rest, name=name, where=where)


def joined(outer: str, name: str) -> str:
    """Return the full name of a field of a group.

    >>> joined("tower", "side"), joined("", "side")
    ('tower.side', 'side')
    """
    return f"{outer}.{name}" if outer else name


def checked(values: Mapping[str, Any], fields: Fields, *, where: str) -> dict[str, Any]:
    """Return the declared fields that a file has, each as declared; BadWeights for one that isn't.

    What else the file holds is left out and named in the log: other programs add fields of their own.
    """
    unknown = [shown_value(name) for name in values if name not in fields and name not in IGNORED]
    if unknown:
        LOG.warning("%s: unknown fields are ignored: %s", where, ", ".join(unknown[:20]))
    known = {name: values[name] for name in fields if name in values}
    for name, value in known.items():
        fields[name].check(value, name=name, where=where)
    return known
