"""What a dialogue remembers: its picture, the regions that have names, and what was asked and answered."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from deixis.answers.grounded import Answer
from deixis.errors import UsageError
from deixis.pictures.opening import Picture
from deixis.regions.frames import Frame
from deixis.regions.names import REGION_NAME, names_in
from deixis.regions.shapes import Region


class Answering(Protocol):
    """What a dialogue asks: a ``System``, or one behind a server."""

    @property
    def name(self) -> str:
        """Return what it is called."""

    def ask(
        self,
        picture: Picture,
        question: str,
        *,
        regions: Mapping[str, Region],
        before: Sequence[Answer],
        **settings: Any,
    ) -> Answer:
        """Return the answer to a question about a picture and what was said before."""

    def fingerprint(self) -> str:
        """Return by what its weights are known; empty where its answers say it themselves."""


@dataclass(frozen=True)
class Exchange:
    """One question and its answer.

    first: the number of the oldest exchange that was remembered when the question was put. given: how many
    earlier answers the system read. crowding: what the system said against the longer history, empty if there
    was room for everything.
    """

    answer: Answer
    first: int
    given: int
    crowding: str = ""


class Session:
    """A dialogue with one system about one picture.

    exchanges: all that was not taken back, oldest first. first: those from this number on are remembered; the
    next question may lean on them. regions: by name, in the frame of the picture. settings: those of
    ``System.ask``.
    """

    def __init__(
        self,
        system: Answering,
        picture: Picture,
        *,
        regions: Mapping[str, Region] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.system = system
        self.picture = picture
        self.regions = dict(regions or {})
        self.settings = dict(settings or {})
        self.exchanges: list[Exchange] = []
        self.first = 0

    @cached_property
    def weights(self) -> str:
        """The fingerprint of the weights that answer, which takes a while to find."""
        return self.system.fingerprint()

    @property
    def remembered(self) -> list[Answer]:
        """The answers that the next question may lean on, oldest first."""
        return [exchange.answer for exchange in self.exchanges[self.first :]]

    def ask(self, question: str) -> Exchange:
        """Ask, and remember the answer; a question that fails leaves everything as it was.

        Where the system has no room for all that was said, the oldest exchanges are forgotten, as few as
        possible. UsageError: a ``{name}`` that is no region, or a question that no system would take.
        """
        own = {name: self.region(name) for name in dict.fromkeys(names_in(question))}
        crowding = ""
        for first in range(self.first, len(self.exchanges) + 1):
            before = [exchange.answer for exchange in self.exchanges[first:]]
            try:
                answer = self.system.ask(self.picture, question, regions=own, before=before, **self.settings)
            except UsageError as mistake:
                if not before:  # the question itself is at fault, not what was said before it
                    raise
                crowding = crowding or str(mistake)
                continue
            self.exchanges.append(Exchange(answer, self.first, len(before), crowding))
            self.first = first
            break
        return self.exchanges[-1]

    def undo(self) -> Exchange:
        """Take the last exchange back, and remember what was remembered before it."""
        if self.first == len(self.exchanges):
            raise UsageError("There is no turn to take back: nothing has been asked, or /new forgot it.")
        taken = self.exchanges.pop()
        self.first = taken.first
        return taken

    def forget(self) -> int:
        """Forget what was said, and return how many turns that were; regions keep their names."""
        count = len(self.remembered)
        self.first = len(self.exchanges)
        return count

    def last(self) -> Answer:
        """Return the last answer that is remembered; UsageError if there is none."""
        if self.first == len(self.exchanges):
            raise UsageError("There is no answer yet. Ask something first, for instance: What is there?")
        return self.exchanges[-1].answer

    def region(self, name: str) -> Region:
        """Return the region of a name; UsageError says which there are."""
        if name not in self.regions:
            near = difflib.get_close_matches(name, self.regions, n=1)
            hint = f"Did you mean {{{near[0]}}}? " if near else ""
            known = ", ".join(f"{{{known}}}" for known in self.regions) or "none"
            raise UsageError(
                f"There is no region {{{name[:40]}}}. {hint}The regions are: {known}. "
                f"Add one with /box {name if REGION_NAME.fullmatch(name) else 'a'} X0,Y0,X1,Y1, "
                "or double braces that stand for themselves: {{ and }}."
            )
        return self.regions[name]


def within(region: Region, frame: Frame) -> tuple[Region, list[str]]:
    """Return a region in the frame of a picture, cut at its edges, and what there is to say about that.

    BadRegion: it lies outside, or is a mask of another size.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        inside = region.clipped(frame)
    return inside, [str(warning.message) for warning in caught]
