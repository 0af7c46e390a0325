"""What a system says of its conversions: names, options and ways, which ``deixis convert`` is made of.

A system's ``conversion.py`` holds a tuple of these. It is read whenever a command line is, so it imports what
converts only when something is converted.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Option:
    """An argument of the command line. kind: the name of a folder, a switch, or one that chooses a way.

    former: what it was called before; that goes on working.

    >>> Option("local_vision_encoder", "the tiles' vision encoder").flag
    '--local-vision-encoder'
    """

    name: str
    help: str
    kind: Literal["folder", "switch", "way"] = "folder"
    former: str | None = None

    @property
    def flag(self) -> str:
        """The option as it is typed."""
        return as_typed(self.name)

    @property
    def former_flag(self) -> str | None:
        """What was typed for it before."""
        return None if self.former is None else as_typed(self.former)

    def given(self, arguments: Namespace) -> bool:
        """Return whether a command line has it."""
        return bool(getattr(arguments, self.name))


def as_typed(name: str) -> str:
    """Return an option's name as a flag."""
    return "--" + name.replace("_", "-")


# What these say is the same for every system.
FOLDER = Option("folder", "a whole checkpoint")
VISION_ENCODER = Option("vision_encoder", "the vision encoder, if the checkpoint has none", former="tower")
BACK = Option("back", "from a folder of deixis to the original format", "way")


@dataclass(frozen=True)
class Way:
    """One way of converting.

    run: gets the command line, ``out`` among it, and returns in words what it wrote. needed and allowed: what
    it takes besides. chosen_by: the option that asks for this way; None: it is taken where none is asked for.
    """

    run: Callable[[Namespace], str]
    needed: tuple[Option, ...]
    allowed: tuple[Option, ...] = ()
    chosen_by: Option | None = None

    @property
    def takes(self) -> tuple[Option, ...]:
        """All options that have a meaning here."""
        return (*self.needed, *self.allowed, *((self.chosen_by,) if self.chosen_by else ()))


@dataclass(frozen=True)
class Converter:
    """What ``deixis convert NAME`` does.

    options: all that its ways take, in the order of the help. ways: the first that is asked for is taken; the
    last is taken where none is. examples: whole commands for the help.
    """

    name: str
    options: tuple[Option, ...]
    ways: tuple[Way, ...]
    examples: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        taken = {option.name for way in self.ways for option in way.takes}
        if unlisted := taken - {option.name for option in self.options}:
            raise ValueError(
                f"converter {self.name!r} doesn't list {', '.join(sorted(unlisted))} among its options"
            )
        if not self.ways or self.ways[-1].chosen_by is not None:
            raise ValueError(f"converter {self.name!r} has no way for when none is asked for")

    def way(self, arguments: Namespace) -> Way:
        """Return the way that a command line asks for."""
        asked = (way for way in self.ways if way.chosen_by is None or way.chosen_by.given(arguments))
        return next(asked)
