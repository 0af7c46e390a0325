"""A dialogue as a reader sees it: a session, its drawing, and what typed coordinates mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deixis.answers.drawing.drawn_file import write_drawing
from deixis.answers.grounded import Answer
from deixis.chat.describing import describe_exchange, describe_region
from deixis.chat.session import Session
from deixis.errors import UsageError
from deixis.pictures.opening import LARGEST_PIXELS, Picture
from deixis.regions.shapes import Region

NOTHING_YET = "Nothing has been asked yet."  # below the drawing


@dataclass
class Conversation:
    """A session, and how it is shown.

    source: the file of the picture, which nothing may overwrite. out: the file with the last answer drawn.
    frame: what typed coordinates are measured in, by name. max_pixels: of the file of a mask. over: whether
    the dialogue has been ended.
    """

    session: Session
    source: Path
    out: Path
    frame: str = "pixels"
    max_pixels: int = LARGEST_PIXELS
    over: bool = False

    def opening(self) -> str:
        """Return what to say first: what is talked about, with whom, and where it is drawn."""
        picture, system = self.session.picture, self.session.system.name
        return "\n".join(
            [
                f"{picture.name}, {picture.width} x {picture.height} pixels; {system} answers",
                f"each answer is drawn to {self.out}; /help says what can be typed",
                *(describe_region(name, region) for name, region in self.session.regions.items()),
            ]
        )

    def ask(self, question: str) -> str:
        """Ask, draw the answer, and return it for a reader; a question that fails changes nothing."""
        before = self.session.first
        exchange = self.session.ask(question)
        return describe_exchange(exchange, forgotten=self.session.first - before) + self.drawn()

    def draw(self) -> None:
        """Write the drawing of the last answer, or, before the first, the picture with its regions."""
        session = self.session
        if session.remembered:
            write_drawing(session.last(), self.out)
        else:
            begin_drawing(session.picture, session.regions, out=self.out, source=self.source)

    def drawn(self) -> str:
        """Draw; return a note, on a line of its own, if that failed: what was said still counts."""
        try:
            self.draw()
        except UsageError as fault:
            return f"\nnote: {fault}"
        return ""

    def refuse_own(self, path: Path) -> None:
        """Raise UsageError if a file is the picture or its drawing."""
        for own, what in ((self.source, "picture"), (self.out, "drawing")):
            if is_same_file(path, own):
                raise UsageError(f"{path} is the {what}; give another name, for instance chat.jsonl")


def begin_drawing(picture: Picture, regions: Mapping[str, Region], *, out: Path, source: Path) -> None:
    """Write the picture with its regions, before there is an answer.

    UsageError: the drawing cannot be written, or would overwrite the picture.
    """
    if is_same_file(out, source):
        raise UsageError(f"--out {out} is the picture itself; give the drawing another name")
    write_drawing(Answer(NOTHING_YET, (), (picture,), "", 0.0, regions=tuple(regions.items())), out)


def is_same_file(first: Path, second: Path) -> bool:
    """Tell whether two paths lead to one file."""
    return first.resolve() == second.resolve() or (
        first.exists() and second.exists() and first.samefile(second)
    )
