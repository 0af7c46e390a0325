"""Reader of RefCOCO, RefCOCO+ and RefCOCOg: expressions that refer to one thing of a COCO picture each.

`refs(unc).p` (or `refs(umd).p`, `refs(google).p`) and `instances.json` side by side; pictures in `images/` or
`train2014/`. Kazemzadeh et al., 2014; Yu et al., 2016; Mao et al., 2016.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deixis.data.scene import Expression, PictureFile, Scene, Thing
from deixis.data.sources.boxes import Boxes, boxes_by
from deixis.data.sources.drafts import Annotation, Instances, SceneDraft
from deixis.errors import RecordError
from deixis.files.json_files import LARGEST_FILE, Fields, below, bounded_bytes, read_json
from deixis.regions.outside import REFUSE
from deixis.regions.shapes import Box

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
    folder = Path(folder)
    path = locate_references(folder, partition)
    rows = list(read_references(path))
    chosen = [row for row in rows if row.text("split") == split]
    if not chosen:
        known = ", ".join(sorted({row.text("split") for row in rows})) or "none"
        raise RecordError(f"{path} has no split {split!r}; it has: {known}")
    references: defaultdict[int, list[Fields]] = defaultdict(list)
    for row in chosen:
        references[row.whole("image_id")].append(row)
    instances = Instances(
        read_json(folder / "instances.json"),
        boxes=boxes_by(outside),
        locate=lambda row: locate_picture(row, folder),
        missing=lambda row: (
            f"picture {row.text('file_name')} does not exist in any of: {', '.join(PICTURES)}"
        ),
        skip_missing=skip_missing,
        only=references.keys(),
    )
    drafts = [(instances.draft(own[0]), own) for own in references.values()]
    for annotation in instances.annotations():
        if annotation.box is not None:
            annotation.draft.things[annotation.number] = thing_of(annotation, annotation.box, masks=masks)
    instances.boxes.report(folder / "instances.json")
    scenes = []
    for draft, own in drafts:
        if draft is not None:
            add_expressions(draft, own)
            scenes.append(draft.scene("refcoco"))
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


def thing_of(annotation: Annotation, box: Box, *, masks: bool) -> Thing:
    """The thing that an annotation stands for."""
    category = annotation.category
    return Thing(
        id=annotation.number,
        box=box,
        category=category.text("name"),
        group=annotation.crowd,
        mask=annotation.mask() if masks else None,
        coco_name=category.text("name"),
        supercategory=category.optional_text("supercategory"),
    )


def add_expressions(draft: SceneDraft, references: list[Fields]) -> None:
    """Give a scene the expressions of its references; those of things that were passed over are left out."""
    alike = Counter(thing.category for thing in draft.things.values())
    kept = [row for row in references if row.whole("ann_id") not in draft.passed_over]
    said = [(row, text) for row in kept for text in _sentences(row)]
    meant: defaultdict[str, set[int]] = defaultdict(set)
    for row, text in said:
        meant[text].add(row.whole("ann_id"))
    for row, text in said:
        thing = draft.things.get(row.whole("ann_id"))
        if thing is None:
            raise RecordError(f"{row.where}: ann_id {row.whole('ann_id')} is no annotation of its image")
        draft.expressions.append(
            Expression(
                text,
                thing.id,
                unique=len(meant[text]) == 1,
                group=thing.group,
                distractors=alike[thing.category] - 1,
            )
        )


def _sentences(row: Fields) -> Iterator[str]:
    for sentence in row.rows("sentences"):
        text = " ".join(sentence.text("sent").split())
        if text:
            yield text
