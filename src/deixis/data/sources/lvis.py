"""Reader of LVIS (Gupta et al., 2019): over a thousand categories on COCO's pictures, with true absences.

`lvis_v1_<split>.json` (or `lvis_v0.5_<split>.json`, `lvis_<split>.json`), also below `annotations/`; pictures
in COCO's folders, as `coco_url` names them (`train2017/000000000025.jpg`), or in `images/`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deixis.data.scene import PictureFile, Scene, Thing
from deixis.data.sources.boxes import REFUSE, Boxes, boxes_by
from deixis.data.sources.segmentations import read_segmentation
from deixis.errors import RecordError
from deixis.files.json_files import Fields, Numbers, below, numbered, read_json

FILES = ("lvis_v1_{}.json", "lvis_v0.5_{}.json", "lvis_{}.json")
QUALIFIER = re.compile(r"\([^()]*\)")


@dataclass
class _Draft:
    """A scene while its file is being read; categories by number."""

    picture: PictureFile
    width: int
    height: int
    absent: tuple[int, ...]
    incomplete: tuple[int, ...]
    things: list[Thing] = field(default_factory=list)
    present: set[int] = field(default_factory=set)


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
    folder, boxes = Path(folder), boxes_by(outside)
    content = read_json(locate_lvis(folder, split))
    categories = numbered(content.rows("categories"), "category id")
    names = {number: words_of_category(row) for number, row in categories.items()}
    drafts: dict[int, _Draft] = {}
    known = numbered(content.rows("images"), "image id")
    for number, row in known.items():
        draft = _draft(row, folder)
        if draft is not None:
            drafts[number] = draft
        elif not skip_missing:
            raise RecordError(f"{row.where}: none of its pictures exists: {', '.join(places_of(row))}")
    numbers = Numbers("annotation id")
    for row in content.rows("annotations"):
        numbers.add(row.whole("id"), row.where)
        if row.whole("image_id") not in known:
            raise RecordError(f"{row.where}: image_id {row.whole('image_id')} is not in 'images'")
        if row.whole("image_id") in drafts:
            _add_thing(row, drafts[row.whole("image_id")], names, boxes, masks=masks)
    boxes.report(locate_lvis(folder, split))
    # Different categories may be called by the same words; these are certain only if all of them are.
    called: defaultdict[str, set[int]] = defaultdict(set)
    for category, name in names.items():
        called[name].add(category)
    return [_scene(number, draft, names, called) for number, draft in drafts.items()]


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


def _draft(row: Fields, folder: Path) -> _Draft | None:
    for place in places_of(row):
        if (path := below(folder, place, where=row.where, linked_folders=True)).is_file():
            return _Draft(
                PictureFile(path),
                row.whole("width", least=1),
                row.whole("height", least=1),
                row.whole_numbers("neg_category_ids"),
                row.whole_numbers("not_exhaustive_category_ids"),
            )
    return None


def _add_thing(row: Fields, draft: _Draft, names: Mapping[int, str], boxes: Boxes, *, masks: bool) -> None:
    number = row.whole("category_id")
    if number not in names:
        raise RecordError(f"{row.where}: category_id {number} is not in 'categories'")
    x, y, wide, high = row.numbers("bbox", count=4)
    where = f"{row.where}: field 'bbox'"
    box = boxes.inside((x, y, x + wide, y + high), width=draft.width, height=draft.height, where=where)
    draft.present.add(number)
    if box is None:
        draft.incomplete += (number,)
        return
    mask = read_segmentation(row, width=draft.width, height=draft.height) if masks else None
    draft.things.append(Thing(row.whole("id"), box, names[number], mask=mask))


def _scene(number: int, draft: _Draft, names: Mapping[int, str], called: Mapping[str, set[int]]) -> Scene:
    certain = (draft.present | set(draft.absent)) - set(draft.incomplete)
    words = {names[category] for category in certain if category in names}
    return Scene(
        id=str(number),
        picture=draft.picture,
        width=draft.width,
        height=draft.height,
        things=tuple(draft.things),
        captions=(),
        expressions=(),
        exhaustive=frozenset(word for word in words if called[word] <= certain),
        source="lvis",
    )
