"""Reader of V3Det (Wang et al., 2023): 13,204 categories boxed in COCO's detection format.

`annotations/v3det_2023_v1_<split>.json`, also without the folder; `category_name_13204_v3det_2023_v1.txt`
beside it, with the categories' names line by line in the order of their numbers, may be missing where the
entries of `categories` have names. Pictures as `file_name` says (`images/<category>/<name>.jpg`).
"""

from __future__ import annotations

from pathlib import Path

from deixis.data.scene import PictureFile, Scene, Thing
from deixis.data.sources.boxes import Boxes, boxes_by
from deixis.data.sources.detection.dropped import DroppedBoxes
from deixis.data.sources.drafts import Instances
from deixis.errors import RecordError
from deixis.files.json_files import Fields, below, bounded_bytes, read_json
from deixis.regions.outside import REFUSE

FILE = "v3det_2023_v1_{}.json"
NAMES = "category_name_*_v3det_*.txt"
LARGEST_NAMES = 16 << 20  # bytes


def read_v3det(
    folder: Path, split: str, *, skip_missing: bool = False, outside: str | Boxes = REFUSE
) -> list[Scene]:
    """The scenes of one split, in the order of its file; pictures are located, not read.

    Names are lower-cased, `_` becomes a blank. `exhaustive` is empty: nobody looked for all 13,204 in every
    picture. Boxes without area are left out, counted and logged. RecordError names file, entry and field;
    `skip_missing` passes over pictures that are not there; `outside`: what is done with boxes that stick out
    (`boxes.Boxes`).
    """
    folder = Path(folder)
    file, dropped = locate_v3det(folder, split), DroppedBoxes()
    instances = Instances(
        read_json(file),
        boxes=boxes_by(outside),
        locate=lambda row: locate_picture(row, folder),
        missing=lambda row: f"picture {row.text('file_name')!r:.200} does not exist below {folder}",
        skip_missing=skip_missing,
    )
    names = category_names(instances, file.parent)
    for annotation in instances.annotations():
        if annotation.box is not None:
            name = names[annotation.category.whole("id")]
            thing = Thing(annotation.number, annotation.box, name, group=annotation.crowd)
            annotation.draft.things[annotation.number] = thing
        elif annotation.number not in annotation.draft.passed_over:
            dropped.add(annotation.row.where)
    instances.boxes.report(file)
    dropped.report(file)
    return [draft.scene("v3det") for draft in instances.drafts.values()]


def locate_v3det(folder: Path, split: str) -> Path:
    """The file of a split; RecordError lists the files that are there."""
    parents = (folder / "annotations", folder)
    for parent in parents:
        if (path := parent / FILE.format(split)).is_file():
            return path
    found = sorted(path.name for parent in parents for path in parent.glob(FILE.format("*")))
    raise RecordError(
        f"{folder} has no split {split!r} (no {FILE.format(split)}); it has: {', '.join(found) or 'none'}"
    )


def locate_picture(row: Fields, folder: Path) -> PictureFile | None:
    """The picture of an entry: as it is named, or below `images/`; None if there is none."""
    name = row.text("file_name")
    for place in (name, f"images/{name}"):
        if (path := below(folder, place, where=row.where, linked_folders=True)).is_file():
            return PictureFile(path)
    return None


def category_names(instances: Instances, folder: Path) -> dict[int, str]:
    """The categories' names by their numbers, from the file of names or, without one, from their entries."""
    file = next(iter(sorted(folder.glob(NAMES))), None)
    if file is None:
        return {number: spoken(row.text("name"), row.where) for number, row in instances.categories.items()}
    try:
        lines = bounded_bytes(file, largest=LARGEST_NAMES).decode("utf-8").splitlines()
    except UnicodeDecodeError as fault:
        raise RecordError(f"{file}: is no UTF-8 ({fault.reason})") from fault
    numbers = sorted(instances.categories)
    if len(lines) != len(numbers):
        raise RecordError(
            f"{file} has {len(lines)} names, the annotations {len(numbers)} categories; expected as many"
        )
    return {
        number: spoken(line, f"{file}:{place}")
        for place, (number, line) in enumerate(zip(numbers, lines, strict=True), start=1)
    }


def spoken(name: str, where: str) -> str:
    """A category as one would say it.

    >>> spoken("Golden_Retriever", "a.txt:1")
    'golden retriever'
    """
    words = " ".join(name.replace("_", " ").split()).lower()
    if not words:
        raise RecordError(f"{where}: name {name!r:.40} has no words; expected some")
    return words
