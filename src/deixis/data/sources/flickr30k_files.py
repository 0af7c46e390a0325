"""The two files that Flickr30k Entities (Plummer et al., 2015) has for a picture, as they are stored.

`Annotations/<id>.xml` lists objects, each of one or more entities, with boxes in 1-based inclusive integers;
`Sentences/<id>.txt` holds five captions whose phrases name the entities.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

from deixis.data.scene import Caption, Phrase
from deixis.errors import RecordError
from deixis.files.json_files import bounded_bytes

LARGEST_ANNOTATION = 4 << 20
MARKED_PHRASE = re.compile(r"\[/EN#(?P<entity>\d+)(?P<types>(?:/\w+)+) (?P<words>[^\[\]]+)\]")
CORNERS = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class MarkedObject:
    """One object of an annotation file and the entities it belongs to.

    corners: first column and row, last column and row, as stored: counted from 1, the last one inside.
    None where nothing is boxed; then `without_box` and `scene` say what the file says of it.
    """

    entities: tuple[str, ...]
    corners: tuple[int, int, int, int] | None = None
    without_box: bool = False
    scene: bool = False


@dataclass(frozen=True)
class Annotation:
    """An annotation file: the picture's size and its objects, in the order of the file."""

    width: int
    height: int
    depth: int | None
    objects: tuple[MarkedObject, ...]


def read_annotation(path: Path) -> Annotation:
    """The annotation in a file; RecordError names the file and what is wrong in it."""
    encoded = bounded_bytes(path, largest=LARGEST_ANNOTATION)
    try:
        refuse_declarations(encoded)
        root = ElementTree.fromstring(encoded)
    except DeclaredError as fault:
        raise RecordError(f"{path}: has a document type or entity declaration; these are refused") from fault
    except (ElementTree.ParseError, expat.ExpatError, LookupError, ValueError) as fault:  # or an odd encoding
        raise RecordError(f"{path}: is not valid XML ({fault})") from fault
    width, height = (_whole(root, f"size/{side}", where=str(path)) for side in ("width", "height"))
    if min(width, height) < 1:
        raise RecordError(f"{path}: size is {width} x {height}; expected at least one pixel")
    depth = None if root.findtext("size/depth") is None else _whole(root, "size/depth", where=str(path))
    objects = (
        _object(item, where=f"{path}: object {index}") for index, item in enumerate(root.findall("object"))
    )
    return Annotation(width, height, depth, tuple(objects))


class DeclaredError(Exception):
    """A file declares a document type or an entity."""


def refuse_declarations(encoded: bytes) -> None:
    """Raise DeclaredError for a document type or an entity declaration, whatever encoding hides it."""

    def refuse(*_: object) -> None:
        raise DeclaredError

    if b"<!" in encoded.replace(b"<!--", b""):
        raise DeclaredError
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    parser.Parse(encoded, True)


def _object(item: ElementTree.Element, *, where: str) -> MarkedObject:
    entities = tuple(name.text or "" for name in item.findall("name"))
    box = item.find("bndbox")
    if box is None:
        without_box, scene = (
            item.find(name) is not None and _whole(item, name, where=where) > 0
            for name in ("nobndbox", "scene")
        )
        return MarkedObject(entities, without_box=without_box, scene=scene)
    first_column, first_row, last_column, last_row = (_whole(box, name, where=where) for name in CORNERS)
    return MarkedObject(entities, (first_column, first_row, last_column, last_row))


def _whole(parent: ElementTree.Element, name: str, *, where: str) -> int:
    text = parent.findtext(name)
    if text is None or re.fullmatch(r"\s*-?\d{1,9}\s*", text) is None:
        raise RecordError(f"{where}: <{name}> is {text!r}; expected a whole number")
    return int(text)


def read_captions(path: Path, *, things: Mapping[str, Sequence[int]]) -> tuple[Caption, ...]:
    """The captions in a file, one for each line that is not blank.

    things: the ids of what is boxed for an entity, for the phrases that name it.
    RecordError names the line with a mark that cannot be read.
    """
    # Only these end a line; `splitlines` would also cut a caption at U+2028, U+0085 or a form feed.
    lines = [line.strip() for line in re.split(r"\r\n|\n|\r", read_text(path))]
    return tuple(
        _caption(line, things, where=f"{path}:{number}") for number, line in enumerate(lines, start=1) if line
    )


def _caption(marked: str, things: Mapping[str, Sequence[int]], *, where: str) -> Caption:
    text, phrases, done = "", [], 0
    for match in MARKED_PHRASE.finditer(marked):
        text += marked[done : match.start()]
        words, entity = match["words"], match["entity"]
        phrases.append(
            Phrase(
                len(text),
                len(text) + len(words),
                words,
                things=tuple(things.get(entity, ())),
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


def read_text(path: Path) -> str:
    """The text of a small file; RecordError if it is not UTF-8."""
    try:
        return bounded_bytes(path, largest=LARGEST_ANNOTATION).decode("utf-8")
    except UnicodeDecodeError as fault:
        raise RecordError(f"{path}: is not UTF-8 text ({fault})") from fault
