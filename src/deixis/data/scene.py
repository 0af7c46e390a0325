"""What a dataset says about one picture, whichever dataset it was: things with boxes, captions, expressions.

Every reader in `data.sources` returns scenes; dialogues and evaluation know nothing else of a dataset.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from deixis.errors import RecordError
from deixis.pictures.opening import LARGEST_FILE, LARGEST_PIXELS, Picture, open_picture
from deixis.regions.shapes import Box, Mask


@dataclass(frozen=True)
class PictureFile:
    """Where the encoded bytes of one picture lie; nothing is read before `read`, so it travels to loader
    workers.

    With `offset` and `size` the picture is that stretch of the tar shard `path` (its name there is `member`),
    without them it is the whole file `path`. max_pixels: how large it may be to be opened (`open_picture`).

    >>> PictureFile(Path("images/train-00.tar"), member="7.jpg", offset=512, size=9_000).name
    'train-00.tar/7.jpg'
    """

    path: Path
    member: str | None = None
    offset: int | None = None
    size: int | None = None
    max_pixels: int = LARGEST_PIXELS

    def __post_init__(self) -> None:
        if (self.offset is None) != (self.size is None):
            raise RecordError(
                f"picture in {self.path}: offset and size go together, got {self.offset} and {self.size}"
            )

    @property
    def name(self) -> str:
        """A short name for messages: the file, or shard and member."""
        return self.path.name if self.member is None else f"{self.path.name}/{self.member}"

    def open(self) -> Picture:
        """The picture, upright, whatever its size; BadPicture or RecordError if it can't be opened."""
        return self.opened(self.read())

    def opened(self, encoded: bytes) -> Picture:
        """The picture of the bytes that were read of it."""
        return open_picture(encoded, max_pixels=self.max_pixels, name=self.name)

    def read(self) -> bytes:
        """The encoded bytes. A file that is gone, too large, or shorter than it was raises RecordError."""
        try:
            status = self.path.stat()
            size = status.st_size if self.size is None else self.size
            if size > LARGEST_FILE or not stat.S_ISREG(status.st_mode):
                raise RecordError(
                    f"picture {self.path} has {size:,} bytes; expected an ordinary file, and a picture of at "
                    f"most {LARGEST_FILE:,}"
                )
            if self.offset is None or self.size is None:
                with self.path.open("rb") as stream:
                    return stream.read(size)
            with self.path.open("rb") as shard:
                shard.seek(self.offset)
                found = shard.read(self.size)
        except OSError as fault:
            raise RecordError(f"picture {self.path} cannot be read: {fault.strerror or fault}") from fault
        if len(found) != self.size:
            raise RecordError(
                f"picture {self.name}: expected {self.size} bytes at {self.offset}, the shard ends after "
                f"{len(found)}; was it cut or replaced since it was opened?"
            )
        return found


@dataclass(frozen=True)
class Thing:
    """One boxed thing. `box` is in pixels of the stored file; `id` is unique in its scene.

    `group`: one box drawn round several things. `coco_name`: the name among the 80 COCO classes that fits.
    """

    id: int
    box: Box
    category: str
    group: bool = False
    mask: Mask | None = None
    coco_name: str | None = None
    supercategory: str | None = None

    @property
    def sort(self) -> str:
        """What sort of thing it is: its supercategory, or its category where that isn't known."""
        return self.supercategory or self.category


@dataclass(frozen=True)
class Phrase:
    """A noun phrase of a caption: `caption.text[start:end] == text`; `things` are ids, empty where nothing
    is boxed.

    `entity` is the dataset's name for what is meant, shared by captions that speak of the same; "0": not
    visual.
    """

    start: int
    end: int
    text: str
    things: tuple[int, ...] = ()
    types: tuple[str, ...] = ()
    entity: str = "0"


@dataclass(frozen=True)
class Caption:
    """A sentence about the picture and the phrases in it, in order of `start`."""

    text: str
    phrases: tuple[Phrase, ...] = ()


@dataclass(frozen=True)
class Expression:
    """Words that refer to exactly one thing (its id).

    `unique`: nothing else in the picture is called by these words; `distractors`: other things of its
    category.
    """

    text: str
    thing: int
    unique: bool
    group: bool
    distractors: int


@dataclass(frozen=True)
class Scene:
    """All that a dataset says about one picture of `width` x `height` pixels.

    `exhaustive` holds the category names of which every instance is boxed, so that absence is certain.
    `upright`: things have been carried from pixels of the stored file to the turned picture. `exchanges`:
    questions that people asked about the picture, with their answers.

    >>> cup = Thing(4, Box(0, 0, 5, 5), "cup")
    >>> scene = Scene("7", PictureFile(Path("7.jpg")), 20, 10, things=(cup,), captions=(), expressions=())
    >>> scene.thing(4).category
    'cup'
    """

    id: str
    picture: PictureFile
    width: int
    height: int
    things: tuple[Thing, ...]
    captions: tuple[Caption, ...]
    expressions: tuple[Expression, ...]
    exhaustive: frozenset[str] = frozenset()
    source: str = ""
    upright: bool = False
    exchanges: tuple[tuple[str, str], ...] = ()

    @cached_property
    def _things_by_id(self) -> dict[int, Thing]:
        return {thing.id: thing for thing in self.things}

    def thing(self, number: int) -> Thing:
        """The thing of that id; RecordError for an id that this scene does not have."""
        if number not in self._things_by_id:
            known = ", ".join(map(str, self._things_by_id)) or "none"
            raise RecordError(f"scene {self.id} has no thing {number}; it has: {known}")
        return self._things_by_id[number]
