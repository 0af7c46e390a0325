"""Reader of Objects365 (Shao et al., 2019): 365 categories, exhaustively boxed, in COCO's detection format.

`annotations/objects365_<split>.json` (version 1) or `annotations/zhiyuan_objv2_<split>.json` (version 2),
also without the folder; pictures in `<split>/`, for version 2 in its patches (`<split>/patch8/...jpg`).
"""

from __future__ import annotations

from pathlib import Path

from deixis.data.scene import PictureFile, Scene, Thing
from deixis.data.sources.boxes import Boxes, boxes_by
from deixis.data.sources.drafts import Instances
from deixis.errors import RecordError
from deixis.files.json_files import Fields, below, read_json
from deixis.regions.outside import REFUSE

FILES = ("objects365_{}.json", "zhiyuan_objv2_{}.json")


def read_objects365(
    folder: Path, split: str, *, skip_missing: bool = False, outside: str | Boxes = REFUSE
) -> list[Scene]:
    """The scenes of one split, in the order of its file; pictures are located, not read.

    Category names are lower-cased. `exhaustive` has all but those that a picture has a crowd of or a box
    without area (such boxes are left out). RecordError names file, entry and field; `skip_missing` passes
    over pictures that are not there instead, for the patches of the second version are many and large.
    `outside`: what is done with boxes that stick out (`boxes.Boxes`), as one picture in ten has.
    """
    file, pictures = locate_objects365(Path(folder), split), Path(folder) / split
    instances = Instances(
        read_json(file),
        boxes=boxes_by(outside),
        locate=lambda row: locate_picture(row, pictures),
        missing=lambda row: f"picture {row.text('file_name')} does not exist below {pictures}",
        skip_missing=skip_missing,
    )
    names = {number: row.text("name").lower() for number, row in instances.categories.items()}
    for annotation in instances.annotations():
        draft, name = annotation.draft, annotation.category.text("name").lower()
        if annotation.crowd or annotation.box is None:
            draft.incomplete.add(name)
        if annotation.box is not None:
            thing = Thing(annotation.number, annotation.box, name, group=annotation.crowd)
            draft.things[annotation.number] = thing
    instances.boxes.report(file)
    return [draft.scene("objects365", exhaustive=names.values()) for draft in instances.drafts.values()]


def locate_objects365(folder: Path, split: str) -> Path:
    """The file of a split; RecordError lists the files that are there."""
    parents = (folder / "annotations", folder)
    for parent in parents:
        for name in FILES:
            if (path := parent / name.format(split)).is_file():
                return path
    stars = [name.format("*") for name in FILES]
    found = sorted(path.name for parent in parents for star in stars for path in parent.glob(star))
    raise RecordError(
        f"{folder} has no split {split!r} (no {' or '.join(name.format(split) for name in FILES)}); it has: "
        f"{', '.join(found) or 'none'}"
    )


def locate_picture(row: Fields, pictures: Path) -> PictureFile | None:
    """The picture of an entry: by its name, by patch and name, or by name alone; None if there is none."""
    name = row.text("file_name")
    parts = [part for part in name.split("/") if part]
    for place in dict.fromkeys((name, "/".join(parts[-2:]), parts[-1] if parts else name)):
        if (path := below(pictures, place, where=row.where, linked_folders=True)).is_file():
            return PictureFile(path)
    return None
