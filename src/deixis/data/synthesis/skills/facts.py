"""What captions say of things: their colours, and what they do, wear and hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PEOPLE = "people"  # the type of phrases that mean people
DOERS = frozenset((PEOPLE, "animals"))
ON = ("on", "in front of", "on top of", "next to", "behind", "beside", "under", "over", "above", "between")


@dataclass(frozen=True)
class Part:
    """A phrase of a caption, lower-cased, its noun, and the things that it means, if any is boxed."""

    text: str
    noun: str
    things: tuple[int, ...]
    types: tuple[str, ...] = ()


@dataclass(frozen=True)
class Colour:
    """A thing is of a colour: ``of`` "a black and white dog", ``words`` "black and white"."""

    of: Part
    words: str


@dataclass(frozen=True)
class Deed:
    """Someone does something: ``who`` "a man", ``doing`` "sitting", ``link`` "on", ``what`` a bench.

    verb: the "-ing" form alone. doing: with its particle ("picking up"). link: the preposition, or nothing.
    what: None where it is done to nothing. Wearing is one, also where a caption says "a man in a hat".
    """

    who: Part
    verb: str
    doing: str
    link: str = ""
    what: Part | None = None

    @property
    def said(self) -> str:
        """What is done, in words: "sitting on a bench".

        >>> Deed(Part("a man", "man", (1,)), "sitting", "sitting", "on", Part("a bench", "bench", ())).said
        'sitting on a bench'
        """
        what = "" if self.what is None else self.what.text
        return " ".join(word for word in (self.doing, self.link, what) if word)


@dataclass(frozen=True)
class Standing:
    """Something is somewhere: ``what`` "a dog", ``link`` "on", ``where`` "a sofa"."""

    what: Part
    link: str
    where: Part


@dataclass(frozen=True)
class SceneFacts:
    """What the captions of one picture say, each fact once.

    words: all that they use. doings: their verbs, in "-ing". nouns: those that always mean the same things,
    with these. outdoors: None where it is not sure. people: all of them, where it is known that they are all.
    """

    colours: tuple[Colour, ...] = ()
    deeds: tuple[Deed, ...] = ()
    standings: tuple[Standing, ...] = ()
    words: frozenset[str] = frozenset()
    doings: frozenset[str] = frozenset()
    nouns: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    outdoors: bool | None = None
    people: tuple[int, ...] | None = None
