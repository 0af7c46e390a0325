"""Reader of Open Images (Kuznetsova et al., 2020), versions 4 to 7: boxes in CSV files, 600 categories.

`[oidv6-]<split>-annotations-bbox.csv` with ImageID, LabelName, XMin, XMax, YMin, YMax (fractions of the
picture) and IsGroupOf among its columns, and `class-descriptions-boxable.csv` (or
`oidv7-class-descriptions-boxable.csv`) with LabelName and a name for it; both in the folder or in
`annotations/`. Pictures as `<ImageID>.jpg` in `<split>/`, `images/<split>/` or `images/`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path

from PIL import Image

from deixis.data.scene import PictureFile, Scene, Thing
from deixis.data.sources.boxes import Boxes, boxes_by
from deixis.data.sources.detection.csv_rows import csv_rows, named_rows
from deixis.data.sources.detection.dropped import DroppedBoxes
from deixis.errors import RecordError
from deixis.files.json_files import below
from deixis.pictures.opening import known_formats
from deixis.regions.outside import REFUSE
from deixis.regions.shapes import Box

FILES = ("{}-annotations-bbox.csv", "oidv6-{}-annotations-bbox.csv", "oidv7-{}-annotations-bbox.csv")
CLASSES = ("class-descriptions-boxable.csv", "oidv7-class-descriptions-boxable.csv", "class-descriptions.csv")
EDGES = ("XMin", "YMin", "XMax", "YMax")
COLUMNS = ("ImageID", "LabelName", *EDGES)
GROUP = "IsGroupOf"

Row = tuple[str, dict[str, str]]


def read_open_images(
    folder: Path, split: str, *, skip_missing: bool = False, outside: str | Boxes = REFUSE
) -> list[Scene]:
    """The scenes of one split, in the order of its file; see ``open_images_scenes``."""
    return list(open_images_scenes(folder, split, skip_missing=skip_missing, outside=outside))


def open_images_scenes(
    folder: Path, split: str, *, skip_missing: bool = False, outside: str | Boxes = REFUSE
) -> Iterator[Scene]:
    """Yield the scenes of one split, picture by picture; no more than one picture's rows are in memory.

    Category names are lower-cased. `exhaustive` has the categories that a picture has boxes of, for all of
    one are boxed, except those drawn round a group. Of pictures only the headers are read, for their sizes.
    Boxes without area are left out, counted and logged. RecordError names file and line; the rows of a
    picture have to stand together. `skip_missing` passes over pictures that are not there; `outside`: what
    is done with boxes that stick out (`boxes.Boxes`).
    """
    folder = Path(folder)
    file, names = located(folder, split, FILES), class_names(folder)
    boxes, dropped, seen = boxes_by(outside), DroppedBoxes(), set[str]()
    for picture, rows in groupby(named_rows(file, COLUMNS), key=lambda row: row[1]["ImageID"]):
        own = list(rows)
        if picture in seen:
            raise RecordError(
                f"{own[0][0]}: rows of picture {picture!r:.40} stand further up, too; sort them by ImageID"
            )
        seen.add(picture)
        found = locate_picture(folder, split, picture, where=own[0][0])
        if found is not None:
            yield scene_of(picture, found, own, names, boxes=boxes, dropped=dropped)
        elif not skip_missing:
            raise RecordError(
                f"{own[0][0]}: picture {picture!r:.40} is not in {split}/, images/{split}/ or images/"
            )
    boxes.report(file)
    dropped.report(file)


def scene_of(
    name: str,
    picture: PictureFile,
    rows: list[Row],
    names: Mapping[str, str],
    *,
    boxes: Boxes,
    dropped: DroppedBoxes,
) -> Scene:
    """The scene of one picture's rows."""
    width, height = stored_dimensions(picture.path, where=rows[0][0])
    things, incomplete = list[Thing](), set[str]()
    for number, (where, row) in enumerate(rows, start=1):
        label = row["LabelName"]
        if label not in names:
            raise RecordError(f"{where}: LabelName {label!r:.40} is not among the class descriptions")
        group = is_set(row.get(GROUP, "0"), GROUP, where)
        box = box_of(row, width=width, height=height, where=where, boxes=boxes, dropped=dropped)
        if group or box is None:
            incomplete.add(names[label])
        if box is not None:
            things.append(Thing(number, box, names[label], group=group))
    return Scene(
        id=name,
        picture=picture,
        width=width,
        height=height,
        things=tuple(things),
        captions=(),
        expressions=(),
        exhaustive=frozenset(thing.category for thing in things) - incomplete,
        source="open_images",
    )


