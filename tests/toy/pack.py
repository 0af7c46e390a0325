"""A toy pack in the very schema of the real one: coloured shapes on plain grounds, with captions."""

from __future__ import annotations

import io
import json
import random
import tarfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

COLOURS = {
    "red": (214, 40, 40),
    "blue": (40, 80, 214),
    "green": (40, 150, 60),
    "yellow": (240, 210, 40),
    "purple": (140, 60, 170),
    "black": (20, 20, 20),
}
SHAPES = ("circle", "square", "triangle")
BACKGROUNDS = ((235, 235, 235), (205, 225, 240), (245, 235, 215))
SIZES = ((160, 120), (120, 160), (144, 144))
VERBS = ("is next to", "is near")


@dataclass(frozen=True)
class Shape:
    """A coloured shape; `box` is x0 y0 x1 y1 in pixels, edges continuous."""

    colour: str
    kind: str
    box: tuple[int, int, int, int]

    @property
    def words(self) -> str:
        return f"{self.colour} {self.kind}"


def write_toy_pack(folder: Path, *, pictures: int = 12, seed: int = 0, shards: bool = False) -> Path:
    """The folder, now holding splits `train` (`pictures` of them) and `val` (a third as many, at least two).

    With `shards` the pictures lie in one tar a split, otherwise as ordinary files below `images/`. The same
    seed writes the same bytes. Each picture shows two or three shapes of different colours, at least two of
    one kind, so every split has expressions that are unique and have distractors.
    """
    folder = Path(folder)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)
    first = 1
    for split, count in (("train", pictures), ("val", max(2, pictures // 3))):
        _write_split(folder, split, numbers=range(first, first + count), chance=chance, shards=shards)
        first += count
    return folder


def _write_split(folder: Path, split: str, *, numbers: range, chance: random.Random, shards: bool) -> None:
    categories = {kind: index for index, kind in enumerate(SHAPES, start=1)}
    images: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    captions: list[dict[str, object]] = []
    expressions: list[dict[str, object]] = []
    encoded: dict[str, bytes] = {}
    for number in numbers:
        width, height = chance.choice(SIZES)
        shapes = _shapes(chance, width=width, height=height)
        image = {"id": number, "file_name": f"{number}.jpg", "width": width, "height": height}
        image |= {"orig_width": width, "orig_height": height, "source": "drawn"}
        images.append(image | ({"shard": f"{split}-00.tar"} if shards else {}))
        encoded[f"{number}.jpg"] = _drawn(
            shapes, width=width, height=height, background=chance.choice(BACKGROUNDS)
        )
        ids = range(len(annotations) + 1, len(annotations) + 1 + len(shapes))
        for index, shape in zip(ids, shapes, strict=True):
            annotations.append(_annotation(index, number, shape, category=categories[shape.kind]))
            expressions.append(_expression(index, number, shape, shapes))
        captions.extend(_captions(number, shapes, ids, chance))
    named = [
        {"id": i, "name": kind, "supercategory": "shape", "coco_name": None} for kind, i in categories.items()
    ]
    instances = {
        "info": {"description": "toy"},
        "images": images,
        "annotations": annotations,
        "categories": named,
    }
    (folder / f"{split}_instances.json").write_text(json.dumps(instances), encoding="utf-8")
    _write_lines(folder / f"{split}_captions.jsonl", captions)
    _write_lines(folder / f"{split}_expressions.jsonl", expressions)
    _write_pictures(folder / "images", encoded, shard=f"{split}-00.tar" if shards else None)


def _shapes(chance: random.Random, *, width: int, height: int) -> list[Shape]:
    """Two shapes of one kind, perhaps a third of another; none overlap, for each has a column of its own."""
    kinds = chance.sample(SHAPES, 2)
    kinds = [kinds[0], kinds[0], *([kinds[1]] if chance.random() < 0.5 else [])]
    chance.shuffle(kinds)
    colours = chance.sample(list(COLOURS), len(kinds))
    column = width // len(kinds)
    shapes = []
    for place, (colour, kind) in enumerate(zip(colours, kinds, strict=True)):
        side = chance.randint(column // 2, column - 4)
        x0, y0 = place * column + chance.randint(1, column - side - 1), chance.randint(1, height - side - 1)
        shapes.append(Shape(colour, kind, (x0, y0, x0 + side, y0 + side)))
    return shapes


def _drawn(shapes: list[Shape], *, width: int, height: int, background: tuple[int, int, int]) -> bytes:
    image = Image.new("RGB", (width, height), background)
    pen = ImageDraw.Draw(image)
    for shape in shapes:
        x0, y0, x1, y1 = shape.box
        last = (x0, y0, x1 - 1, y1 - 1)  # Pillow's right and bottom edges are inclusive
        if shape.kind == "circle":
            pen.ellipse(last, fill=COLOURS[shape.colour])
        elif shape.kind == "square":
            pen.rectangle(last, fill=COLOURS[shape.colour])
        else:
            pen.polygon([((x0 + x1) // 2, y0), (x1 - 1, y1 - 1), (x0, y1 - 1)], fill=COLOURS[shape.colour])
    stream = io.BytesIO()
    image.save(stream, format="JPEG", quality=90)
    return stream.getvalue()


def _corner_and_size(shape: Shape) -> list[float]:
    x0, y0, x1, y1 = map(float, shape.box)
    return [x0, y0, x1 - x0, y1 - y0]


def _annotation(index: int, image: int, shape: Shape, *, category: int) -> dict[str, object]:
    box = _corner_and_size(shape)
    made: dict[str, object] = {"id": index, "image_id": image, "category_id": category, "bbox": box}
    return made | {"area": box[2] * box[3], "iscrowd": 0, "group": False, "entity_ids": [str(index)]}


def _expression(index: int, image: int, shape: Shape, shapes: list[Shape]) -> dict[str, object]:
    same = sum(other.kind == shape.kind for other in shapes) - 1
    made: dict[str, object] = {"image_id": image, "expression": f"a {shape.words}", "ann_id": index}
    made |= {"bbox": _corner_and_size(shape), "types": ["shape"], "entity_id": str(index), "group": False}
    return made | {"distractors": same, "unique_phrase": True}


def _captions(image: int, shapes: list[Shape], ids: range, chance: random.Random) -> list[dict[str, object]]:
    """One caption for each pair of neighbours, and one whose phrase names all of a kind."""
    captions: list[dict[str, object]] = []
    for left in range(len(shapes) - 1):
        parts: list[str | tuple[str, list[int]]] = [(f"A {shapes[left].words}", [ids[left]])]
        parts += [f" {chance.choice(VERBS)} ", (f"a {shapes[left + 1].words}", [ids[left + 1]]), " ."]
        captions.append(_caption(image, parts, number=len(captions)))
    kind = next(shape.kind for shape in shapes if sum(s.kind == shape.kind for s in shapes) == 2)
    both = [index for index, shape in zip(ids, shapes, strict=True) if shape.kind == kind]
    captions.append(_caption(image, [(f"Two {kind}s", both), " on a plain ground ."], number=len(captions)))
    return captions


def _caption(image: int, parts: list[str | tuple[str, list[int]]], *, number: int) -> dict[str, object]:
    text, phrases = "", []
    for part in parts:
        words, ids = (part, None) if isinstance(part, str) else part
        if ids is not None:
            phrase: dict[str, object] = {"start": len(text), "end": len(text) + len(words), "text": words}
            phrases.append(
                phrase | {"entity_id": "+".join(map(str, ids)), "types": ["shape"], "ann_ids": ids}
            )
        text += words
    return {"image_id": image, "caption_id": image * 10 + number, "caption": text, "phrases": phrases}


def _write_lines(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _write_pictures(images: Path, encoded: dict[str, bytes], *, shard: str | None) -> None:
    if shard is None:
        for name, content in encoded.items():
            (images / name).write_bytes(content)
        return
    with tarfile.open(images / shard, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in encoded.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
