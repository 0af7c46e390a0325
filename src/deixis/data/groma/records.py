"""Entries of Groma's training files, whichever of its three layouts they are in (groma.md section 13).

Most files are COCO's: images, annotations, categories; what is said of a picture or a box stands beside it.
GRIT's and the two files of dialogues are lists. Boxes become x0 y0 x1 y1; what the published readers pass
over is passed over here too, and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from deixis.errors import RecordError
from deixis.files.json_files import Fields, numbered, read_json
from deixis.files.json_lists import read_json_list
from deixis.regions.overlap import Edges

LARGEST = 8 << 30  # bytes; Visual Genome's regions are over one
LEAST_SIDE = 32  # pixels of a picture
LEAST_BOX = 1.0  # pixels of a box
MOST_BOXES = 100_000
COCO_HOST_PARTS = 3  # of "http://host/train2017/x.jpg" everything behind the third slash is the path


@dataclass(frozen=True)
class Note:
    """A box and what is said of it.

    edges: x0 y0 x1 y1 in pixels of the stored picture, or fractions of its sides where the record has no
    size. spans: the characters [start, end) of the record's caption that mean it.
    """

    edges: Edges
    category: str = ""
    caption: str = ""
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Said:
    """A question and its answer as a file has them. boxes: the notes that its places mean, in order."""

    question: str
    answer: str
    boxes: tuple[int, ...] = ()


@dataclass(frozen=True)
class GromaRecord:
    """One picture of a file, with its boxes and words. size: width and height, where they are stated."""

    picture: str
    where: str
    size: tuple[int, int] | None = None
    caption: str = ""
    notes: tuple[Note, ...] = ()
    said: tuple[Said, ...] = ()


@dataclass
class PassedOver:
    """How many of what was passed over, by reason."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, what: str, count: int = 1) -> None:
        """Count."""
        if count:
            self.counts[what] += count

    def __str__(self) -> str:
        return ", ".join(f"{count:,} {what}" for what, count in sorted(self.counts.items())) or "nothing"


def read_annotated(path: Path, passed: PassedOver) -> list[GromaRecord]:
    """Return the pictures of a file in COCO's layout that have boxes, in the file's order.

    Passed over: crowds, boxes below a pixel or without an area or outside of their picture, pictures with a
    side below 32 pixels or without boxes. RecordError: a field is missing or of another kind.
    """
    content = read_json(path, largest=LARGEST)
    names = {
        number: row.text("name") for number, row in numbered(content.rows("categories"), "category").items()
    }
    images = numbered(content.rows("images"), "image")
    notes: dict[int, list[Note]] = {}
    for row in content.rows("annotations"):
        image = row.whole("image_id")
        if image not in images:
            raise RecordError(f"{row.where}: there is no image {image}")
        category = row.whole("category_id")
        if category not in names:
            raise RecordError(f"{row.where}: there is no category {category}")
        size = size_of(images[image])
        note = note_of(row, size, category=names[category], passed=passed)
        if note is not None:
            notes.setdefault(image, []).append(note)
    found = []
    for number, row in images.items():
        size = size_of(row)
        if min(size) < LEAST_SIDE:
            passed.add("pictures too small")
        elif number not in notes:
            passed.add("pictures without boxes")
        else:
            caption = row.optional_text("caption") or ""
            found.append(GromaRecord(file_of(row), row.where, size, caption, tuple(notes[number])))
    return found


def size_of(row: Fields) -> tuple[int, int]:
    """Return width and height of an entry."""
    return row.whole("width", least=1), row.whole("height", least=1)


def file_of(row: Fields) -> str:
    """Return the name of an entry's picture; LVIS gives its address, whose end it is."""
    if "file_name" in row.values:
        return row.text("file_name")
    parts = row.text("coco_url").split("/", COCO_HOST_PARTS)
    if len(parts) <= COCO_HOST_PARTS:
        raise RecordError(
            f"{row.where}: coco_url is {row.values['coco_url']!r:.80}; expected http://host/path"
        )
    return parts[COCO_HOST_PARTS]


def note_of(row: Fields, size: tuple[int, int], *, category: str, passed: PassedOver) -> Note | None:
    """Return an annotation of a picture of that size; None for one that is passed over."""
    x, y, width, height = row.numbers("bbox", count=4)
    area = row.values.get("area", width * height)
    seen = max(0.0, min(x + width, size[0]) - max(x, 0.0)) * max(0.0, min(y + height, size[1]) - max(y, 0.0))
    if row.flag("iscrowd"):
        passed.add("crowds")
    elif not seen or not isinstance(area, int | float) or area <= 0 or min(width, height) < LEAST_BOX:
        passed.add("boxes without area")
    else:
        caption = row.optional_text("caption") or ""
        return Note((x, y, x + width, y + height), category, caption, spans_of(row))
    return None


