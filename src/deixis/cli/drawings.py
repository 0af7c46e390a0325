"""The files that answers are drawn to, and those of what the model saw: one a question."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from deixis.answers.drawing.drawn_file import require_format, write_drawing, write_picture
from deixis.answers.grounded import Answer
from deixis.cli.outputs import refuse_inputs
from deixis.errors import UsageError
from deixis.files.writing import require_writable, require_writable_folder

if TYPE_CHECKING:
    from deixis.pictures.opening import Picture
    from deixis.systems.contract import System

ENDING = ".png"  # of drawings in a folder
SAVE_INPUT = "--save-input"


@dataclass(frozen=True)
class Drawings:
    """Where the answers about some pictures are drawn.

    out: for one picture a file, for several a folder. names: what the pictures are called. questions: how
    many are asked about each; from the second on, a number is added to the name of the first one's drawing.
    flag: what of the command line says ``out``.
    """

    out: Path
    names: Sequence[str]
    questions: int
    in_folder: bool
    flag: str = "--out"

    def paths(self, name: str) -> list[Path]:
        """Return the files of a picture, one a question."""
        first = self.out / PurePath(name.lstrip("/")).with_suffix(ENDING) if self.in_folder else self.out
        more = (first.with_stem(f"{first.stem}-{number}") for number in range(2, self.questions + 1))
        return [first, *more]

    def check(self, inputs: Mapping[Path, str]) -> None:
        """Raise UsageError unless every drawing can be written, to a file of its own, and over no input."""
        if not self.in_folder:  # first of all: a folder has no name to add numbers to
            require_writable(self.out, flag=self.flag, makes_folders=True)
        else:
            require_writable_folder(self.out, flag=self.flag)
            require_apart({name: str(self.paths(name)[0]) for name in self.names})
        for name in self.names:
            for path in self.paths(name):
                refuse_inputs(path, inputs, flag=self.flag)
        if not self.in_folder:
            for path in self.paths(self.names[0]):
                require_writable(path, flag=self.flag, makes_folders=True)
                require_format(path, flag=self.flag)

    def draw(self, answers: Sequence[Answer], name: str) -> list[Path]:
        """Draw the answers about a picture, and return the files."""
        paths = self.paths(name)
        for answer, path in zip(answers, paths, strict=True):
            write_drawing(answer, path)
        return paths


def require_apart(written: Mapping[str, str]) -> None:
    """Raise UsageError where two pictures would be written to one file. written: by the pictures' names."""
    first: dict[str, str] = {}
    for name, path in written.items():
        other = first.setdefault(path, name)
        if other != name:
            raise UsageError(
                f"{other} and {name} would both be written to {path}; ask about them apart, or rename one"
            )


@dataclass(frozen=True)
class SeenPictures:
    """Where the pictures go that a system saw: files named as drawings are."""

    files: Drawings

    def check(self, inputs: Mapping[Path, str], drawn: Drawings | None) -> None:
        """Raise UsageError unless all can be written, over no input and no drawing."""
        drawings = (
            {} if drawn is None else {path: "a drawing" for n in drawn.names for path in drawn.paths(n)}
        )
        self.files.check({**inputs, **drawings})

    def write(
        self,
        system: System,
        picture: Picture,
        questions: Sequence[str],
        regions: Sequence[Mapping[str, Any]],
        name: str,
    ) -> None:
        """Write what a system sees of a picture, for each question about it."""
        for text, own, path in zip(questions, regions, self.files.paths(name), strict=True):
            (seen,) = system.seen(picture, text, regions=own)
            write_picture(seen.image(), path)


def seen_pictures(
    arguments: argparse.Namespace, names: Sequence[str], *, questions: int, several: bool
) -> SeenPictures | None:
    """Return where the pictures go that the model saw, None if nobody asked for them."""
    out = arguments.save_input
    if out is None:
        return None
    if arguments.out is not None and out == arguments.out:
        raise UsageError(f"--out and {SAVE_INPUT} are both {out}; give two names")
    return SeenPictures(Drawings(out, names, questions, in_folder=several, flag=SAVE_INPUT))
