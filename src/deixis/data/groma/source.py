"""Training examples of Groma's files: a dialogue with marks, its picture, the boxes behind the marks."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np

from deixis.data.groma.boxes import MIN_SIDE, SizeFilter, on_square
from deixis.data.groma.building import BUILDERS, Built
from deixis.data.groma.draws import Draws, NumpyDraws
from deixis.data.groma.records import READERS, GromaRecord, PassedOver
from deixis.data.opening import orientation_of, stored_size, turned_edges
from deixis.data.scene import PictureFile
from deixis.errors import RecordError
from deixis.files.json_files import below
from deixis.pictures.opening import LARGEST_PIXELS, Picture
from deixis.regions.clipping import clip_edges
from deixis.regions.overlap import Edges
from deixis.regions.shapes import Box

LOG = logging.getLogger("deixis")
WithoutBoxes = Literal["left_out", "replaced"]
"""What becomes of a record whose boxes are all too small: it is counted and left out, or, as published, comes
up as a random other one."""

ANY_SIZE = SizeFilter()
MOST_REPLACEMENTS = 1000
BY_PILLOW = frozenset(("grit", "llava_instruct", "groma_instruct"))
PUBLISHED_SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "refcoco_rec": "refcoco",
        "refcoco_cap": "visual_genome",
        "single_vg": "visual_genome",
        "multi_vg": "visual_genome",
        "llava_instruct": "llava",
        "groma_instruct": "walle_data",
        "lvis": "v3det",
    }
)
"""What the published program calls the source of a kind, where it isn't the kind's own name."""


@dataclass(frozen=True)
class MarkedExample:
    """A dialogue with Groma's marks about a picture.

    kind: of the file. turns: questions and answers. refer, ground: the boxes behind the marks, in order, in
    the picture's pixels. by_pillow: which way of resizing the published program took.
    """

    name: str
    kind: str
    picture: Picture
    turns: tuple[tuple[str, str], ...]
    refer: tuple[Box, ...] = ()
    ground: tuple[Box, ...] = ()
    by_pillow: bool = False


class GromaSource:
    """The records of one file. kind: one of the ten (``building``). root: the folder of the pictures.

    without_boxes: see ``WithoutBoxes``. published: boxes without a mark are handed on, as the published
    program does where a record has several boxes and its dialogue speaks of one. RecordError: no record is
    left, or a record's picture can't be found.
    """

    def __init__(
        self,
        records: Sequence[GromaRecord],
        *,
        kind: str,
        root: Path,
        without_boxes: WithoutBoxes = "left_out",
        published: bool = False,
        max_pixels: int = LARGEST_PIXELS,
    ) -> None:
        self.kind, self.root, self.published, self.max_pixels = kind, Path(root), published, max_pixels
        usable = [self.is_usable(record) for record in records]
        small = sum(len(record.notes) - len(self.kept(record)) for record in records)
        if small:
            LOG.warning("%s: %d boxes are too small and dropped", kind, small)
        if without_boxes == "left_out":
            records = [record for record, kept in zip(records, usable, strict=True) if kept]
            if dropped := usable.count(False):
                LOG.warning("%s: %d records left out, all their boxes are too small", kind, dropped)
        if not any(usable):
            raise RecordError(f"there is no {kind} record with a box to learn from; expected at least one")
        self.records = tuple(records)

    def __len__(self) -> int:
        return len(self.records)

    def example(self, index: int, rng: np.random.Generator) -> MarkedExample:
        """Return record ``index`` as a dialogue; the same for the same state of ``rng``."""
        return self.drawn(self.records[index], NumpyDraws(rng))

    def drawn(self, record: GromaRecord, draws: Draws) -> MarkedExample:
        """Return a record as a dialogue, by these draws."""
        picture, record = opened(self.replaced(record, draws), self.root, max_pixels=self.max_pixels)
        built = BUILDERS[self.kind](record, self.kept(record), draws)
        refer, ground = self.meant(built)
        return MarkedExample(
            f"{self.kind} {record.picture}",
            self.kind,
            picture,
            tuple(built.turns),
            boxes_of(record, refer, picture),
            boxes_of(record, ground, picture),
            self.kind in BY_PILLOW,
        )

    def replaced(self, record: GromaRecord, draws: Draws) -> GromaRecord:
        """Return a record, or a random other one of its shape where none of its boxes is large enough.

        RecordError where draws find none.
        """
        if self.is_usable(record):
            return record
        alike = [one for one in self.records if is_lying(one) == is_lying(record)]
        for _ in range(MOST_REPLACEMENTS):
            other = alike[draws.choice(len(alike))]
            if self.is_usable(other):
                return other
        raise RecordError(
            f"{record.where}: no box is large enough, nor was one in {MOST_REPLACEMENTS} draws of another "
            "record of the same shape; leave such records out"
        )

    def is_usable(self, record: GromaRecord) -> bool:
        """Tell whether a record has a box that is large enough, or needs none."""
        return not record.notes or bool(self.kept(record))

    def kept(self, record: GromaRecord) -> list[int]:
        """Return the notes of a record whose box is large enough.

        As published, lists of boxes that don't come in COCO's layout are taken as they are.
        """
        least = ANY_SIZE if self.published and self.kind in BY_PILLOW else MIN_SIDE
        return large_enough(record, least)

    def meant(self, built: Built) -> tuple[list[int], list[int]]:
        """Return the notes whose boxes are handed on, to refer to and to be found."""
        more = built.surplus if self.published else []
        return built.refer + more * bool(built.refer), built.ground + more * bool(built.ground)

    def texts(self) -> Iterator[str]:
        """Yield the words of all records."""
        for record in self.records:
            yield record.caption
            yield from (text for note in record.notes for text in (note.caption, note.category) if text)
            yield from (text for said in record.said for text in (said.question, said.answer))


def read_groma(path: Path, *, kind: str, ratio: float = 1.0, seed: int = 0) -> list[GromaRecord]:
    """Return the records of a file, or a random share of them, the same for the same seed.

    What was passed over is logged with its number. RecordError: an unknown kind, or a file with mistakes.
    """
    if kind not in READERS:
        raise RecordError(f"{kind!r} is no kind of Groma's data; expected one of {', '.join(READERS)}")
    passed = PassedOver()
    records = READERS[kind](path, passed)
    if passed.counts:
        LOG.warning("%s: passed over %s", path, passed)
    if not 0 < ratio <= 1:
        raise RecordError(f"ratio is {ratio}; expected a share of the records, above 0 and up to 1")
    if ratio == 1:
        return records
    count = int(len(records) * ratio)
    chosen = np.random.default_rng(seed).choice(len(records), count, replace=False)
    return [records[index] for index in sorted(chosen.tolist())]


def is_lying(record: GromaRecord) -> bool:
    """Tell whether a record's picture is wider than high, as far as it says so."""
    return record.size is not None and record.size[0] > record.size[1]


