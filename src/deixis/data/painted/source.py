"""Training examples of region instructions, painted whenever they come up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deixis.data.opening import TURNS, orientation_of
from deixis.data.painted.building import build
from deixis.data.painted.instruction import Instruction
from deixis.data.painted.records import RegionRecord
from deixis.errors import BadRegion, RecordError
from deixis.files.json_files import below
from deixis.painting.draws import Draws, SeededDraws
from deixis.painting.published import Look, strokes_of
from deixis.painting.strokes import lay_over
from deixis.pictures.broken import REFUSE, BrokenPictures
from deixis.pictures.opening import LARGEST_PIXELS, Picture, open_picture
from deixis.pictures.padding import letterbox
from deixis.records.dialogue import Dialogue, Example, Turn
from deixis.records.lengths import words_in
from deixis.text.templates import IMAGE

PICTURE_LINE = f"{IMAGE}\n"


class PaintedSource:
    """Records with the pictures that their marks are painted on.

    root: the folder that pictures are named from. side: letterbox painted pictures to it; None leaves them as
    they are. published: dialogues as the released code builds them, which leaves the picture out of
    RefCOCOg's and Visual Genome's. max_pixels: how large pictures may be that are opened.
    """

    def __init__(
        self,
        records: Sequence[RegionRecord],
        *,
        root: Path,
        side: int | None = None,
        published: bool = False,
        max_pixels: int = LARGEST_PIXELS,
    ) -> None:
        if not records:
            raise RecordError("there are no records to train from; expected at least one")
        self.records, self.root, self.published = tuple(records), Path(root), published
        self.side, self.max_pixels = side, max_pixels

    def __len__(self) -> int:
        return len(self.records)

    def example(self, index: int, rng: np.random.Generator) -> Example:
        """Return a record, its kinds, colours and strokes drawn from `rng`.

        RecordError where it can't be painted: a sample is never replaced by another one.
        """
        record = self.records[index]
        draws = SeededDraws(int(rng.integers(2**32)))
        made = build(record, draws, published=self.published)
        seen = any(question.startswith(PICTURE_LINE) for question, _ in made.turns)
        pictures: tuple[Picture, ...] = ()
        if seen:
            picture = painted_picture(record, made, draws, root=self.root, max_pixels=self.max_pixels)
            pictures = (picture if self.side is None else letterbox(picture, self.side),)
        turns = tuple(
            Turn(doubled(question.removeprefix(PICTURE_LINE)), answer) for question, answer in made.turns
        )
        return Example(f"{record.kind} {record.image}", pictures, (Dialogue(record.kind, turns),))

    def texts(self) -> Iterator[str]:
        """Yield the texts of all records, in one drawing that stands for all."""
        for number, record in enumerate(self.records):
            made = build(record, SeededDraws(number), published=self.published)
            yield from (text.removeprefix(PICTURE_LINE) for turn in made.turns for text in turn)

    def lengths(self) -> list[int]:
        """Return how many words each record has, in one drawing that stands for all."""
        found = []
        for number, record in enumerate(self.records):
            made = build(record, SeededDraws(number), published=self.published)
            words = words_in(text for turn in made.turns for text in turn)
            found.append(words if made.turns[0][0].startswith(PICTURE_LINE) else -words)
        return found


def sound_region_records(
    records: Sequence[RegionRecord],
    *,
    root: Path,
    broken: str = REFUSE,
    max_pixels: int = LARGEST_PIXELS,
) -> list[RegionRecord]:
    """Return the records that are kept by the rule ``broken`` (``BrokenPictures``).

    root, max_pixels: as above.
    """
    pictures = BrokenPictures(broken)

    def opened(record: RegionRecord) -> Picture | None:
        if not record.image:
            return None
        return open_picture(path_of(record, root), max_pixels=max_pixels, name=record.image)

    found = list(
        pictures.sound(
            records,
            opened=opened,
            name=lambda record: str(path_of(record, root)) if record.image else "",
        )
    )
    pictures.report(root)
    return found


def path_of(record: RegionRecord, root: Path) -> Path:
    """Return the file of a record's picture; RecordError for one outside of the folder."""
    return below(root, record.image, where=record.where)


def painted_picture(
    record: RegionRecord,
    made: Instruction,
    draws: Draws,
    *,
    root: Path,
    look: Look | None = None,
    max_pixels: int = LARGEST_PIXELS,
) -> Picture:
    """Return a record's picture with its marks, which are where the stored file has them, upright.

    root, max_pixels: as for ``PaintedSource``. look: by default as in training.
    RecordError: a mark can't be painted, or lies outside the picture.
    """
    path = path_of(record, root)
    picture = open_picture(path, max_pixels=max_pixels, name=record.image)
    orientation = orientation_of(path, max_pixels=max_pixels)
    stored = turned(picture.pixels, orientation, back=True)
    high, wide = stored.shape[:2]
    for region in made.regions:
        x0, y0, x1, y1 = region.silhouette.box
        if not (x0 < wide and y0 < high and x1 > 0 and y1 > 0):
            raise RecordError(
                f"{record.where}: the box {list(region.silhouette.box)} is outside of the picture "
                f"{record.image}, which has {wide} x {high} pixels; was it resized, or is it another version?"
            )
    try:
        stored = painted(stored, made, draws, look=look)
    except BadRegion as fault:
        raise RecordError(f"{record.where}: {fault}") from fault
    return replace(picture, pixels=turned(stored, orientation), decoded=None)


def painted(
    pixels: NDArray[np.uint8], made: Instruction, draws: Draws, *, look: Look | None = None
) -> NDArray[np.uint8]:
    """Return pixels (H, W, 3) with an instruction's marks. look: by default as in training."""
    image = Image.fromarray(pixels).copy()
    look = Look(constant=made.constant) if look is None else replace(look, constant=made.constant)
    for region in made.regions:
        rgb = region.sign.colour.rgb
        strokes = strokes_of(
            region.sign.kind, region.silhouette, rgb=rgb, size=image.size, draws=draws, look=look
        )
        lay_over(image, strokes)
    return np.array(image)


def turned(pixels: NDArray[np.uint8], orientation: int, *, back: bool = False) -> NDArray[np.uint8]:
    """Return a stored picture's pixels (H, W, 3) upright; back: an upright picture's as they are stored.

    >>> turned(np.arange(6, dtype=np.uint8).reshape(2, 3, 1), 6)[..., 0].tolist()
    [[3, 0], [4, 1], [5, 2]]
    """
    swapped, from_right, from_below = TURNS[orientation]
    steps = (slice(None, None, -1 if from_below else 1), slice(None, None, -1 if from_right else 1))
    if back:
        pixels = pixels[steps]
        return np.ascontiguousarray(pixels.transpose(1, 0, 2) if swapped else pixels)
    return np.ascontiguousarray((pixels.transpose(1, 0, 2) if swapped else pixels)[steps])


def doubled(text: str) -> str:
    """Return a question in which braces are words, not the name of a region.

    >>> doubled("what is {this}?")
    'what is {{this}}?'
    """
    return text.replace("{", "{{").replace("}", "}}")
