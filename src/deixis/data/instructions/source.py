"""Training examples of captions and dialogues about whole pictures, and of dialogues about none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from deixis.data.instructions.conversation import Conversation
from deixis.data.instructions.reading import InstructionRows
from deixis.data.painted.source import doubled
from deixis.errors import BadPicture, RecordError
from deixis.files.json_files import below
from deixis.pictures.opening import LARGEST_PIXELS, Picture, open_picture
from deixis.pictures.padding import letterbox
from deixis.records.dialogue import Dialogue, Example, Turn


class InstructionSource:
    """Rows with the pictures that they name.

    images: the folder that pictures are named from. side: letterbox pictures to it; None leaves them as they
    are. max_pixels: how large pictures may be that are opened. A dialogue of words has no picture at all,
    where the published programs show a black one to the encoder.
    """

    def __init__(
        self,
        rows: InstructionRows,
        *,
        images: Path,
        side: int | None = None,
        max_pixels: int = LARGEST_PIXELS,
    ) -> None:
        self.rows, self.images = rows, Path(images)
        self.side, self.max_pixels = side, max_pixels

    def __len__(self) -> int:
        return len(self.rows)

    def example(self, index: int, rng: np.random.Generator) -> Example:
        """Return row ``index``; RecordError, BadPicture: its picture isn't there, or can't be opened."""
        conversation = self.rows.conversation(index)
        turns = tuple(
            Turn(
                doubled(turn.question),
                turn.answer,
                pictures=self.opened(conversation, turn.images) if number else (),
            )
            for number, turn in enumerate(conversation.turns)
        )
        first = self.opened(conversation, conversation.turns[0].images)
        return Example(conversation.name, first, (Dialogue(self.rows.rules.kind, turns),))

    def opened(self, conversation: Conversation, names: tuple[str, ...]) -> tuple[Picture, ...]:
        """Return pictures by their names, upright."""
        found = []
        for name in names:
            path = below(self.images, name, where=conversation.name, linked_folders=True)
            try:
                picture = open_picture(path, max_pixels=self.max_pixels, name=name)
            except BadPicture as fault:
                raise BadPicture(f"{conversation.name}: {fault}") from fault
            found.append(picture if self.side is None else letterbox(picture, self.side))
        return tuple(found)

    def lengths(self) -> list[int]:
        """Return how many words each row has, negative where it has no picture."""
        found: list[int] = self.rows.lengths.tolist()
        return found

    def texts(self) -> Iterator[str]:
        """Yield the texts of all rows."""
        for conversation in self.rows.conversations():
            yield from conversation.texts


def files_named(folder: Path, name: str, *, where: str) -> list[Path]:
    """Return the files of a name that may hold ``*``, in the order of their names; RecordError for none.

    A pattern names files of one folder: ``*`` stands in the last part only.
    """
    if "*" not in name:
        return [below(folder, name, where=where, linked_folders=True)]
    parts = Path(name)
    parent = folder if len(parts.parts) == 1 else below(folder, str(parts.parent), where=where)
    if "*" in str(parts.parent):
        raise RecordError(f"{where}: {name!r} has * in a folder's name; expected it in a file's name only")
    found = sorted(path for path in parent.glob(parts.name) if path.is_file())
    if not found:
        raise RecordError(f"{where}: there is no file {name} in {folder}")
    return [below(folder, path.relative_to(folder).as_posix(), where=where) for path in found]
