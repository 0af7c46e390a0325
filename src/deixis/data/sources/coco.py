"""Reader of COCO (Lin et al., 2014): instances and captions, as published or with all files in one folder.

Published: `annotations/instances_<split>.json`, `annotations/captions_<split>.json`, pictures in `<split>/`.
Flat: `<split>_instances.json`, `<split>_captions.json`, pictures in `images/`. Captions may be missing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from deixis.data.scene import Caption, PictureFile, Scene, Thing
from deixis.data.sources.boxes import REFUSE, Boxes, boxes_by
from deixis.data.sources.segmentations import read_segmentation
from deixis.errors import RecordError
from deixis.files.json_files import Fields, Numbers, below, numbered, read_json


@dataclass(frozen=True)
class CocoFiles:
    """Where one split's files lie; the captions file need not exist."""

    instances: Path
    captions: Path
    pictures: Path


@dataclass
class _Draft:
    """A scene while its files are being read."""

    picture: PictureFile
    width: int
    height: int
    things: list[Thing] = field(default_factory=list)
    captions: list[Caption] = field(default_factory=list)
    incomplete: set[str] = field(default_factory=set)


def read_coco(folder: Path, split: str, *, masks: bool = False, outside: str | Boxes = REFUSE) -> list[Scene]:
    """The scenes of one split, in the order of its instances file; pictures are located, not read.

    `exhaustive` has every category, except those that this picture has a crowd of or a box without area of
    (such boxes are left out). With `masks`, things get theirs. `outside`: what is done with boxes that stick
    out (`boxes.Boxes`). RecordError names file, entry and field.
    """
    files = locate_coco(Path(folder), split)
    content = read_json(files.instances)
    names = numbered(content.rows("categories"), "category id")
    drafts = _drafts(content, files.pictures)
    seen, boxes = Numbers("annotation id"), boxes_by(outside)
    for row in content.rows("annotations"):
        _add_thing(row, drafts, names, seen, boxes, masks=masks)
    boxes.report(files.instances)
    if files.captions.is_file():
        for row in read_json(files.captions).rows("annotations"):
            _draft_of(row, drafts).captions.append(Caption(row.text("caption").strip()))
    every = frozenset(row.text("name") for row in names.values())
    return [
        Scene(
            id=str(number),
            picture=draft.picture,
            width=draft.width,
            height=draft.height,
            things=tuple(draft.things),
            captions=tuple(draft.captions),
            expressions=(),
            exhaustive=every - draft.incomplete,
            source="coco",
        )
        for number, draft in drafts.items()
    ]


def locate_coco(folder: Path, split: str) -> CocoFiles:
    """The files of a split in whichever layout has it; RecordError lists the splits that are there."""
    published, flat = folder / "annotations", folder / f"{split}_instances.json"
    if (published / f"instances_{split}.json").is_file():
        instances = published / f"instances_{split}.json"
        return CocoFiles(instances, published / f"captions_{split}.json", folder / split)
    if flat.is_file():
        return CocoFiles(flat, folder / f"{split}_captions.json", folder / "images")
    known = [path.stem.removeprefix("instances_") for path in published.glob("instances_*.json")]
    known += [path.name.removesuffix("_instances.json") for path in folder.glob("*_instances.json")]
    raise RecordError(
        f"{folder} has no split {split!r} (neither annotations/instances_{split}.json nor {flat.name}); "
        f"it has: {', '.join(sorted(known)) or 'none'}"
    )


def _drafts(content: Fields, pictures: Path) -> dict[int, _Draft]:
    drafts: dict[int, _Draft] = {}
    for number, row in numbered(content.rows("images"), "image id").items():
        path = below(pictures, row.text("file_name"), where=row.where)
        if not path.is_file():
            raise RecordError(f"{row.where}: picture {path} does not exist")
        drafts[number] = _Draft(PictureFile(path), row.whole("width", least=1), row.whole("height", least=1))
    return drafts


def _draft_of(row: Fields, drafts: dict[int, _Draft]) -> _Draft:
    number = row.whole("image_id")
    if number not in drafts:
        raise RecordError(f"{row.where}: image_id {number} is not in the instances file")
    return drafts[number]


def _add_thing(
    row: Fields,
    drafts: dict[int, _Draft],
    names: dict[int, Fields],
    seen: Numbers,
    boxes: Boxes,
    *,
    masks: bool,
) -> None:
    draft, number, category = _draft_of(row, drafts), row.whole("id"), names.get(row.whole("category_id"))
    if category is None:
        raise RecordError(f"{row.where}: category_id {row.whole('category_id')} is not in 'categories'")
    seen.add(number, row.where)
    name, crowd = category.text("name"), row.flag("iscrowd")
    x, y, wide, high = row.numbers("bbox", count=4)
    edges = (x, y, x + wide, y + high)
    box = boxes.inside(edges, width=draft.width, height=draft.height, where=f"{row.where}: field 'bbox'")
    if crowd or box is None:
        draft.incomplete.add(name)
    if box is None:
        return
    draft.things.append(
        Thing(
            id=number,
            box=box,
            category=name,
            group=crowd,
            mask=read_segmentation(row, width=draft.width, height=draft.height) if masks else None,
            coco_name=name,
            supercategory=category.optional_text("supercategory"),
        )
    )
