"""LVIS-Ground (Groma, appendix B): all things of one category in a picture, found by the category's name.

A file in LVIS's format. The published one has a picture entry a question, with the boxes of one category; of
a whole LVIS file, every pair of a picture and a category in it is a question, at most five drawn for each
category.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from deixis.data.sources.lvis import locate_picture, places_of
from deixis.errors import RecordError
from deixis.evaluation.benchmarks.benchmark import (
    Benchmark,
    BenchmarkItem,
    Mark,
    Reply,
    Row,
    Scoring,
    Shown,
    Table,
)
from deixis.evaluation.benchmarks.marking import count
from deixis.evaluation.benchmarks.rows.tables import find_file, root_of
from deixis.evaluation.metrics.detection.average_precision import (
    EMPTY,
    FREQUENCIES,
    MOST_BOXES,
    CategoryFound,
    summary,
)
from deixis.evaluation.metrics.detection.matching import Found
from deixis.evaluation.metrics.detection.recall_as_many import found_as_many, recall_as_many
from deixis.files.json_files import Fields, read_json

MOST_PICTURES = 5  # of a category
APART = 10**13  # more than any picture's number
FILES = ("lvis_ground*.json", "lvis_test*.json", "lvis_v1_val.json", "lvis_*.json")
INSTRUCTION = "Locate all {} in this image."


@dataclass(frozen=True)
class Sought:
    """The things of one category in a picture.

    picture: the number of the picture's entry. boxes: x y width height in pixels; areas: of the things, in
    square pixels. frequency: "r", "c" or "f", "" where a file doesn't say. exhaustive: whether all are known.
    """

    picture: int
    category: int
    name: str
    boxes: tuple[tuple[float, float, float, float], ...]
    areas: tuple[float, ...]
    frequency: str = ""
    exhaustive: bool = True

    def found(self, boxes: Sequence[Sequence[float]]) -> Found:
        """Return the things with what was found of them, boxes x y width height in pixels."""
        return Found(
            np.array(boxes, dtype=np.float64),
            np.array(self.boxes, dtype=np.float64),
            areas=np.array(self.areas, dtype=np.float64),
            exhaustive=self.exhaustive,
        )


def read(path: Path) -> list[BenchmarkItem[Sought]]:
    """Return the questions of a file, or of the first such file in a folder; see ``questions_of``."""
    return questions_of(read_json(find_file(path, FILES, what="a file in LVIS's format")), root=root_of(path))


def questions_of(content: Fields, *, root: Path, seed: int = 0) -> list[BenchmarkItem[Sought]]:
    """Return a question for each picture and category, at most ``MOST_PICTURES`` of a category.

    Where a category is in more, they are drawn, by the seed and the category's number alone. root: the
    folder of pictures, in which COCO's folders lie. RecordError names the entry and field that is wrong.
    """
    categories = {entry.whole("id"): entry for entry in content.rows("categories")}
    pictures = {entry.whole("id"): entry for entry in content.rows("images")}
    own: dict[tuple[int, int], list[Fields]] = {}
    for entry in content.rows("annotations"):
        category, picture = entry.whole("category_id"), entry.whole("image_id")
        for number, known, what in ((category, categories, "categories"), (picture, pictures, "images")):
            if number not in known:
                raise RecordError(f"{entry.where}: number {number} is not in {what!r}")
        own.setdefault((category, picture), []).append(entry)
    items = []
    for category in sorted({category for category, _ in own}):
        shown_in = [picture for other, picture in own if other == category]
        for picture in drawn(shown_in, category, seed=seed):
            sought = sought_in(categories[category], pictures[picture], own[category, picture])
            items.append(item_of(sought, pictures[picture], root=root))
    return items


def drawn(pictures: Sequence[int], category: int, *, seed: int) -> list[int]:
    """Return at most ``MOST_PICTURES`` of some pictures, in their order."""
    if len(pictures) <= MOST_PICTURES:
        return list(pictures)
    chosen = np.random.default_rng([seed, abs(category)]).permutation(len(pictures))[:MOST_PICTURES]
    return [pictures[place] for place in sorted(chosen.tolist())]


def sought_in(category: Fields, picture: Fields, entries: Sequence[Fields]) -> Sought:
    """Return the things that a question asks for."""
    number, boxes, areas = category.whole("id"), [], []
    frequency = category.optional_text("frequency") or ""
    if frequency not in ("", *FREQUENCIES):
        raise RecordError(f"{category.where}: field 'frequency' is {frequency!r:.20}; expected r, c or f")
    for entry in entries:
        x, y, wide, high = entry.numbers("bbox", count=4)
        if wide <= 0 or high <= 0:
            raise RecordError(
                f"{entry.where}: bbox is {wide:g} wide and {high:g} high; expected both above 0"
            )
        boxes.append((x, y, wide, high))
        areas.append(area_of(entry, wide * high))
    exhaustive = number not in picture.whole_numbers("not_exhaustive_category_ids")
    return Sought(
        picture.whole("id"), number, category.text("name"), tuple(boxes), tuple(areas), frequency, exhaustive
    )


def area_of(entry: Fields, otherwise: float) -> float:
    """Return the area of a thing, that of its box where the file doesn't say."""
    return Fields({"area": [entry.values.get("area", otherwise)]}, entry.where).numbers("area", count=1)[0]


