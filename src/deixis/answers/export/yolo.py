"""Answers about a picture as lines of a YOLO label file, and the file of the labels' names."""

from __future__ import annotations

from collections.abc import Sequence

from deixis.answers.content import AnswerContent
from deixis.answers.export.labels import Labels
from deixis.answers.export.results import all_places
from deixis.pictures.opening import Picture


def yolo_lines(answers: Sequence[AnswerContent], picture: Picture, labels: Labels) -> str:
    """Return a line a place: the label's number, then x and y of the middle, width and height of the box.

    All four are fractions of the upright picture's width and height. Nothing found is the empty text.
    """
    lines = []
    for span, place in (pair for answer in answers for pair in all_places(answer)):
        x0, y0, x1, y1 = place.box.as_tuple()
        middle = ((x0 + x1) / 2 / picture.width, (y0 + y1) / 2 / picture.height)
        sides = ((x1 - x0) / picture.width, (y1 - y0) / picture.height)
        numbers = " ".join(f"{value:.6f}" for value in (*middle, *sides))
        lines.append(f"{labels.number(span.phrase)} {numbers}\n")
    return "".join(lines)


def yolo_names(labels: Labels) -> str:
    """Return the text of a ``data.yaml`` with the labels' names by their numbers.

    >>> labels = Labels(first=0)
    >>> _ = labels.number("the dog")
    >>> print(yolo_names(labels), end="")
    names:
      0: dog
    """
    import yaml

    names = {number: label for label, number in labels.numbers.items()}
    return yaml.safe_dump({"names": names}, allow_unicode=True, sort_keys=False)