def large_enough(record: GromaRecord, sizes: SizeFilter = MIN_SIDE) -> list[int]:
    """Return the notes of a record whose box fits, by default one above two pixels on both sides."""
    width, height = record.size or (1, 1)
    edges = [note.edges for note in record.notes]
    return np.nonzero(sizes.kept(on_square(edges, width=width, height=height)))[0].tolist()


def opened(record: GromaRecord, root: Path, *, max_pixels: int) -> tuple[Picture, GromaRecord]:
    """Return a record's upright picture, and the record with its boxes in the pixels of that."""
    file = PictureFile(below(root, record.picture, where=record.where), max_pixels=max_pixels)
    encoded = file.read()
    picture = file.opened(encoded)
    orientation = orientation_of(encoded, max_pixels=max_pixels)
    size = (picture.width, picture.height)
    stored = stored_size(size, orientation)
    stated = record.size or stored
    if stated not in (stored, size):
        raise RecordError(
            f"{record.where}: picture {record.picture} has {stored[0]} x {stored[1]} pixels, its entry says "
            f"{stated[0]} x {stated[1]}; so boxes do not fit. Was it resized, or is it another version?"
        )
    across, down = stored if record.size is None else (1, 1)
    turned = orientation if stated == stored else 1
    notes = []
    for note in record.notes:
        x0, y0, x1, y1 = note.edges
        edges: Edges = (x0 * across, y0 * down, x1 * across, y1 * down)
        if turned != 1:
            edges = turned_edges(edges, turned, width=size[0], height=size[1])
        notes.append(replace(note, edges=edges))
    return picture, replace(record, size=size, notes=tuple(notes))


def boxes_of(record: GromaRecord, indices: Sequence[int], picture: Picture) -> tuple[Box, ...]:
    """Return the boxes of some notes of an opened record, cut at the picture's edges."""
    cut = [
        clip_edges(record.notes[index].edges, width=picture.width, height=picture.height) for index in indices
    ]
    return tuple(Box(*edges, frame=picture.frame) for edges in cut)
