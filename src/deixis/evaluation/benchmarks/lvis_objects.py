"""Objects of LVIS for referring object classification, each with another class and regions drawn on it.

The file of Ferret's 2,667 questions was never released. What is known of it (section 4.1): a random object
of LVIS val on COCO's val2017, its box, a point inside its mask, random strokes inside its mask, and a random
other class. What isn't known is chosen as follows, so scores compare systems with each other, and only
roughly with published numbers:

- One object a picture, drawn evenly from those whose box has at least 16 square pixels and whose outlines
  cover a pixel.
- The other class is drawn evenly from all of the file's, except those that the picture shows (or may show
  beyond its boxes), and except those that no answer can tell from the true one because the names of one
  contain those of the other, such as "dog" and "hot dog".
- The point is a pixel of the mask, all being equally likely. The free form is one zigzag through pixels of
  the mask, as thick as a finger's, cut at the mask's edge.
- Pictures come in shuffled order, each with a random generator of its own: a smaller number of objects is the
  beginning of a larger one, and nothing depends on the forms that are asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deixis.data.sources.boxes import box_in_picture
from deixis.data.sources.lvis import places_of
from deixis.data.sources.segmentations import read_segmentation
from deixis.errors import RecordError, UsageError
from deixis.evaluation.benchmarks.lvis_questions import FORMS, ClassificationRecord, Form
from deixis.evaluation.metrics.referring_classification import NamedObject, says, spoken_names
from deixis.files.json_files import Fields, read_json
from deixis.regions.raster import stroke_points
from deixis.regions.shapes import Box, Mask

PUBLISHED_COUNT = 2667
PUBLISHED_PICTURES = "val2017"
SMALLEST_BOX = 16.0  # square pixels, as for Ferret-v2's dense training
CORNERS = 6  # of the zigzag
THICKNESS = 0.05  # the zigzag's radius, of the square root of the mask's area


@dataclass
class _Shown:
    """A picture while its file is being read: its entry, its objects, and the classes that it may show."""

    entry: Fields
    objects: list[Fields] = field(default_factory=list)
    classes: set[int] = field(default_factory=set)


def choose_lvis_objects(
    annotations: Path,
    *,
    seed: int = 0,
    limit: int | None = None,
    pictures: str | None = PUBLISHED_PICTURES,
    forms: Collection[Form] = FORMS,
) -> list[ClassificationRecord]:
    """Return questions about objects of an LVIS file (``lvis_v1_val.json``), chosen as this module says.

    limit: at most so many. pictures: the folder of COCO that they come from, as ``coco_url`` has it; None
    takes all (LVIS v1's val has four pictures of five from train2017, which most systems were trained on).
    forms: the regions that are kept.
    RecordError names the entry and field that is wrong; UsageError: a wrong limit or form, or no picture.
    """
    if limit is not None and limit < 1:
        raise UsageError(f"limit is {limit}; expected a whole number from 1, or none for all objects")
    if not forms or not set(forms) <= set(FORMS):
        raise UsageError(f"region forms are {list(forms)}; expected some of {', '.join(FORMS)}")
    content = read_json(Path(annotations))
    classes = {row.whole("id"): class_of(row) for row in content.rows("categories")}
    shown = shown_by_picture(content, classes, pictures=pictures)
    records: list[ClassificationRecord] = []
    for index in np.random.default_rng(seed).permutation(len(shown)):
        if len(records) == limit:
            break
        record = record_about(shown[int(index)], classes, seed=seed, forms=forms)
        records += [] if record is None else [record]
    return records


def class_of(row: Fields) -> NamedObject:
    """Return a class as LVIS names it.

    A name with a blank is several synonyms in one ("monitor_(computer_equipment) computer_monitor"); the
    first stands for it.
    """
    name, synonyms = row.text("name"), row.texts("synonyms")
    return NamedObject(synonyms[0] if " " in name and synonyms else name, synonyms)


def shown_by_picture(
    content: Fields, classes: Mapping[int, NamedObject], *, pictures: str | None
) -> list[_Shown]:
    """Return the pictures of a folder in the file's order, each with its objects and the classes it shows."""
    shown: dict[int, _Shown] = {}
    folders: dict[int, str] = {}
    for row in content.rows("images"):
        number = row.whole("id")
        folders[number] = place_of(row).rpartition("/")[0]
        if pictures is None or folders[number] == pictures:
            shown[number] = _Shown(row, classes=set(row.whole_numbers("not_exhaustive_category_ids")))
    if not shown:
        raise UsageError(
            f"{content.where} has no pictures in {pictures!r}; it has some in: "
            f"{', '.join(sorted(set(folders.values()))) or 'no folder'}"
        )
    for row in content.rows("annotations"):
        number, kind = row.whole("image_id"), row.whole("category_id")
        if number not in folders:
            raise RecordError(f"{row.where}: image_id {number} is not in 'images'")
        if kind not in classes:
            raise RecordError(f"{row.where}: category_id {kind} is not in 'categories'")
        if number in shown:
            shown[number].objects.append(row)
            shown[number].classes.add(kind)
    return list(shown.values())


def place_of(row: Fields) -> str:
    """Return where below COCO's folder the picture of an entry lies, such as ``val2017/000000000139.jpg``."""
    place = next(places_of(row), None)
    if place is None:
        raise RecordError(f"{row.where}: has neither 'coco_url' nor 'file_name'; expected one of them")
    return place


def record_about(
    shown: _Shown, classes: Mapping[int, NamedObject], *, seed: int, forms: Collection[Form]
) -> ClassificationRecord | None:
    """Return the question about one object of a picture; None if none is large enough, or all alike."""
    entry = shown.entry
    width, height = (entry.whole(side, least=1) for side in ("width", "height"))
    rng = np.random.default_rng([seed, entry.whole("id", least=0)])
    for index in rng.permutation(len(shown.objects)):
        row = shown.objects[int(index)]
        box = box_of(row, width=width, height=height)
        mask = None if box is None else read_segmentation(row, width=width, height=height)
        if box is None or mask is None:
            continue
        called = classes[row.whole("category_id")]
        other = other_class(called, classes, shown=shown.classes, rng=rng)
        if other is None:
            continue
        pixels = mask.rasterise()
        x, y = pixel_of(pixels, rng)
        stroke = zigzag(pixels, rng)
        bounds = stroke.bounds()
        return ClassificationRecord(
            id=str(row.whole("id")),
            picture=place_of(entry),
            width=width,
            height=height,
            called=NamedObject(called.name, called.synonyms, other),
            point=(x, y) if "point" in forms else None,
            box=fractions(box, width=width, height=height) if "box" in forms else None,
            # As in the published format, the last column and row lie inside.
            stroke_box=(bounds.x0, bounds.y0, bounds.x1 - 1, bounds.y1 - 1)
            if "free_shape" in forms
            else None,
            stroke=stroke if "free_shape" in forms else None,
        )
    return None


def box_of(row: Fields, *, width: int, height: int) -> Box | None:
    """Return the box of an annotation in pixels; None if it is too small to be asked about."""
    x, y, wide, high = row.numbers("bbox", count=4)
    where = f"{row.where}: field 'bbox'"
    box = box_in_picture((x, y, x + wide, y + high), width=width, height=height, where=where)
    return None if box is None or box.area < SMALLEST_BOX else box


def fractions(box: Box, *, width: int, height: int) -> tuple[float, float, float, float]:
    """Return the edges of a box as fractions of its picture."""
    return box.x0 / width, box.y0 / height, box.x1 / width, box.y1 / height


def other_class(
    called: NamedObject,
    classes: Mapping[int, NamedObject],
    *,
    shown: Collection[int],
    rng: np.random.Generator,
) -> str | None:
    """Return the name of a random class that the picture doesn't show; None if there is none."""
    numbers = [number for number in classes if number not in shown]
    for index in rng.permutation(len(numbers)):
        other = classes[numbers[int(index)]]
        if not confusable(called, other):
            return other.name
    return None


def confusable(one: NamedObject, other: NamedObject) -> bool:
    """Tell whether a name of one class holds a name of the other as whole words.

    >>> confusable(NamedObject("dog"), NamedObject("hot_dog"))
    True
    >>> confusable(NamedObject("cat"), NamedObject("cart"))
    False
    """
    names, others = spoken_names(one), spoken_names(other)
    return any(says(name, others, whole_words=True) for name in names) or any(
        says(name, names, whole_words=True) for name in others
    )


def pixel_of(pixels: NDArray[np.bool_], rng: np.random.Generator) -> tuple[float, float]:
    """Return column and row of a random pixel of a mask (H, W)."""
    rows, columns = np.nonzero(pixels)
    index = int(rng.integers(len(rows)))
    return float(columns[index]), float(rows[index])


def zigzag(pixels: NDArray[np.bool_], rng: np.random.Generator) -> Mask:
    """Return a thick stroke through random pixels of a mask (H, W) along its longer side, cut at its edge."""
    rows, columns = np.nonzero(pixels)
    index = rng.integers(len(rows), size=CORNERS)
    corners = np.stack([columns[index], rows[index]], axis=1) + 0.5
    longer = 0 if np.ptp(columns) >= np.ptp(rows) else 1
    corners = corners[np.argsort(corners[:, longer], kind="stable")]
    radius = max(THICKNESS * float(np.sqrt(len(rows))), 1.0)
    path = stroke_points(corners.tolist(), step=radius / 2)
    reach = np.arange(-int(radius), int(radius) + 1)
    disc = np.stack(np.meshgrid(reach, reach), axis=-1).reshape(-1, 2)
    disc = disc[(disc**2).sum(axis=1) <= radius**2]
    cells = (np.floor(path).astype(int)[:, None] + disc).reshape(-1, 2)
    height, width = pixels.shape
    cells = cells[((cells >= 0) & (cells < [width, height])).all(axis=1)]
    drawn = np.zeros_like(pixels)
    drawn[cells[:, 1], cells[:, 0]] = True
    # Never empty: the corners are pixels of the mask.
    return Mask.from_array(drawn & pixels)