def item_of(sought: Sought, picture: Fields, *, root: Path) -> BenchmarkItem[Sought]:
    """Return the question about the things of a category in a picture."""
    file = locate_picture(picture, root)
    if file is None:
        raise RecordError(f"{picture.where}: none of its pictures exists: {', '.join(places_of(picture))}")
    return BenchmarkItem(
        id=f"{sought.picture}-{sought.category}",
        pictures=(Shown(file.name, file.path),),
        question=sought.name.replace("_", " ").lower(),
        truth=sought,
        kinds={"frequency": sought.frequency} if sought.frequency else {},
    )


def prompt(item: BenchmarkItem[Sought]) -> str:
    """Return what is asked: the first of the published instructions, where the program draws one."""
    return INSTRUCTION.format(item.question)


def score(item: BenchmarkItem[Sought], reply: Reply, scoring: Scoring) -> Mark:
    """Return the share of the things that is found by as many places, a mean over least overlaps.

    Places count in the order in which the system named them, where the reply says that.
    """
    boxes = [[x0, y0, x1 - x0, y1 - y0] for x0, y0, x1, y1 in (place.box for place in reply.as_named)]
    value = float(found_as_many(item.truth.found(boxes)).found.mean())
    if not boxes:
        why = reply.failures[0] if reply.failures else "the reply has no place"
        return Mark(0.0, read="[]", fault="unparsed", why=why)
    return Mark(value, read=json.dumps(boxes))


def by_protocol(
    pairs: Sequence[tuple[Sought, Sequence[Sequence[float]]]],
) -> dict[str, dict[str, float | None]]:
    """Return the tables of both protocols, from things and the boxes found (x y width height, in order).

    as_many: the paper's, recall with as many boxes as there are things. reference: what the released program
    counts, LVIS's precision and recall of all boxes, up to 300, each of score 1.
    """
    categories: dict[int, dict[int, Found]] = {}
    frequencies: Mapping[int, str] = {sought.category: sought.frequency for sought, _ in pairs}
    found = [sought.found(boxes) for sought, boxes in pairs]
    for (sought, _), one in zip(pairs, found, strict=True):
        categories.setdefault(sought.category, {})[sought.picture] = one
    listed = [CategoryFound(categories[number], frequencies[number]) for number in sorted(categories)]
    reference = summary(listed, most=MOST_BOXES)
    return {
        "as_many": recall_as_many(found),
        "reference": {name: None if value == EMPTY else value for name, value in reference.items()},
    }


def tabulate(items: Sequence[BenchmarkItem[Sought]], marks: Sequence[Mark]) -> Table:
    """Return the numbers of both protocols, that of the paper first."""
    pairs: list[tuple[Sought, Any]] = [
        (item.truth, json.loads(one.read or "[]")) for item, one in zip(items, marks, strict=True)
    ]
    faults: dict[str, Any] = {"unparsed": count(marks, "unparsed"), "refused": count(marks, "refused")}
    return Table(
        {
            f"{protocol} {name}": Row(None if value is None else 100 * value, len(items), **faults)
            for protocol, own in by_protocol(pairs).items()
            for name, value in own.items()
        }
    )


def again(truth: Sought, times: int) -> Sought:
    """Return things of a picture that was drawn so many times before: those of another picture."""
    return replace(truth, picture=truth.picture + times * APART)


LVIS_GROUND = Benchmark(
    name="lvis_ground",
    title="LVIS-Ground",
    layout="a JSON file in LVIS's format (a picture entry a question, or a whole lvis_v1_val.json, of which "
    "five pictures a category are drawn); val2017/ and train2017/ beside it",
    prompt_text=INSTRUCTION.format("<category>"),
    metric="as_many: the first k places, k being the number of things, recall over all things, a mean over "
    "IoU 0.50:0.05:0.95. reference: LVIS's precision and recall over categories, every place of score 1",
    read=read,
    prompt=prompt,
    score=score,
    tabulate=tabulate,
    numbers="Groma, table 3 (AR, AR@0.5, AR@0.75, AR@s, AR@m, AR@l)",
    unread="nothing found, and counted as unparsed",
    places=True,
    again=again,
    resamples=200,
)
