"""Reader of a pack: photographs with boxes, captions whose phrases are linked to boxes, and expressions.

The layout is `images/` (tar shards or ordinary files), `<split>_instances.json`, `<split>_captions.jsonl`
and, optionally, `<split>_expressions.jsonl`; docs/data.md describes the fields.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

from deixis.data.scene import Caption, Expression, Phrase, PictureFile, Scene, Thing
from deixis.data.sources.boxes import Boxes, boxes_by
from deixis.data.sources.drafts import Annotation, Instances, SceneDraft
from deixis.errors import RecordError
from deixis.files.json_files import Fields, below, ordinary_file, read_json, read_json_lines
from deixis.regions.outside import REFUSE


def read_pack(folder: Path, split: str, *, outside: str | Boxes = REFUSE) -> list[Scene]:
    """The scenes of one split, in the order of its instances file; pictures are located, not read.

    RecordError names the file, the entry and the field of whatever is missing, wrong or points nowhere.
    `outside`: what is done with boxes that stick out (`boxes.Boxes`); without them, phrases mean what is left
    and expressions that meant them are left out.
    """
    folder = Path(folder)
    file = folder / f"{split}_instances.json"
    if not file.is_file():
        splits = sorted(path.name.removesuffix("_instances.json") for path in folder.glob("*_instances.json"))
        raise RecordError(
            f"{folder} has no split {split!r} (no {file.name}); it has: {', '.join(splits) or 'none'}"
        )
    members = Members(folder / "images")
    instances = Instances(
        read_json(file), boxes=boxes_by(outside), locate=members.locate, missing=members.missing
    )
    for annotation in instances.annotations():
        _add_thing(annotation)
    instances.boxes.report(file)
    _add_captions(folder / f"{split}_captions.jsonl", instances)
    expressions = folder / f"{split}_expressions.jsonl"
    if expressions.is_file():
        _add_expressions(expressions, instances)
    return [draft.scene(folder.resolve().name) for draft in instances.drafts.values()]


class Members:
    """The pictures below a folder: ordinary files, or members of shards, each of which is listed once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shards: dict[str, dict[str, PictureFile]] = {}

    def locate(self, row: Fields) -> PictureFile | None:
        """The picture of an entry of `images`, None where there is none."""
        name, shard = row.text("file_name"), row.optional_text("shard")
        if shard is None:
            path = below(self.folder, name, where=row.where)
            return PictureFile(path) if path.is_file() else None
        if shard not in self.shards:
            self.shards[shard] = locate_members(below(self.folder, shard, where=row.where))
        return self.shards[shard].get(name)

    def missing(self, row: Fields) -> str:
        """What is wrong with an entry that has no picture."""
        name, shard = row.text("file_name"), row.optional_text("shard")
        if shard is None:
            return f"picture {self.folder / name} does not exist"
        return f"shard {shard} holds no {name!r}"


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


def _add_thing(annotation: Annotation) -> None:
    row, draft, category = annotation.row, annotation.draft, annotation.category
    if annotation.box is None:
        if annotation.number not in draft.passed_over:
            raise RecordError(
                f"{row.where}: field 'bbox' has no area: {row.values['bbox']}; expected [x, y, width, height]"
            )
        return
    draft.things[annotation.number] = Thing(
        id=annotation.number,
        box=annotation.box,
        category=category.text("name"),
        group=row.flag("group") or annotation.crowd,
        coco_name=category.optional_text("coco_name"),
        supercategory=category.optional_text("supercategory"),
    )


def _add_captions(path: Path, instances: Instances) -> None:
    for row in read_json_lines(path):
        draft, text = instances.draft(row), row.text("caption")
        if draft is None:
            continue
        phrases = sorted(
            (_phrase(phrase, text, draft) for phrase in row.rows("phrases")), key=lambda p: p.start
        )
        draft.captions.append(Caption(text, tuple(phrases)))


def _phrase(row: Fields, caption: str, draft: SceneDraft) -> Phrase:
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


def _add_expressions(path: Path, instances: Instances) -> None:
    for row in read_json_lines(path):
        draft, number = instances.draft(row), row.whole("ann_id")
        if draft is None or number in draft.passed_over:
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
