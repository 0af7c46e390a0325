"""Where the answers of ``deixis ask`` go: lines on standard output, drawings, or files of other tools.

Whatever can be known to fail is tried out before anything is asked, and what was answered is never lost.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import IO, Any

from deixis.answers.as_text import describe
from deixis.answers.export.coco import CocoFile
from deixis.answers.export.label_studio import label_studio_task
from deixis.answers.export.labels import Labels
from deixis.answers.export.yolo import yolo_lines, yolo_names
from deixis.answers.grounded import Answer
from deixis.cli.answer_flags import in_flags
from deixis.cli.drawings import Drawings, require_apart
from deixis.cli.outputs import refuse_inputs
from deixis.errors import UsageError
from deixis.files.writing import require_writable, require_writable_folder, unwritable, write_whole
from deixis.pictures.opening import Picture


class AnswerOutput(ABC):
    """Takes the answers about one picture after the other."""

    @abstractmethod
    def check(self, inputs: Mapping[Path, str]) -> None:
        """Raise UsageError for what is known not to work. inputs: files that are read, which none may be."""

    @abstractmethod
    def add(self, answers: Sequence[Answer], picture: Picture, name: str) -> None:
        """Take all answers about a picture."""

    @abstractmethod
    def close(self) -> None:
        """Write what waits for the last answer; there may be fewer than expected."""


class Printed(AnswerOutput):
    """Answers on standard output, as text or JSON lines, and maybe drawn as well.

    headed: each picture's name comes before its answers.
    """

    def __init__(self, *, as_json: bool, headed: bool, drawings: Drawings | None) -> None:
        self.as_json, self.headed, self.drawings = as_json, headed, drawings

    def check(self, inputs: Mapping[Path, str]) -> None:
        """Try out the drawings."""
        if self.drawings is not None:
            self.drawings.check(inputs)

    def add(self, answers: Sequence[Answer], picture: Picture, name: str) -> None:
        """Print, then draw."""
        if self.headed and not self.as_json:
            print(f"{name}:", flush=True)
        for answer in answers:
            print(answer.to_json() if self.as_json else in_flags(describe(answer)), flush=True)
        if self.drawings is not None:
            for path in self.drawings.draw(answers, name):
                if not self.as_json:
                    print(f"drawn: {path}", flush=True)

    def close(self) -> None:
        """Do nothing: all was printed at once."""


class LinesFile(AnswerOutput):
    """JSON lines in a file; each answer is in it as soon as it is given."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stream: IO[str] | None = None

    def check(self, inputs: Mapping[Path, str]) -> None:
        """Try out the file."""
        refuse_inputs(self.path, inputs)
        require_writable(self.path, flag="--out", makes_folders=True)

    def add(self, answers: Sequence[Answer], picture: Picture, name: str) -> None:
        """Write a line an answer; what can't be written is printed."""
        lines = "".join(f"{answer.to_json()}\n" for answer in answers)
        try:
            if self.stream is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self.stream = self.path.open("w", encoding="ascii")
            self.stream.write(lines)
            self.stream.flush()
        except OSError as fault:
            print(lines, end="", flush=True)
            raise unwritable(self.path, fault, flag="--out") from fault

    def close(self) -> None:
        """Close the file."""
        if self.stream is not None:
            stream, self.stream = self.stream, None
            try:
                stream.close()
            except OSError as fault:
                raise unwritable(self.path, fault, flag="--out") from fault


class Document(AnswerOutput):
    """One JSON document about all pictures, in a file or on standard output."""

    def __init__(self, path: Path | None) -> None:
        self.path = path

    @abstractmethod
    def is_empty(self) -> bool:
        """Tell whether nothing was answered."""

    @abstractmethod
    def content(self) -> Any:
        """Return the document's plain values."""

    def check(self, inputs: Mapping[Path, str]) -> None:
        """Try out the file."""
        if self.path is not None:
            refuse_inputs(self.path, inputs)
            require_writable(self.path, flag="--out", makes_folders=True)

    def close(self) -> None:
        """Write the document; where that fails it is printed, so that nothing is lost."""
        if self.is_empty():
            return
        text = json.dumps(self.content(), allow_nan=False) + "\n"
        if self.path is None:
            print(text, end="", flush=True)
            return
        try:
            write_whole(self.path, text)
        except UsageError:
            print(text, end="", flush=True)
            raise


class CocoDocument(Document):
    """A COCO file. results: detection results instead of annotations."""

    def __init__(self, path: Path | None, names: Sequence[str], *, results: bool) -> None:
        super().__init__(path)
        self.file, self.results = CocoFile(names), results

    def add(self, answers: Sequence[Answer], picture: Picture, name: str) -> None:
        """Take a picture's answers."""
        self.file.add_picture(picture, name)
        for answer in answers:
            self.file.add(answer, name)

    def is_empty(self) -> bool:
        """Tell whether no picture was answered about."""
        return not self.file.images

    def content(self) -> Any:
        """Return annotations or results."""
        return self.file.results() if self.results else self.file.annotations()


class LabelStudioDocument(Document):
    """Tasks of Label Studio, one a picture. prefix: what stands before a picture's name in its address."""

    def __init__(self, path: Path | None, *, prefix: str) -> None:
        super().__init__(path)
        self.prefix = prefix
        self.tasks: list[dict[str, Any]] = []

    def add(self, answers: Sequence[Answer], picture: Picture, name: str) -> None:
        """Take a picture's answers."""
        model = " ".join(filter(None, (answers[0].system, answers[0].weights)))
        self.tasks.append(label_studio_task(answers, picture, image=self.prefix + name, model=model))

    def is_empty(self) -> bool:
        """Tell whether no picture was answered about."""
        return not self.tasks

    def content(self) -> Any:
        """Return the list of tasks."""
        return self.tasks


class YoloFolder(AnswerOutput):
    """A folder with ``labels/NAME.txt`` for every picture, and ``data.yaml`` with the names of the labels."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self.folder, self.names, self.labels = folder, names, Labels(first=0)

    def file_of(self, name: str) -> Path:
        """Return the label file of a picture."""
        return self.folder / "labels" / PurePath(name.lstrip("/")).with_suffix(".txt")

    def check(self, inputs: Mapping[Path, str]) -> None:
        """Try out the folder."""
        require_writable_folder(self.folder, flag="--out")
        require_apart({name: str(self.file_of(name)) for name in self.names})

    def add(self, answers: Sequence[Answer], picture: Picture, name: str) -> None:
        """Write a picture's labels."""
        write_whole(self.file_of(name), yolo_lines(answers, picture, self.labels))

    def close(self) -> None:
        """Write the names of the labels."""
        write_whole(self.folder / "data.yaml", yolo_names(self.labels))
