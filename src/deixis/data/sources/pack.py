"""Reader of a pack: photographs with boxes, captions whose phrases are linked to boxes, and expressions.

The layout is `images/` (tar shards or ordinary files), `<split>_instances.json`, `<split>_captions.jsonl`
and, optionally, `<split>_expressions.jsonl`; docs/data.md describes the fields.
"""

from __future__ import annotations

import tarfile
from dataclasses import dataclass, field
from pathlib import Path

from deixis.data.scene import Caption, Expression, Phrase, PictureFile, Scene, Thing
from deixis.data.sources.boxes import REFUSE, Boxes, boxes_by
from deixis.errors import RecordError
from deixis.files.json_files import (
    Fields,
    Numbers,
    below,
    numbered,
    ordinary_file,
    read_json,
    read_json_lines,
)
from deixis.regions.shapes import Box


@dataclass
class _Draft:
    """A scene while its files are being read."""

    picture: PictureFile
    width: int
    height: int
    things: dict[int, Thing] = field(default_factory=dict)
    captions: list[Caption] = field(default_factory=list)
    expressions: list[Expression] = field(default_factory=list)
    passed_over: set[int] = field(default_factory=set)


def read_pack(folder: Path, split: str, *, outside: str | Boxes = REFUSE) -> list[Scene]:
    """The scenes of one split, in the order of its instances file; pictures are located, not read.

    RecordError names the file, the entry and the field of whatever is missing, wrong or points nowhere.
    `outside`: what is done with boxes that stick out (`boxes.Boxes`); without them, phrases mean what is left
    and expressions that meant them are left out.
    """
    folder, boxes = Path(folder), boxes_by(outside)
    instances = folder / f"{split}_instances.json"
    if not instances.is_file():
        splits = sorted(path.name.removesuffix("_instances.json") for path in folder.glob("*_instances.json"))
        raise RecordError(
            f"{folder} has no split {split!r} (no {instances.name}); it has: {', '.join(splits) or 'none'}"
        )
    content = read_json(instances)
    drafts = _drafts(content, folder / "images")
    _add_things(content, drafts, boxes)
    boxes.report(instances)
    _add_captions(folder / f"{split}_captions.jsonl", drafts)
    expressions = folder / f"{split}_expressions.jsonl"
    if expressions.is_file():
        _add_expressions(expressions, drafts)
    return [
        Scene(
            id=str(number),
            picture=draft.picture,
            width=draft.width,
            height=draft.height,
            things=tuple(draft.things.values()),
            captions=tuple(draft.captions),
            expressions=tuple(draft.expressions),
            source=folder.resolve().name,
        )
        for number, draft in drafts.items()
    ]


def locate_members(shard: Path) -> dict[str, PictureFile]:
    """Every ordinary file in an uncompressed tar, found by its headers alone and readable by offset."""
    try:
        if shard.exists():
            ordinary_file(shard)
        with tarfile.open(shard, "r:") as archive:
            return {
                member.name: PictureFile(
                    shard, member=member.name, offset=member.offset_data, size=member.size
                )
                for member in archive
                if member.isreg()
            }
    except (OSError, tarfile.TarError) as fault:
        raise RecordError(f"shard {shard} cannot be read as an uncompressed tar: {fault}") from fault


def _drafts(content: Fields, images: Path) -> dict[int, _Draft]:
    shards: dict[str, dict[str, PictureFile]] = {}
    drafts: dict[int, _Draft] = {}
    for number, row in numbered(content.rows("images"), "image id").items():
        name, shard = row.text("file_name"), row.optional_text("shard")
        if shard is None:
            picture = PictureFile(below(images, name, where=row.where))
            if not picture.path.is_file():
                raise RecordError(f"{row.where}: picture {picture.path} does not exist")
        else:
            if shard not in shards:
                shards[shard] = locate_members(below(images, shard, where=row.where))
            if name not in shards[shard]:
                raise RecordError(f"{row.where}: shard {shard} holds no {name!r}")
            picture = shards[shard][name]
        drafts[number] = _Draft(picture, row.whole("width", least=1), row.whole("height", least=1))
    return drafts


def _add_things(content: Fields, drafts: dict[int, _Draft], boxes: Boxes) -> None:
    categories = numbered(content.rows("categories"), "category id")
    numbers = Numbers("annotation id")
    for row in content.rows("annotations"):
        draft, number = _draft_of(row, drafts), numbers.add(row.whole("id"), row.where)
        category = categories.get(row.whole("category_id"))
        if category is None:
            raise RecordError(f"{row.where}: category_id {row.whole('category_id')} is not in 'categories'")
        box = _box(row, draft, boxes)
        if box is None:
            draft.passed_over.add(number)
            continue
        draft.things[number] = Thing(
            id=number,
            box=box,
            category=category.text("name"),
            group=row.flag("group") or row.flag("iscrowd"),
            coco_name=category.optional_text("coco_name"),
            supercategory=category.optional_text("supercategory"),
        )


def _box(row: Fields, draft: _Draft, boxes: Boxes) -> Box | None:
    x, y, wide, high = row.numbers("bbox", count=4)
    where = f"{row.where}: field 'bbox'"
    edges, width, height = (x, y, x + wide, y + high), draft.width, draft.height
    box = boxes.inside(edges, width=width, height=height, where=where)
    if box is None and not boxes.tolerates(edges, width=width, height=height):
        raise RecordError(
            f"{where} has no area: [{x:g}, {y:g}, {wide:g}, {high:g}]; expected [x, y, width, height]"
        )
    return box


def _draft_of(row: Fields, drafts: dict[int, _Draft]) -> _Draft:
    number = row.whole("image_id")
    if number not in drafts:
        raise RecordError(f"{row.where}: image_id {number} is not in the instances file")
    return drafts[number]


def _add_captions(path: Path, drafts: dict[int, _Draft]) -> None:
    for row in read_json_lines(path):
        draft, text = _draft_of(row, drafts), row.text("caption")
        phrases = sorted(
            (_phrase(phrase, text, draft) for phrase in row.rows("phrases")), key=lambda p: p.start
        )
        draft.captions.append(Caption(text, tuple(phrases)))


def _phrase(row: Fields, caption: str, draft: _Draft) -> Phrase:
    start, end, text = row.whole("start", least=0), row.whole("end", least=1), row.text("text")
    if caption[start:end] != text or not text:
        raise RecordError(
            f"{row.where}: caption[{start}:{end}] is {caption[start:end]!r}, 'text' is {text!r}"
        )
    things = tuple(n for n in row.whole_numbers("ann_ids") if n not in draft.passed_over)
    for number in things:
        if number not in draft.things:
            raise RecordError(f"{row.where}: ann_ids has {number}, which is no annotation of this image")
    return Phrase(start, end, text, things=things, types=row.texts("types"), entity=row.text("entity_id"))


def _add_expressions(path: Path, drafts: dict[int, _Draft]) -> None:
    for row in read_json_lines(path):
        draft, number = _draft_of(row, drafts), row.whole("ann_id")
        if number in draft.passed_over:
            continue
        if number not in draft.things:
            raise RecordError(
                f"{row.where}: ann_id {number} is no annotation of image {row.whole('image_id')}"
            )
        draft.expressions.append(
            Expression(
                row.text("expression"),
                number,
                unique=row.flag("unique_phrase"),
                group=row.flag("group"),
                distractors=row.whole("distractors", least=0),
            )
        )
