"""Answers about many pictures as one COCO file: images, categories and annotations, or detection results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from deixis.answers.content import AnswerContent
from deixis.answers.export.labels import Labels
from deixis.answers.export.results import all_places, to_coco_results
from deixis.pictures.opening import Picture

LARGEST_ID = 1 << 53  # more than any reader of JSON keeps exactly


class CocoFile:
    """Collects answers; each phrase's label is a category, numbered from 1 in the order of coming up.

    names: all pictures that there will be answers about. Where every name is a whole number before its
    ending, as in COCO's own files, that is the picture's id; else pictures are numbered from 1.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.ids = ids_of(names)
        self.labels = Labels(first=1)
        self.images: dict[int, dict[str, Any]] = {}
        self.placed: list[dict[str, Any]] = []

    def add_picture(self, picture: Picture, name: str) -> None:
        """Take a picture, whether or not something will be found in it."""
        number = self.ids[name]
        self.images[number] = {
            "id": number,
            "file_name": name,
            "width": picture.width,
            "height": picture.height,
        }

    def add(self, answer: AnswerContent, name: str) -> None:
        """Take the places of an answer about one picture."""
        categories = {span.phrase: self.labels.number(span.phrase) for span, _ in all_places(answer)}
        results = to_coco_results(answer, image_id=self.ids[name], category_ids=categories)
        for result, (span, _) in zip(results, all_places(answer), strict=True):
            self.placed.append({**result, "phrase": span.phrase})

    def results(self) -> list[dict[str, Any]]:
        """Return detection results: one object a place, with its score and its phrase."""
        return self.placed

    def annotations(self) -> dict[str, Any]:
        """Return a file of annotations; each has the score and the phrase that it comes from, too."""
        return {
            "info": {"description": "places that deixis found"},
            "images": list(self.images.values()),
            "categories": [{"id": number, "name": label} for label, number in self.labels.numbers.items()],
            "annotations": [
                {**result, "id": number, "area": area_of(result), "iscrowd": 0}
                for number, result in enumerate(self.placed, start=1)
            ],
        }


def area_of(result: dict[str, Any]) -> float:
    """Return the area of a result's box in pixels."""
    _, _, width, height = result["bbox"]
    return round(width * height, 2)


def ids_of(names: Sequence[str]) -> dict[str, int]:
    """Return the id of each picture.

    >>> ids_of(["000000000139.jpg", "000000000285.jpg"]), ids_of(["dog.jpg", "7.jpg"])
    ({'000000000139.jpg': 139, '000000000285.jpg': 285}, {'dog.jpg': 1, '7.jpg': 2})
    """
    stems = [PurePath(name).stem for name in names]
    if all(stem.isascii() and stem.isdigit() and len(stem) <= 16 for stem in stems):
        numbers = [int(stem) for stem in stems]
        if len(set(numbers)) == len(numbers) and max(numbers, default=0) < LARGEST_ID:
            return dict(zip(names, numbers, strict=True))
    return {name: number for number, name in enumerate(dict.fromkeys(names), start=1)}
