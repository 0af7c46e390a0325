"""Reader of LVIS (Gupta et al., 2019): over a thousand categories on COCO's pictures, with true absences.

`lvis_v1_<split>.json` (or `lvis_v0.5_<split>.json`, `lvis_<split>.json`), also below `annotations/`; pictures
in COCO's folders, as `coco_url` names them (`train2017/000000000025.jpg`), or in `images/`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from deixis.data.scene import PictureFile, Scene, Thing
from deixis.data.sources.boxes import Boxes, boxes_by
from deixis.data.sources.drafts import Instances
from deixis.errors import RecordError
from deixis.files.json_files import Fields, below, read_json
from deixis.regions.outside import REFUSE

FILES = ("lvis_v1_{}.json", "lvis_v0.5_{}.json", "lvis_{}.json")
QUALIFIER = re.compile(r"\([^()]*\)")


def read_lvis(
    folder: Path,
    split: str,
    *,
    masks: bool = False,
    skip_missing: bool = False,
    outside: str | Boxes = REFUSE,
) -> list[Scene]:
    """The scenes of one split, in the order of its file; pictures are located, not read.

    Categories are named as `category_words` says. `exhaustive` has those of which a picture is known to show
    all instances or none. With `masks`, things get theirs; boxes without area are left out. RecordError names
    file, entry and field; `skip_missing` passes over pictures that are not there instead, `outside` says what
    is done with boxes that stick out (`boxes.Boxes`).
    """
    folder, file = Path(folder), locate_lvis(Path(folder), split)
    instances = Instances(
        read_json(file),
        boxes=boxes_by(outside),
        locate=lambda row: locate_picture(row, folder),
        missing=lambda row: f"none of its pictures exists: {', '.join(places_of(row))}",
        skip_missing=skip_missing,
    )
    names = {number: words_of_category(row) for number, row in instances.categories.items()}
    certain = {
        number: set(instances.images[number].whole_numbers("neg_category_ids")) for number in instances.drafts
    }
    doubtful = {
        number: set(instances.images[number].whole_numbers("not_exhaustive_category_ids"))
        for number in instances.drafts
    }
    for annotation in instances.annotations():
        draft, category = annotation.draft, annotation.category.whole("id")
        picture = annotation.row.whole("image_id")
        certain[picture].add(category)
        if annotation.box is None:
            doubtful[picture].add(category)
            continue
        mask = annotation.mask() if masks else None
        thing = Thing(annotation.number, annotation.box, names[category], mask=mask)
        draft.things[annotation.number] = thing
    instances.boxes.report(file)
    return [
        draft.scene("lvis", exhaustive=certain_words(certain[number] - doubtful[number], names))
        for number, draft in instances.drafts.items()
    ]


def certain_words(certain: set[int], names: Mapping[int, str]) -> set[str]:
    """The words of categories of which all instances are known, and of no other category."""
    called: defaultdict[str, set[int]] = defaultdict(set)
    for category, name in names.items():
        called[name].add(category)
    words = {names[category] for category in certain if category in names}
    return {word for word in words if called[word] <= certain}


def locate_lvis(folder: Path, split: str) -> Path:
    """The file of a split; RecordError lists the files that are there."""
    for parent in (folder, folder / "annotations"):
        for name in FILES:
            if (path := parent / name.format(split)).is_file():
                return path
    found = sorted(
        path.name for parent in (folder, folder / "annotations") for path in parent.glob("lvis_*.json")
    )
    raise RecordError(
        f"{folder} has no split {split!r} (no {', '.join(name.format(split) for name in FILES)}); it has: "
        f"{', '.join(found) or 'none'}"
    )


def category_words(name: str, synonyms: tuple[str, ...] = ()) -> str:
    """A category as one would say it: its first synonym (or else its name), without underscores and
    qualifier.

    >>> category_words("monitor_(computer_equipment) computer_monitor", ("monitor_(computer_equipment)",))
    'monitor'
    """
    first = synonyms[0] if synonyms else name
    return " ".join(QUALIFIER.sub(" ", first.replace("_", " ")).split())


def words_of_category(row: Fields) -> str:
    """The words of one entry of `categories`."""
    words = category_words(row.text("name"), row.texts("synonyms"))
    if not words:
        raise RecordError(
            f"{row.where}: field 'name' is {row.text('name')!r}; expected a name with words in it"
        )
    return words


def places_of(row: Fields) -> Iterator[str]:
    """Yield where below the folder the picture of an entry may lie."""
    if (url := row.optional_text("coco_url")) is not None:
        yield "/".join(url.split("/")[-2:])
        yield f"images/{url.split('/')[-1]}"
    if (name := row.optional_text("file_name")) is not None:
        yield name
        yield f"images/{name}"


def locate_picture(row: Fields, folder: Path) -> PictureFile | None:
    """The picture of an entry, in the first place that has it; None if there is none."""
    for place in places_of(row):
        if (path := below(folder, place, where=row.where, linked_folders=True)).is_file():
            return PictureFile(path)
    return None