def box_of(
    row: Mapping[str, str], *, width: int, height: int, where: str, boxes: Boxes, dropped: DroppedBoxes
) -> Box | None:
    """The box of a row in pixels; None if it has no area."""
    fractions = [fraction(row[name], name, where) for name in EDGES]
    x0, y0, x1, y1 = (edge * side for edge, side in zip(fractions, (width, height) * 2, strict=True))
    box = boxes.inside((x0, y0, x1, y1), width=width, height=height, where=where)
    if box is None and x0 <= x1 and y0 <= y1 and (x0 == x1 or y0 == y1):
        dropped.add(where)
    return box


def fraction(text: str, name: str, where: str) -> float:
    """A cell as a finite number."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or abs(value) > 1e6:
        raise RecordError(f"{where}: {name} is {text!r:.40}; expected a fraction of the picture")
    return value


def is_set(text: str, name: str, where: str) -> bool:
    """A cell of 0 or 1; -1, which stands for unknown, counts as 0."""
    if text.strip() not in ("0", "1", "-1"):
        raise RecordError(f"{where}: {name} is {text!r:.40}; expected 0, 1 or -1")
    return text.strip() == "1"


def class_names(folder: Path) -> dict[str, str]:
    """The names of categories, in lower case, by their labels such as "/m/011k07"."""
    names: dict[str, str] = {}
    for where, cells in csv_rows(located(folder, "", CLASSES)):
        if len(cells) != 2 or not all(cell.strip() for cell in cells):
            raise RecordError(f"{where}: row has cells {cells!r:.80}; expected a label and its name")
        label, name = cells
        if label == "LabelName":  # version 7 has a first row of headings
            continue
        if label in names:
            raise RecordError(f"{where}: label {label!r:.40} stands here a second time")
        names[label] = name.strip().lower()
    return names


def located(folder: Path, split: str, patterns: tuple[str, ...]) -> Path:
    """The first file of some names that a folder, or `annotations/` in it, has."""
    tried = [parent / name.format(split) for name in patterns for parent in (folder, folder / "annotations")]
    found = next((path for path in tried if path.is_file()), None)
    if found is None:
        stars = sorted(
            path.name for parent in (folder, folder / "annotations") for path in parent.glob("*.csv")
        )
        raise RecordError(
            f"{folder} has no {' or '.join(name.format(split) for name in patterns)}; it has: "
            f"{', '.join(stars) or 'no CSV files'}"
        )
    return found


def locate_picture(folder: Path, split: str, name: str, *, where: str) -> PictureFile | None:
    """The file of a picture; None if there is none."""
    for place in (f"{split}/{name}.jpg", f"images/{split}/{name}.jpg", f"images/{name}.jpg"):
        if (path := below(folder, place, where=where, linked_folders=True)).is_file():
            return PictureFile(path)
    return None


def stored_dimensions(path: Path, *, where: str) -> tuple[int, int]:
    """Width and height of a stored picture, from its header; RecordError if it has none that can be read."""
    try:
        with Image.open(path, formats=known_formats()) as image:
            return image.size
    except Exception as fault:  # whatever a damaged file makes Pillow raise
        raise RecordError(
            f"{where}: picture {path.name} has no header that can be read ({fault!s:.80})"
        ) from fault
