"""Reader of Flickr30k Entities as published (Plummer et al., 2015): one xml and one txt file a picture.

`Annotations/<id>.xml` holds boxes in 1-based inclusive integers, `Sentences/<id>.txt` five captions whose
phrases name the entities, `flickr30k-images/<id>.jpg` the picture and `<split>.txt` the ids of a split.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from deixis.data.scene import Caption, Phrase, PictureFile, Scene, Thing
from deixis.data.sources.boxes import box_in_picture
from deixis.data.sources.json_files import below, bounded_bytes
from deixis.errors import RecordError
from deixis.language.nouns import head_noun
from deixis.regions.shapes import Box

LARGEST_ANNOTATION = 4 << 20
MARKED_PHRASE = re.compile(r"\[/EN#(?P<entity>\d+)(?P<types>(?:/\w+)+) (?P<words>[^\[\]]+)\]")
CORNERS = ("xmin", "ymin", "xmax", "ymax")


def read_flickr30k_entities(folder: Path, split: str) -> list[Scene]:
    """The scenes of one split, in the order of its id list.

    A box that belongs to several entities is one thing. `category` is the commonest head noun of a thing's
    phrases, `supercategory` its type. Entities marked as scene or without a box have phrases without things.
    There are no expressions: the files do not say which boxes are drawn round a group. RecordError names the
    file and what is wrong in it.
    """
    folder = Path(folder)
    listed = folder / f"{split}.txt"
    if not listed.is_file():
        known = ", ".join(sorted(path.stem for path in folder.glob("*.txt"))) or "none"
        raise RecordError(f"{folder} has no split {split!r} (no {listed.name}); it has: {known}")
    return [_scene(folder, number, source=str(listed)) for number in _text(listed).split()]


def _scene(folder: Path, number: str, *, source: str) -> Scene:
    annotation = below(folder / "Annotations", f"{number}.xml", where=source)
    picture = below(folder / "flickr30k-images", f"{number}.jpg", where=source)
    if not picture.is_file():
        raise RecordError(f"{source}: picture {picture} does not exist")
    width, height, boxes = _boxes(annotation)
    entity_things: defaultdict[str, list[int]] = defaultdict(list)
    for index, (entities, _) in enumerate(boxes, start=1):
        for entity in entities:
            entity_things[entity].append(index)
    captions = _captions(folder / "Sentences" / f"{number}.txt", entity_things)
    return Scene(
        id=number,
        picture=PictureFile(picture),
        width=width,
        height=height,
        things=_things([box for _, box in boxes], captions),
        captions=captions,
        expressions=(),
        source="flickr30k_entities",
    )


def _boxes(path: Path) -> tuple[int, int, list[tuple[list[str], Box]]]:
    """Width, height, and each drawn box with the entities it belongs to."""
    encoded = bounded_bytes(path, largest=LARGEST_ANNOTATION)
    if b"<!" in encoded.replace(b"<!--", b""):
        raise RecordError(f"{path}: has a document type or entity declaration; these are refused")
    try:
        root = ElementTree.fromstring(encoded)
    except ElementTree.ParseError as fault:
        raise RecordError(f"{path}: is not valid XML ({fault})") from fault
    width, height = (_whole(root, f"size/{side}", where=str(path)) for side in ("width", "height"))
    if min(width, height) < 1:
        raise RecordError(f"{path}: size is {width} x {height}; expected at least one pixel")
    found = []
    for index, item in enumerate(root.findall("object")):
        corners = item.find("bndbox")
        if corners is None:
            continue
        where = f"{path}: object {index}"
        first_column, first_row, last_column, last_row = (
            _whole(corners, name, where=where) for name in CORNERS
        )
        # Columns and rows count from 1 and the last is part of the box: ours start one earlier and end there.
        edges = (first_column - 1, first_row - 1, last_column, last_row)
        box = box_in_picture(edges, width=width, height=height, where=where)
        if box is None:
            raise RecordError(
                f"{where}: bndbox has no area: {(first_column, first_row, last_column, last_row)}"
            )
        found.append(([name.text or "" for name in item.findall("name")], box))
    return width, height, found


def _whole(parent: ElementTree.Element, name: str, *, where: str) -> int:
    text = parent.findtext(name)
    if text is None or re.fullmatch(r"\s*-?\d{1,9}\s*", text) is None:
        raise RecordError(f"{where}: <{name}> is {text!r}; expected a whole number")
    return int(text)


def _captions(path: Path, entity_things: dict[str, list[int]]) -> tuple[Caption, ...]:
    lines = [line.strip() for line in _text(path).splitlines()]
    return tuple(
        _caption(line, entity_things, where=f"{path}:{number}")
        for number, line in enumerate(lines, start=1)
        if line
    )


def _caption(marked: str, entity_things: dict[str, list[int]], *, where: str) -> Caption:
    text, phrases, done = "", [], 0
    for match in MARKED_PHRASE.finditer(marked):
        text += marked[done : match.start()]
        words, entity = match["words"], match["entity"]
        phrases.append(
            Phrase(
                len(text),
                len(text) + len(words),
                words,
                things=tuple(entity_things.get(entity, ())),
                types=tuple(match["types"].strip("/").split("/")),
                entity=entity,
            )
        )
        text += words
        done = match.end()
    text += marked[done:]
    if "[/EN#" in text:
        raise RecordError(f"{where}: phrase mark in {text!r:.80} is not [/EN#number/type words]")
    return Caption(text, tuple(phrases))


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


def _text(path: Path) -> str:
    try:
        return bounded_bytes(path, largest=LARGEST_ANNOTATION).decode("utf-8")
    except UnicodeDecodeError as fault:
        raise RecordError(f"{path}: is not UTF-8 text ({fault})") from fault
