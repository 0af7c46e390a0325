"""Reader of RefCOCO, RefCOCO+ and RefCOCOg: expressions that refer to one thing of a COCO picture each.

`refs(unc).p` (or `refs(umd).p`, `refs(google).p`) and `instances.json` side by side; pictures in `images/` or
`train2014/`. Kazemzadeh et al., 2014; Yu et al., 2016; Mao et al., 2016.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from deixis.data.scene import Expression, PictureFile, Scene, Thing
from deixis.data.sources.boxes import REFUSE, Boxes, boxes_by
from deixis.data.sources.segmentations import read_segmentation
from deixis.errors import RecordError
from deixis.files.json_files import LARGEST_FILE, Fields, below, bounded_bytes, numbered, read_json

PARTITIONS = ("unc", "umd", "google")
PICTURES = ("images", "train2014", "val2014", ".")


class _Plain(pickle.Unpickler):
    """An unpickler that makes nothing but lists, objects, strings and numbers."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it asks for {module}.{name}; expected plain lists and objects only")


def read_refcoco(
    folder: Path,
    split: str,
    *,
    partition: str | None = None,
    masks: bool = False,
    skip_missing: bool = False,
    outside: str | Boxes = REFUSE,
) -> list[Scene]:
    """The scenes with expressions of one split (train, val, testA, testB, test), by order of the references.

    partition: whose division into splits counts, "unc", "umd" or "google"; None takes the first that is
    there. Things are all annotations of a picture; an expression is `unique` if no other reference of the
    picture has the same words. RecordError names file, entry and field; `skip_missing` passes over pictures
    that are not there instead. `outside`: what is done with boxes that stick out (`boxes.Boxes`); expressions
    of those that are passed over are left out.
    """
    folder, boxes = Path(folder), boxes_by(outside)
    path = locate_references(folder, partition)
    rows = list(read_references(path))
    chosen = [row for row in rows if row.text("split") == split]
    if not chosen:
        known = ", ".join(sorted({row.text("split") for row in rows})) or "none"
        raise RecordError(f"{path} has no split {split!r}; it has: {known}")
    content = read_json(folder / "instances.json")
    names = numbered(content.rows("categories"), "category id")
    images = numbered(content.rows("images"), "image id")
    annotations: defaultdict[int, list[Fields]] = defaultdict(list)
    for row in numbered(content.rows("annotations"), "annotation id").values():
        annotations[row.whole("image_id")].append(row)
    references: defaultdict[int, list[Fields]] = defaultdict(list)
    for row in chosen:
        if row.whole("image_id") not in images:
            raise RecordError(f"{row.where}: image_id {row.whole('image_id')} is not in instances.json")
        references[row.whole("image_id")].append(row)
    scenes = []
    for number, own in references.items():
        image = images[number]
        picture = locate_picture(image, folder)
        if picture is None and not skip_missing:
            raise RecordError(
                f"{image.where}: picture {image.text('file_name')} does not exist in any of: "
                f"{', '.join(PICTURES)}"
            )
        if picture is not None:
            things = list(_things(image, annotations[number], names, boxes, masks=masks))
            gone = {row.whole("id") for row in annotations[number] if _passed_over(row, image, boxes)}
            scenes.append(
                _scene(image, picture, things, [row for row in own if row.whole("ann_id") not in gone])
            )
    boxes.report(folder / "instances.json")
    return scenes


def locate_references(folder: Path, partition: str | None) -> Path:
    """The file of references; RecordError lists those that are there."""
    for name in PARTITIONS if partition is None else (partition,):
        if (path := folder / f"refs({name}).p").is_file():
            return path
    found = ", ".join(sorted(path.name for path in folder.glob("refs(*).p"))) or "none"
    wanted = "refs(unc).p, refs(umd).p or refs(google).p" if partition is None else f"refs({partition}).p"
    raise RecordError(f"{folder} has no {wanted}; it has: {found}")