def spans_of(row: Fields) -> tuple[tuple[int, int], ...]:
    """Return the character spans of an annotation; none where it has no such field."""
    listed = row.values.get("tokens_positive", [])
    if not isinstance(listed, list):
        raise RecordError(f"{row.where}: tokens_positive is no list; expected [[start, end], ...]")
    spans = []
    for pair in listed:
        numbers = Fields({"span": pair}, f"{row.where} tokens_positive").whole_numbers("span")
        if len(numbers) != 2 or not 0 <= numbers[0] < numbers[1]:
            raise RecordError(f"{row.where}: tokens_positive holds {pair!r:.60}; expected [start, end]")
        spans.append((numbers[0], numbers[1]))
    return tuple(spans)


def read_phrases(path: Path, passed: PassedOver) -> list[GromaRecord]:
    """Return the captions of a GRIT file; boxes are fractions, each with the span of its phrase."""
    found = []
    for row in read_json_list(path, largest=LARGEST):
        caption = row.text("caption")
        notes = []
        for number, one in enumerate(listed(row, "ref_exps")):
            where = f"{row.where} ref_exps[{number}]"
            start, end, x0, y0, x1, y1, _ = Fields({"box": one}, where).numbers("box", count=7)
            if not 0 <= start < end <= len(caption):
                raise RecordError(f"{where}: from {start:g} to {end:g} there is no phrase in {caption!r:.60}")
            if not (x0 < x1 and y0 < y1):
                passed.add("boxes without area")
                continue
            notes.append(Note((x0, y0, x1, y1), spans=((int(start), int(end)),)))
        if notes:
            found.append(GromaRecord(row.text("filename"), row.where, None, caption, tuple(notes)))
        else:
            passed.add("pictures without boxes")
    return found


def listed(row: Fields, name: str) -> list[object]:
    """Return a list of bounded length; an absent field is an empty one."""
    value = row.values.get(name, [])
    if not isinstance(value, list) or len(value) > MOST_BOXES:
        raise RecordError(f"{row.where}: field {name!r} is no list of up to {MOST_BOXES:,} entries")
    return value


def read_dialogues(path: Path, passed: PassedOver) -> list[GromaRecord]:
    """Return the dialogues of a LLaVA file that have a picture."""
    found = []
    for row in read_json_list(path, largest=LARGEST):
        if row.optional_text("image") is None:
            passed.add("dialogues without a picture")
        else:
            said = tuple(pairs(row, "conversations"))
            found.append(GromaRecord(row.text("image"), row.where, said=said))
    return found


def read_instruct(path: Path, passed: PassedOver) -> list[GromaRecord]:
    """Return the dialogues of Groma Instruct with their boxes."""
    found = []
    for row in read_json_list(path, largest=LARGEST):
        notes = []
        for number, box in enumerate(listed(row, "boxes")):
            x, y, width, height = Fields({"box": box}, f"{row.where} boxes[{number}]").numbers("box", count=4)
            # A box of nothing stays in its place: the dialogue counts them.
            notes.append(Note((x, y, x + max(width, 0.0), y + max(height, 0.0))))
        said = tuple(pairs(row, "conversation", boxes=len(notes)))
        found.append(GromaRecord(row.text("file_name"), row.where, size_of(row), "", tuple(notes), said))
    return found


def pairs(row: Fields, name: str, *, boxes: int = 0) -> list[Said]:
    """Return a dialogue's turns. boxes: how many there are for answers to mean."""
    rows = list(row.rows(name))
    if not rows or len(rows) % 2:
        raise RecordError(f"{row.where}: {name} has {len(rows)} turns; expected questions with their answers")
    found = []
    for asked, answered in zip(rows[::2], rows[1::2], strict=True):
        means = answered.whole_numbers("box_inds")
        if any(not 0 <= index < boxes for index in means):
            raise RecordError(f"{answered.where}: box_inds is {list(means)}; there are {boxes} boxes")
        found.append(Said(asked.text("value"), answered.text("value"), means))
    return found


Reading = Callable[[Path, PassedOver], list[GromaRecord]]

READERS: Mapping[str, Reading] = MappingProxyType(
    {
        "refcoco_rec": read_annotated,
        "refcoco_cap": read_annotated,
        "single_vg": read_annotated,
        "multi_vg": read_annotated,
        "coco": read_annotated,
        "lvis": read_annotated,
        "flickr30k": read_annotated,
        "grit": read_phrases,
        "llava_instruct": read_dialogues,
        "groma_instruct": read_instruct,
    }
)
