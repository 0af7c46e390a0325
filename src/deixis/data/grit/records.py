"""The record of Ferret's instruction data: a dialogue whose texts have placeholders for boxes (spec: GRIT).

{"id": 1, "image": "a.jpg", "image_w": 60, "image_h": 44, "conversations": [{"from": "human", "value":
"<image>\\nWhat is <bbox_location0>?"}, {"from": "gpt", "value": "a "
"dog"}], "box_x1y1x2y2": [[[11, 8, 29, 22]], []]}
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deixis.data.sources.boxes import Boxes, boxes_by
from deixis.errors import RecordError
from deixis.files.json_files import Fields
from deixis.files.json_lists import read_json_list
from deixis.files.writing import replacing
from deixis.regions.outside import CUT, PASS_OVER

HUMAN, ASSISTANT = "human", "gpt"
PLACEHOLDER = re.compile(r"<bbox_location(\d{1,6})>")
Corners = tuple[float, float, float, float]

# What a file's path says about its records; the first part that occurs in it counts.
DATASETS = (
    "vg_object", "vg_yesno_object", "vg_attribute", "vg_relation", "vg_region", "git_instruction",
    "llava_instruct", "grounded_llava_boxes", "refexp", "flickr", "objects365", "cc3m_595k",
)  # fmt: skip


@dataclass(frozen=True)
class GritPlace:
    """A box x0 y0 x1 y1 in the picture's pixels, the last column and row included, maybe beyond its edges.

    runs: COCO's `{"size": [h, w], "counts": ...}` of what the box is drawn round, or None.
    """

    box: Corners
    runs: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class GritTurn:
    """One turn: who says what, and the places that fill `<bbox_location0>`, `<bbox_location1>`, ... in it.

    Raises RecordError for a placeholder without its place.
    """

    speaker: str
    text: str
    places: tuple[GritPlace, ...] = ()

    def __post_init__(self) -> None:
        for number in self.placeholders:
            if number >= len(self.places):
                raise RecordError(
                    f"{self.text!r:.80} has <bbox_location{number}>, but its turn has {len(self.places)} "
                    "boxes; "
                    "expected one for every placeholder, counted from 0"
                )

    @property
    def placeholders(self) -> tuple[int, ...]:
        """The numbers of the placeholders in the text, in order of appearance; one may occur twice."""
        return tuple(int(number) for number in PLACEHOLDER.findall(self.text))


@dataclass(frozen=True)
class GritRecord:
    """A dialogue about one picture: turns of human and assistant in alternation, the human first.

    picture: a file name relative to the folder of pictures, None for a dialogue without one. width, height:
    its size in pixels, None where not given (then no turn has places). dataset: the kind of source.
    """

    id: str
    picture: str | None
    width: int | None
    height: int | None
    turns: tuple[GritTurn, ...]
    dataset: str = ""
    where: str = "record"

    def __post_init__(self) -> None:
        for index, turn in enumerate(self.turns):
            expected = ASSISTANT if index % 2 else HUMAN
            if turn.speaker != expected:
                raise RecordError(
                    f"{self.where}: turn {index} is said by {turn.speaker!r}; expected {expected!r} (human "
                    "and "
                    "gpt take turns, the human begins)"
                )
        if not self.turns:
            raise RecordError(f"{self.where}: has no turns; expected a question and an answer")
        if any(turn.places for turn in self.turns) and (self.width is None or self.height is None):
            raise RecordError(
                f"{self.where}: has boxes, but image_w and image_h are missing; expected the picture's size"
            )

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture; RecordError where they are not given."""
        if self.width is None or self.height is None:
            raise RecordError(f"{self.where}: image_w and image_h are missing; expected the picture's size")
        return self.width, self.height

    def as_json(self) -> dict[str, Any]:
        """The record as it stands in a file; fields that it has nothing for are left out."""
        values: dict[str, Any] = {"id": self.id}
        if self.picture is not None:
            values["image"] = self.picture
        if self.width is not None and self.height is not None:
            values |= {"image_w": self.width, "image_h": self.height}
        values["conversations"] = [{"from": turn.speaker, "value": turn.text} for turn in self.turns]
        if any(turn.places for turn in self.turns):
            values["box_x1y1x2y2"] = [[list(place.box) for place in turn.places] for turn in self.turns]
        if any(place.runs is not None for turn in self.turns for place in turn.places):
            values["masks"] = [
                [None if place.runs is None else dict(place.runs) for place in turn.places]
                for turn in self.turns
            ]
        return values | ({"dataset": self.dataset} if self.dataset else {})