def read_references(path: Path) -> Iterator[Fields]:
    """The references of a pickled list of plain objects; anything else in the file is refused unmade."""
    try:
        encoded = bounded_bytes(path, largest=LARGEST_FILE)
        refuse_claims(encoded)
        values = _Plain(io.BytesIO(encoded), encoding="utf-8").load()
    except RecordError:
        raise
    except Exception as fault:  # a broken pickle raises whatever its bytes lead to
        raise RecordError(f"{path}: is no pickled list of references ({fault})") from fault
    yield from Fields({"refs": values}, str(path)).rows("refs")


def refuse_claims(encoded: bytes) -> None:
    """Raise an error for a pickle that claims more than is in it, before anything is made of it.

    The decoder believes sizes and makes room for them: ten bytes can ask for gigabytes.
    """
    for count, (code, argument, _) in enumerate(pickletools.genops(encoded)):  # checks what sizes claim
        if code.name in ("PUT", "BINPUT", "LONG_BINPUT") and isinstance(argument, int) and argument > count:
            raise pickle.UnpicklingError(f"it numbers its part {count} {argument:,}")


def locate_picture(image: Fields, folder: Path) -> PictureFile | None:
    """The picture of an entry of `images`, in the first folder that has it."""
    for parent in PICTURES:
        path = below(folder / parent, image.text("file_name"), where=image.where)
        if path.is_file():
            return PictureFile(path)
    return None


def _things(
    image: Fields, annotations: list[Fields], names: Mapping[int, Fields], boxes: Boxes, *, masks: bool
) -> Iterator[Thing]:
    width, height = image.whole("width", least=1), image.whole("height", least=1)
    for row in annotations:
        category = names.get(row.whole("category_id"))
        if category is None:
            raise RecordError(f"{row.where}: category_id {row.whole('category_id')} is not in 'categories'")
        x, y, wide, high = row.numbers("bbox", count=4)
        where = f"{row.where}: field 'bbox'"
        box = boxes.inside((x, y, x + wide, y + high), width=width, height=height, where=where)
        if box is not None:
            yield Thing(
                id=row.whole("id"),
                box=box,
                category=category.text("name"),
                group=row.flag("iscrowd"),
                mask=read_segmentation(row, width=width, height=height) if masks else None,
                coco_name=category.text("name"),
                supercategory=category.optional_text("supercategory"),
            )


def _passed_over(row: Fields, image: Fields, boxes: Boxes) -> bool:
    """Whether a box sticks out and nothing is left of it by the rule that was chosen."""
    x, y, wide, high = row.numbers("bbox", count=4)
    width, height = image.whole("width", least=1), image.whole("height", least=1)
    edges = (x, y, x + wide, y + high)
    if not boxes.tolerates(edges, width=width, height=height):
        return False
    return Boxes(boxes.outside).inside(edges, width=width, height=height, where=row.where) is None


def _scene(image: Fields, picture: PictureFile, things: list[Thing], references: list[Fields]) -> Scene:
    by_id = {thing.id: thing for thing in things}
    alike = Counter(thing.category for thing in things)
    said = [(row, text) for row in references for text in _sentences(row)]
    meant: defaultdict[str, set[int]] = defaultdict(set)
    for row, text in said:
        meant[text].add(row.whole("ann_id"))
    expressions = []
    for row, text in said:
        thing = by_id.get(row.whole("ann_id"))
        if thing is None:
            raise RecordError(f"{row.where}: ann_id {row.whole('ann_id')} is no annotation of its image")
        expressions.append(
            Expression(
                text,
                thing.id,
                unique=len(meant[text]) == 1,
                group=thing.group,
                distractors=alike[thing.category] - 1,
            )
        )
    return Scene(
        id=str(image.whole("id")),
        picture=picture,
        width=image.whole("width", least=1),
        height=image.whole("height", least=1),
        things=tuple(things),
        captions=(),
        expressions=tuple(expressions),
        source="refcoco",
    )


def _sentences(row: Fields) -> Iterator[str]:
    for sentence in row.rows("sentences"):
        text = " ".join(sentence.text("sent").split())
        if text:
            yield text
