"""Reader of Flickr30k Entities as published (Plummer et al., 2015): one xml and one txt file a picture.

`Annotations/<id>.xml` holds boxes in 1-based inclusive integers, `Sentences/<id>.txt` five captions whose
phrases name the entities, `flickr30k-images/<id>.jpg` the picture and `<split>.txt` the ids of a split.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from deixis.data.scene import Caption, PictureFile, Scene, Thing
from deixis.data.sources.boxes import Boxes, boxes_by
from deixis.data.sources.flickr30k_files import read_annotation, read_captions, read_text
from deixis.english.nouns import head_noun
from deixis.errors import RecordError
from deixis.files.json_files import below
from deixis.regions.outside import REFUSE
from deixis.regions.shapes import Box


def read_flickr30k_entities(folder: Path, split: str, *, outside: str | Boxes = REFUSE) -> list[Scene]:
    """The scenes of one split, in the order of its id list.

    A box that belongs to several entities is one thing. `category` is the commonest head noun of a thing's
    phrases, `supercategory` its type. Entities marked as scene or without a box have phrases without things.
    There are no expressions: the files do not say which boxes are drawn round a group. RecordError names the
    file and what is wrong in it; `outside` says what is done with boxes that stick out (`boxes.Boxes`).
    """
    folder, boxes = Path(folder), boxes_by(outside)
    listed = folder / f"{split}.txt"
    if not listed.is_file():
        known = ", ".join(sorted(path.stem for path in folder.glob("*.txt"))) or "none"
        raise RecordError(f"{folder} has no split {split!r} (no {listed.name}); it has: {known}")
    scenes = [_scene(folder, number, boxes, source=str(listed)) for number in read_text(listed).split()]
    boxes.report(listed)
    return scenes


def _scene(folder: Path, number: str, boxes: Boxes, *, source: str) -> Scene:
    annotation = below(folder / "Annotations", f"{number}.xml", where=source)
    picture = below(folder / "flickr30k-images", f"{number}.jpg", where=source)
    if not picture.is_file():
        raise RecordError(f"{source}: picture {picture} does not exist")
    width, height, drawn = _boxes(annotation, boxes)
    entity_things: defaultdict[str, list[int]] = defaultdict(list)
    for index, (entities, _) in enumerate(drawn, start=1):
        for entity in entities:
            entity_things[entity].append(index)
    captions = read_captions(folder / "Sentences" / f"{number}.txt", things=entity_things)
    return Scene(
        id=number,
        picture=PictureFile(picture),
        width=width,
        height=height,
        things=_things([box for _, box in drawn], captions),
        captions=captions,
        expressions=(),
        source="flickr30k_entities",
    )


def _boxes(path: Path, boxes: Boxes) -> tuple[int, int, list[tuple[tuple[str, ...], Box]]]:
    """Width, height, and each drawn box with the entities it belongs to."""
    annotation = read_annotation(path)
    found = []
    for index, marked in enumerate(annotation.objects):
        if marked.corners is None:
            continue
        where = f"{path}: object {index}"
        first_column, first_row, last_column, last_row = marked.corners
        # Columns and rows count from 1 and the last is part of the box: ours start one earlier and end there.
        edges = (first_column - 1, first_row - 1, last_column, last_row)
        width, height = annotation.width, annotation.height
        box = boxes.inside(edges, width=width, height=height, where=where)
        if box is None and boxes.tolerates(edges, width=width, height=height):
            continue
        if box is None:
            raise RecordError(f"{where}: bndbox has no area: {marked.corners}")
        found.append((marked.entities, box))
    return annotation.width, annotation.height, found


def _things(boxes: Sequence[Box], captions: Sequence[Caption]) -> tuple[Thing, ...]:
    nouns: defaultdict[int, Counter[str]] = defaultdict(Counter)
    types: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for phrase in (phrase for caption in captions for phrase in caption.phrases):
        for number in phrase.things:
            nouns[number][head_noun(phrase.text)] += 1
            types[number].update(phrase.types)
    things = []
    for number, box in enumerate(boxes, start=1):
        thing = Thing(number, box, category="object")  # boxed, but no caption speaks of it
        if number in nouns:
            category, kind = (counts[number].most_common(1)[0][0] for counts in (nouns, types))
            thing = replace(thing, category=category or "object", supercategory=kind)
        things.append(thing)
    return tuple(things)
