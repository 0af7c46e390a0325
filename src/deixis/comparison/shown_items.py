"""The items on which two reports differ, with pictures on which the places of both are drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from deixis.answers.drawing.palette import WHITE, colour_of
from deixis.comparison.paired import ROUNDING, benchmark_items
from deixis.comparison.saved_report import SavedItem, SavedReport
from deixis.data.opening import upright_scenes
from deixis.data.sources import read_dataset
from deixis.errors import DeixisError
from deixis.evaluation.runner import picture_of
from deixis.gallery.photo import LegibleSheet, dashed_box
from deixis.pictures.opening import Picture
from deixis.regions.as_objects import region_of_object
from deixis.regions.shapes import Box, Region
from deixis.regions.shapes.picture_edge import EDGE_SLACK

Opener = Callable[[SavedItem], Picture | None]
LEAST_SIDE = 1e-6


@dataclass(frozen=True)
class Differing:
    """An item on which two reports differ, and by how much the second is higher in its first number."""

    first: SavedItem
    second: SavedItem
    gain: float


def differing_items(first: SavedReport, second: SavedReport) -> list[Differing]:
    """Return the items whose numbers differ, task by task, those that differ most first."""
    found = []
    for one, other in zip(first.items, second.items, strict=True):
        if differ(one.numbers, other.numbers):
            name = next(iter(one.numbers), None)
            gain = 0.0 if name is None else other.numbers.get(name, 0.0) - one.numbers[name]
            found.append(Differing(one, other, gain))
    order = {task: n for n, task in enumerate(dict.fromkeys(item.task for item in first.items))}
    return sorted(found, key=lambda pair: (order[pair.first.task], -abs(pair.gain)))


def differ(first: Mapping[str, float], second: Mapping[str, float]) -> bool:
    """Tell whether two answers earned different numbers, by more than arithmetic in another order does.

    >>> differ({"right": 1.0, "score": 0.5}, {"right": 1.0, "score": 0.5 + 1e-9}), differ({"right": 1.0}, {})
    (False, True)
    """
    return first.keys() != second.keys() or any(
        abs(value - second[name]) > ROUNDING for name, value in first.items()
    )


def spread(pairs: Sequence[Differing], most: int) -> list[Differing]:
    """Return at most so many items, of every task and direction in turn, in their order."""
    kinds: dict[tuple[str, bool], list[Differing]] = {}
    for pair in pairs:
        kinds.setdefault((pair.first.task, pair.gain > 0), []).append(pair)
    chosen: list[Differing] = []
    place = 0
    while len(chosen) < min(most, len(pairs)):
        chosen += [own[place] for own in kinds.values() if place < len(own)]
        place += 1
    kept = {id(pair) for pair in chosen[:most]}
    return [pair for pair in pairs if id(pair) in kept]


def opener_of(report: SavedReport, *, data: Path | None) -> Opener:
    """Return what opens the picture of an item; errors as of the readers where the data aren't there."""
    path = data or Path(str(report.run.get("data_path") or "."))
    if report.benchmark is not None:
        items = {item.id: item for item in benchmark_items(report, data=data)}

        def of_benchmark(item: SavedItem) -> Picture | None:
            shown = items[item.key].pictures
            return shown[0].opened() if shown else None

        return of_benchmark
    dataset = read_dataset(path, str(report.protocol["split"]), outside="cut")
    scenes = {scene.id: scene for scene in upright_scenes(dataset.scenes)}
    return lambda item: picture_of(scenes[str(item.content["picture"])])


def drawn(pair: Differing, picture: Picture, truth: Sequence[Box]) -> Image.Image:
    """Return the picture with true boxes in white dashes, and the places of both reports in their colours."""
    sheet = LegibleSheet.of(picture)
    for box in truth:
        dashed_box(sheet, box, WHITE)
    for number, item in enumerate((pair.first, pair.second)):
        for box in boxes_in(item.places, picture):
            sheet.outline_box(box, colour_of(number))
    for region in pointed(pair.first, picture).values():
        sheet.outline_region(region)
    for number, item in enumerate((pair.first, pair.second)):
        for box in boxes_in(item.places, picture)[:1]:
            sheet.label("AB"[number], box, colour_of(number))
    return sheet.canvas


def boxes_in(places: Sequence[Sequence[float]], picture: Picture) -> list[Box]:
    """Return the places that are in an item's first picture, cut at its edges."""
    width, height = picture.frame.size
    slack = EDGE_SLACK * max(width, height)
    found = []
    for x0, y0, x1, y1, *number in places:
        inside = -slack <= x0 < x1 <= width + slack and -slack <= y0 < y1 <= height + slack
        if inside and not any(number):
            edges = (max(x0, 0.0), max(y0, 0.0), min(x1, width), min(y1, height))
            found.append(Box(*edges, frame=picture.frame))
    return found


def pointed(item: SavedItem, picture: Picture) -> Mapping[str, Region]:
    """Return what was pointed at, by name; nothing for benchmarks, whose items don't say."""
    regions = item.content.get("regions")
    if not isinstance(regions, dict):
        return {}
    return {name: region_of_object(value, picture.frame) for name, value in regions.items()}


def true_boxes(item: SavedItem, picture: Picture, known: Any = None) -> list[Box]:
    """Return the boxes of an item's truth, of those kinds of truth that are boxes. known: a benchmark's."""
    truth = item.content.get("truth") if known is None else getattr(known, "boxes", None)
    if known is not None and hasattr(known, "areas"):  # x y width height
        truth = [(x, y, x + w, y + h) for x, y, w, h in truth or ()]
    rows = [truth] if is_box(truth) else truth
    if not isinstance(rows, list | tuple) or not all(is_box(row) for row in rows):
        return []
    return boxes_in([list(row) for row in rows], picture)


def is_box(value: Any) -> bool:
    """Tell whether a value is four numbers."""
    return (
        isinstance(value, list | tuple)
        and len(value) == 4
        and all(type(one) in (int, float) for one in value)
    )


def openable(report: SavedReport, *, data: Path | None) -> tuple[Opener | None, str]:
    """Return what opens pictures, or None and why there is nothing."""
    try:
        return opener_of(report, data=data), ""
    except DeixisError as fault:
        return None, str(fault)
