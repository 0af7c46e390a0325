"""Drawn records: every region kind leaves its colour where it lies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deixis.errors import RecordError
from deixis.records.markup import PlacedPhrase
from deixis.records.record import Record, RecordTurn
from deixis.records.show import COLOURS, draw_record, phrases_by_region
from deixis.regions.shapes import Box, Mask, Point, Polygon, Region, Scribble

SQUARE = np.zeros((480, 640), dtype=bool)
SQUARE[200:300, 200:300] = True


def record(
    folder: Path, region: Region, *, phrase: str | None = None, size: tuple[int, int] = (640, 480)
) -> Record:
    Image.new("RGB", size, (0, 0, 0)).save(folder / "photo.jpg")
    phrases = () if phrase is None else (PlacedPhrase(0, len(phrase), ("a",)),)
    turn = RecordTurn("What is {a}?", phrase or "nothing", phrases)
    return Record("photo.jpg", "pixels", (("a", region),), (turn,), file=folder / "records.jsonl")


@pytest.mark.parametrize(
    ("region", "at"),
    [
        (Box(200, 200, 300, 300), (250, 201)),
        (Point(250, 250), (250, 244)),
        (Polygon([(200, 200), (300, 200), (300, 300)]), (250, 250)),
        (Scribble([(200, 250), (300, 250)]), (250, 250)),
        (Scribble([(250, 250)]), (250, 250)),
        (Mask.from_array(SQUARE), (250, 201)),
    ],
)
def test_every_kind_is_drawn_where_it_lies(tmp_path: Path, region: Region, at: tuple[int, int]) -> None:
    drawn = draw_record(record(tmp_path, region))
    assert drawn.size == (640, 480)
    assert drawn.getpixel(at) == COLOURS[0]
    assert drawn.getpixel((600, 450)) == (0, 0, 0)


def test_the_place_of_an_answer_is_filled(tmp_path: Path) -> None:
    region = Box(200, 200, 300, 300)
    assert draw_record(record(tmp_path, region)).getpixel((250, 250)) == (0, 0, 0)
    assert draw_record(record(tmp_path, region, phrase="a dog")).getpixel((250, 250)) != (0, 0, 0)


def test_phrases_are_listed_by_region(tmp_path: Path) -> None:
    assert phrases_by_region(record(tmp_path, Box(1, 1, 9, 9), phrase="a dog")) == {"a": ["a dog"]}


def test_small_pictures_are_enlarged_and_long_labels_stay_inside(tmp_path: Path) -> None:
    drawn = draw_record(
        record(tmp_path, Box(90, 0, 100, 10), phrase="a very long phrase " * 9, size=(100, 20))
    )
    assert drawn.size == (500, 100)


def test_regions_outside_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="lies outside"):
        draw_record(record(tmp_path, Box(700, 0, 800, 10)))
