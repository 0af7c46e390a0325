"""Reader of Objects365 (Shao et al., 2019): 365 categories, exhaustively boxed, in COCO's detection format.

`annotations/objects365_<split>.json` (version 1) or `annotations/zhiyuan_objv2_<split>.json` (version 2),
also without the folder; pictures in `<split>/`, for version 2 in its patches (`<split>/patch8/...jpg`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deixis.data.scene import PictureFile, Scene, Thing
from deixis.data.sources.boxes import REFUSE, Boxes, boxes_by
from deixis.errors import RecordError
from deixis.files.json_files import Fields, Numbers, below, numbered, read_json

FILES = ("objects365_{}.json", "zhiyuan_objv2_{}.json")


@dataclass
class _Draft:
    """A scene while its file is being read."""

    picture: PictureFile
    width: int
    height: int
    things: list[Thing] = field(default_factory=list)
    incomplete: set[str] = field(default_factory=set)


def read_objects365(
    folder: Path, split: str, *, skip_missing: bool = False, outside: str | Boxes = REFUSE
) -> list[Scene]:
    """The scenes of one split, in the order of its file; pictures are located, not read.

    Category names are lower-cased. `exhaustive` has all but those that a picture has a crowd of or a box
    without area (such boxes are left out). RecordError names file, entry and field; `skip_missing` passes
    over pictures that are not there instead, for the patches of the second version are many and large.
    `outside`: what is done with boxes that stick out (`boxes.Boxes`), as one picture in ten has.
    """
    folder, boxes = Path(folder), boxes_by(outside)
    content = read_json(locate_objects365(folder, split))
    categories = numbered(content.rows("categories"), "category id")
    names = {number: row.text("name").lower() for number, row in categories.items()}
    drafts: dict[int, _Draft] = {}
    known = numbered(content.rows("images"), "image id")
    for number, row in known.items():
        picture = locate_picture(row, folder / split)
        if picture is None and not skip_missing:
            raise RecordError(
                f"{row.where}: picture {row.text('file_name')} does not exist below {folder / split}"
            )
        if picture is not None:
            drafts[number] = _Draft(picture, row.whole("width", least=1), row.whole("height", least=1))
    numbers = Numbers("annotation id")
    for row in content.rows("annotations"):
        numbers.add(row.whole("id"), row.where)
        if row.whole("image_id") not in known:
            raise RecordError(f"{row.where}: image_id {row.whole('image_id')} is not in 'images'")
        if row.whole("image_id") in drafts:
            _add_thing(row, drafts[row.whole("image_id")], names, boxes)
    boxes.report(locate_objects365(folder, split))
    return [
        Scene(
            id=str(number),
            picture=draft.picture,
            width=draft.width,
            height=draft.height,
            things=tuple(draft.things),
            captions=(),
            expressions=(),
            exhaustive=frozenset(names.values()) - draft.incomplete,
            source="objects365",
        )
        for number, draft in drafts.items()
    ]


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


def _add_thing(row: Fields, draft: _Draft, names: Mapping[int, str], boxes: Boxes) -> None:
    category = names.get(row.whole("category_id"))
    if category is None:
        raise RecordError(f"{row.where}: category_id {row.whole('category_id')} is not in 'categories'")
    x, y, wide, high = row.numbers("bbox", count=4)
    where = f"{row.where}: field 'bbox'"
    box = boxes.inside((x, y, x + wide, y + high), width=draft.width, height=draft.height, where=where)
    if row.flag("iscrowd") or box is None:
        draft.incomplete.add(category)
    if box is not None:
        draft.things.append(Thing(row.whole("id"), box, category, group=row.flag("iscrowd")))
