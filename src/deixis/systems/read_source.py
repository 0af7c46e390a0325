"""One source of a recipe as read: scenes, samples, or rows of a published file."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deixis.data.detection import labelled
from deixis.data.grit.records import GritRecord, read_grit
from deixis.data.grit.source import find_picture, sound_records
from deixis.data.groma.source import GromaSource, read_groma
from deixis.data.instructions.reading import InstructionRows, RowRules, read_instructions
from deixis.data.instructions.source import InstructionSource, files_named
from deixis.data.opening import sound_scenes, with_max_pixels
from deixis.data.painted.records import RegionRecord, read_region_records
from deixis.data.painted.source import PaintedSource, path_of, sound_region_records
from deixis.data.scene import Scene
from deixis.data.sources import detect_layout, read_scenes
from deixis.data.sources.coco import read_coco
from deixis.data.sources.lvis import read_lvis
from deixis.data.synthesis.phrasebook import phrases_of
from deixis.errors import RecipeError, RecordError
from deixis.pictures.opening import LARGEST_PIXELS
from deixis.records.record import Record, read_records
from deixis.systems.data_identity import digest, files_identity, scenes_identity
from deixis.training.recipes.data_paths import below
from deixis.training.recipes.source_choice import SourceChoice

WITH_MASKS = {"coco": read_coco, "lvis": read_lvis}  # dense locations are cut to what is in their boxes


@dataclass(frozen=True)
class ReadSource:
    """One source of a recipe as read.

    Of scenes only those with a phrase that has a box; of dense ones all; for detection those with a box.
    """

    choice: SourceChoice
    folder: Path
    scenes: tuple[Scene, ...] = ()
    held_out: tuple[Scene, ...] = ()
    records: tuple[Record, ...] = ()
    grit: tuple[GritRecord, ...] = ()
    painted: tuple[RegionRecord, ...] = ()
    rows: InstructionRows | None = None
    groma: GromaSource | None = None

    @classmethod
    def read(cls, choice: SourceChoice, data: Path) -> ReadSource:
        """Return what a choice names below ``data``; RecordError says what is wrong in which line."""
        folder = below(data, choice.folder, where="source folder")
        outside: dict[str, Any] = {} if choice.outside is None else {"outside": choice.outside}
        opened: dict[str, Any] = {"broken": choice.broken, "max_pixels": largest_of(choice)}
        if choice.samples is not None:
            file = below(data, f"{choice.folder}/{choice.samples}", where="file of samples")
            return cls(choice, folder, records=tuple(read_records(file, **opened, **outside)))
        if choice.grit is not None:
            file = below(data, f"{choice.folder}/{choice.grit}", where="file of samples")
            images = below(data, f"{choice.folder}/{choice.images}", where="folder of pictures")
            kept = sound_records(read_grit(file, **outside), images=images, **opened)
            return cls(choice, folder, grit=tuple(kept))
        if choice.painted is not None:
            file = below(data, f"{choice.folder}/{choice.painted}", where="file of region instructions")
            images = below(data, f"{choice.folder}/{choice.images}", where="folder of pictures")
            read = read_region_records(file, root=images)
            painted = sound_region_records(read, root=images, **opened)
            return cls(choice, folder, painted=tuple(painted))
        if choice.instructions is not None or choice.captions is not None:
            return cls(choice, folder, rows=rows_of(choice, folder))
        if choice.groma is not None:
            return cls(choice, folder, groma=groma_source(choice, data))
        found = scenes_of(choice, folder)
        if choice.hold_out > len(found):
            raise RecipeError(
                f"source {choice.what} has hold_out {choice.hold_out}, but only {len(found)} pictures; "
                "expected fewer"
            )
        first = len(found) - choice.hold_out
        usable = tuple if choice.dense else labelled if choice.detection else with_boxes
        return cls(choice, folder, scenes=usable(found[:first]), held_out=usable(found[first:]))

    @property
    def has_any(self) -> bool:
        """Whether there is anything to learn from."""
        lists = self.scenes or self.records or self.grit or self.painted
        return bool(lists) or self.rows is not None or self.groma is not None

    def instruction_source(self, rows: InstructionRows, *, side: int | None) -> InstructionSource:
        """Return the examples of instructions or captions; side: see ``InstructionSource``."""
        images, largest = self.folder / self.choice.images, self.choice.max_pixels
        bounds = {} if largest is None else {"max_pixels": largest}
        return InstructionSource(rows, images=images, side=side, **bounds)

    def painted_source(self, *, side: int | None) -> PaintedSource:
        """Return the examples of region instructions; side: see ``PaintedSource``."""
        images = self.folder / self.choice.images
        return PaintedSource(
            self.painted,
            root=images,
            side=side,
            published=self.choice.published_quirks,
            max_pixels=largest_of(self.choice),
        )

    def identity(self) -> dict[str, str]:
        """Return digests of what was read and of the names and sizes of its pictures."""
        if self.scenes or self.held_out:
            return scenes_identity((*self.scenes, *self.held_out), self.folder)
        if self.grit:
            images = self.folder / self.choice.images
            said = digest(dataclasses.replace(record, where="") for record in self.grit)
            names = dict.fromkeys(record.picture for record in self.grit if record.picture is not None)
            return {"samples": said, "pictures": files_identity(found_pictures(names, images), images)}
        if self.painted:
            images = self.folder / self.choice.images
            said = digest(dataclasses.replace(record, where="") for record in self.painted)
            paths = (path_of(record, images) for record in self.painted if record.image)
            return {"samples": said, "pictures": files_identity(paths, images)}
        if self.rows is not None:  # there may be millions of pictures; their files are not looked at
            return {"samples": self.rows.digest}
        if self.groma is not None:  # the same holds here
            return {"samples": digest(dataclasses.replace(one, where="") for one in self.groma.records)}
        said = digest((one.picture, one.frame, one.regions, one.turns) for one in self.records)
        return {"samples": said, "pictures": files_identity((r.path for r in self.records), self.folder)}


def groma_source(choice: SourceChoice, data: Path) -> GromaSource:
    """Return the examples of a file of Groma's training data."""
    file = below(data, f"{choice.folder}/{choice.groma}", where="file of Groma's data")
    images = below(data, f"{choice.folder}/{choice.images}", where="folder of pictures")
    kind = str(choice.kind)
    return GromaSource(
        read_groma(file, kind=kind, ratio=choice.ratio),
        kind=kind,
        root=images,
        without_boxes="replaced" if choice.published_quirks else "left_out",
        published=choice.published_quirks,
        max_pixels=largest_of(choice),
    )


