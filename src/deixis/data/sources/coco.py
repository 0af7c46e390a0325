"""Reader of COCO (Lin et al., 2014): instances and captions, as published or with all files in one folder.

Published: `annotations/instances_<split>.json`, `annotations/captions_<split>.json`, pictures in `<split>/`.
Flat: `<split>_instances.json`, `<split>_captions.json`, pictures in `images/`. Captions may be missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deixis.data.scene import Caption, PictureFile, Scene, Thing
from deixis.data.sources.boxes import Boxes, boxes_by
from deixis.data.sources.drafts import Annotation, Instances
from deixis.errors import RecordError
from deixis.files.json_files import Fields, below, read_json
from deixis.regions.outside import REFUSE


@dataclass(frozen=True)
class CocoFiles:
    """Where one split's files lie; the captions file need not exist."""

    instances: Path
    captions: Path
    pictures: Path


def read_coco(folder: Path, split: str, *, masks: bool = False, outside: str | Boxes = REFUSE) -> list[Scene]:
    """The scenes of one split, in the order of its instances file; pictures are located, not read.

    `exhaustive` has every category, except those that this picture has a crowd of or a box without area of
    (such boxes are left out). With `masks`, things get theirs. `outside`: what is done with boxes that stick
    out (`boxes.Boxes`). RecordError names file, entry and field.
    """
    files = locate_coco(Path(folder), split)
    instances = Instances(
        read_json(files.instances),
        boxes=boxes_by(outside),
        locate=lambda row: picture_of(row, files.pictures),
        missing=lambda row: f"picture {files.pictures / row.text('file_name')} does not exist",
    )
    for annotation in instances.annotations():
        _add_thing(annotation, masks=masks)
    instances.boxes.report(files.instances)
    if files.captions.is_file():
        for row in read_json(files.captions).rows("annotations"):
            draft = instances.draft(row)
            if draft is not None:
                draft.captions.append(Caption(row.text("caption").strip()))
    every = {row.text("name") for row in instances.categories.values()}
    return [draft.scene("coco", exhaustive=every) for draft in instances.drafts.values()]


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


def picture_of(row: Fields, pictures: Path) -> PictureFile | None:
    """The picture of an entry of `images` below a folder, None where there is none."""
    path = below(pictures, row.text("file_name"), where=row.where)
    return PictureFile(path) if path.is_file() else None


def _add_thing(annotation: Annotation, *, masks: bool) -> None:
    draft, category = annotation.draft, annotation.category
    name = category.text("name")
    if annotation.crowd or annotation.box is None:
        draft.incomplete.add(name)
    if annotation.box is not None:
        draft.things[annotation.number] = Thing(
            id=annotation.number,
            box=annotation.box,
            category=name,
            group=annotation.crowd,
            mask=annotation.mask() if masks else None,
            coco_name=name,
            supercategory=category.optional_text("supercategory"),
        )
