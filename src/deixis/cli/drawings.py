"""The files that answers are drawn to: one a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from deixis.answers.drawn_file import require_format, write_drawing
from deixis.answers.grounded import Answer
from deixis.cli.outputs import refuse_inputs
from deixis.errors import UsageError
from deixis.files.writing import require_writable, require_writable_folder

ENDING = ".png"  # of drawings in a folder


@dataclass(frozen=True)
class Drawings:
    """Where the answers about some pictures are drawn.

    out: for one picture a file, for several a folder. names: what the pictures are called. questions: how
    many are asked about each; from the second on, a number is added to the name of the first one's drawing.
    """

    out: Path
    names: Sequence[str]
    questions: int
    in_folder: bool

    def paths(self, name: str) -> list[Path]:
        """Return the files of a picture, one a question."""
        first = self.out / PurePath(name.lstrip("/")).with_suffix(ENDING) if self.in_folder else self.out
        more = (first.with_stem(f"{first.stem}-{number}") for number in range(2, self.questions + 1))
        return [first, *more]

    def check(self, inputs: Mapping[Path, str]) -> None:
        """Raise UsageError unless every drawing can be written, to a file of its own, and over no input."""
        if not self.in_folder:  # first of all: a folder has no name to add numbers to
            require_writable(self.out, flag="--out", makes_folders=True)
        else:
            require_writable_folder(self.out, flag="--out")
            require_apart({name: str(self.paths(name)[0]) for name in self.names})
        for name in self.names:
            for path in self.paths(name):
                refuse_inputs(path, inputs)
        if not self.in_folder:
            for path in self.paths(self.names[0]):
                require_writable(path, flag="--out", makes_folders=True)
                require_format(path, flag="--out")

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