def rows_of(choice: SourceChoice, folder: Path) -> InstructionRows:
    """Return the rows of a source of instructions or captions."""
    rules = RowRules(
        kind="captions" if choice.instructions is None else "conversations",
        faulty=choice.faulty,
        captions=choice.caption_filter,
        published=choice.published_quirks,
    )
    return read_instructions(files_named(folder, str(choice.file), where=f"source {choice.what!r}"), rules)


def scenes_of(choice: SourceChoice, folder: Path) -> list[Scene]:
    """Return the scenes of a dataset, with masks where dense locations can be cut to them."""
    masked = WITH_MASKS.get(detect_layout(folder)) if choice.dense else None
    if masked is None:
        return read_scenes(
            folder,
            choice.split,
            outside=choice.outside,
            broken=choice.broken,
            max_pixels=largest_of(choice),
        )
    options: dict[str, Any] = {} if choice.outside is None else {"outside": choice.outside}
    scenes = with_max_pixels(masked(folder, choice.split, masks=True, **options), largest_of(choice))
    return sound_scenes(scenes, source=folder, broken=choice.broken)


def largest_of(choice: SourceChoice) -> int:
    """Return how many pixels a picture of a source may have."""
    return LARGEST_PIXELS if choice.max_pixels is None else choice.max_pixels


def found_pictures(names: Iterable[str], images: Path) -> Iterator[Path]:
    """Yield the files of pictures, those that are there."""
    for name in names:
        with contextlib.suppress(RecordError):
            yield find_picture(name, images, where="sample")


def with_boxes(scenes: Sequence[Scene]) -> tuple[Scene, ...]:
    """Return the scenes that have a phrase with a box."""
    return tuple(scene for scene in scenes if phrases_of(scene))