def read_grit(
    path: Path | str, *, dataset: str | None = None, outside: str | Boxes = CUT
) -> list[GritRecord]:
    """The records of a JSON list. RecordError names file, entry and field of the first mistake.

    dataset: what kind of source they are; without it the record's own field `dataset` counts, and without
    that the file's name (`dataset_of`).
    outside: places that stick out of their pictures are moved into them where they are needed ("cut", as
    published), an error ("refuse"), or their records are left out ("pass_over"); `Boxes` counts them.
    """
    file, boxes = Path(path), boxes_by(outside)
    kind = dataset if dataset is not None else dataset_of(file.name)
    records = []
    for row in read_json_list(file):
        record = parse_grit(row)
        places = [place for turn in record.turns for place in turn.places]
        if sum(sticks_out(place, record, boxes) for place in places) and boxes.outside == PASS_OVER:
            continue
        if dataset is not None or not record.dataset:
            record = replace(record, dataset=kind or "")
        records.append(record)
    boxes.report(file)
    return records


def sticks_out(place: GritPlace, record: GritRecord, boxes: Boxes) -> bool:
    """Whether a place sticks out of its picture, which is counted; RecordError where that is refused."""
    x0, y0, x1, y1 = place.box
    if x0 > x1 or y0 > y1:  # an error by every rule, where it is needed
        return False
    (width, height), before = record.size, boxes.count
    boxes.inside((x0, y0, x1 + 1, y1 + 1), width=width, height=height, where=record.where)
    return boxes.count > before


def dataset_of(path: str) -> str | None:
    """The kind of source that a path names, None if it names none that is known.

    >>> dataset_of("data/vg_objects.json")
    'vg_object'
    """
    return next((name for name in DATASETS if name in path), None)


def parse_grit(row: Fields) -> GritRecord:
    """The record of one JSON object; fields that the format does not know are left alone."""
    said = list(row.rows("conversations"))
    places = list(_places(row, turns=len(said)))
    turns = []
    for value, found in zip(said, places, strict=True):
        try:
            turns.append(GritTurn(value.text("from"), value.text("value"), found))
        except RecordError as fault:
            message = str(fault)
            raise RecordError(
                message if message.startswith(row.where) else f"{value.where}: {message}"
            ) from fault
    return GritRecord(
        id=str(row.values.get("id", "")),
        picture=row.optional_text("image"),
        width=_size(row, "image_w"),
        height=_size(row, "image_h"),
        turns=tuple(turns),
        dataset=row.optional_text("dataset") or "",
        where=row.where,
    )


def write_grit(records: Iterable[GritRecord], path: Path | str) -> None:
    """Write a JSON list of records, which `read_grit` reads back as the same; whole, or UsageError."""
    lines = (json.dumps(record.as_json(), ensure_ascii=False) for record in records)
    with replacing(Path(path)) as partial, partial.open("w", encoding="utf-8") as stream:
        stream.write("[")
        for index, line in enumerate(lines):
            stream.write(("\n" if index == 0 else ",\n") + line)
        stream.write("\n]\n")


def _size(row: Fields, name: str) -> int | None:
    return None if row.values.get(name) is None else row.whole(name, least=1)


def _places(row: Fields, *, turns: int) -> Iterator[tuple[GritPlace, ...]]:
    boxes = _nested(row, "box_x1y1x2y2", turns) or [[]] * turns
    masks = _nested(row, "masks", turns) or [[None] * len(some) for some in boxes]
    for turn, (corners, runs) in enumerate(zip(boxes, masks, strict=True)):
        if len(runs) != len(corners):
            raise RecordError(
                f"{row.where}: field 'masks' has {len(runs)} entries in turn {turn}, which has "
                f"{len(corners)} "
                "boxes; expected a mask or null for every box"
            )
        for index, mask in enumerate(runs):
            if mask is not None and not isinstance(mask, dict):
                raise RecordError(
                    f"{row.where} masks[{turn}]: entry {index} is {mask!r:.60}; expected "
                    '{"size": [height, width], "counts": "..."} or null'
                )
        where = f"{row.where} box_x1y1x2y2[{turn}]"
        found = Fields({str(index): box for index, box in enumerate(corners)}, where)
        edges = [found.numbers(str(index), count=4) for index in range(len(corners))]
        yield tuple(GritPlace((b[0], b[1], b[2], b[3]), mask) for b, mask in zip(edges, runs, strict=True))


def _nested(row: Fields, name: str, turns: int) -> Sequence[Sequence[Any]] | None:
    value = row.values.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != turns or not all(isinstance(v, list) for v in value):
        raise RecordError(
            f"{row.where}: field {name!r} is {value!r:.60}; expected a list for each of the {turns} turns"
        )
    return value
