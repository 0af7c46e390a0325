"""Dialogues as training samples."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from deixis.errors import UsageError
from deixis.pictures.opening import open_picture
from deixis.records.check import check_records
from deixis.records.record import read_records
from deixis.regions.shapes import Mask, Point
from deixis.studio.records import record_of, records_zip
from tests.studio.answers import PICTURE, answer, box


def unpacked(content: bytes, folder: Path) -> Path:
    """Unpack a zip of records and return its file of samples."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
    return folder / "samples.jsonl"


def test_a_zip_of_records_is_checked_without_a_problem_and_has_the_same_pixels(tmp_path: Path) -> None:
    region = Point(5.5, 6.5, frame=PICTURE.frame)
    given = [
        answer(places=(box(1, 2, 30, 31),)),
        answer("A dog.", "", question="What is {a}?", regions=(("a", region),)),
        answer("A cat? No.", "A cat", nowhere=True, question="Is there a cat?"),
    ]
    samples = unpacked(records_zip([(PICTURE, "a dog.jpg", given)]), tmp_path)
    assert check_records(samples) == []
    (record,) = read_records(samples)
    assert record.open().frame.content == PICTURE.frame.content
    assert [turn.question for turn in record.turns] == [
        "Where is the dog?",
        "What is {a}?",
        "Is there a cat?",
    ]
    assert [phrase.regions for turn in record.turns for phrase in turn.phrases] == [("p1",), ()]


def test_a_region_that_moved_between_two_questions_gets_two_names() -> None:
    one, other = (box(1, 1, 9, 9), box(2, 2, 9, 9))
    given = [
        answer("A dog.", "", question="What is {a}?", regions=(("a", one),)),
        answer("A cat.", "", question="What is {a}, {{really}}?", regions=(("a", other),)),
        answer("A dog.", "", question="And {a}?", regions=(("a", one),)),
    ]
    record = record_of(PICTURE, given, name="x.png")
    assert [turn.question for turn in record.turns] == [
        "What is {a}?", "What is {a_2}, {{really}}?", "And {a}?",
    ]  # fmt: skip
    assert dict(record.regions) == {"a": one, "a_2": other}


def test_a_place_that_is_the_region_itself_has_its_name() -> None:
    same = box(3, 4, 20, 30)
    given = [answer("It is a dog.", "a dog", (same,), question="What is {it}?", regions=(("it", same),))]
    record = record_of(PICTURE, given, name="x.png")
    assert [phrase.regions for phrase in record.turns[0].phrases] == [("it",)]
    assert len(record.regions) == 1


def test_masks_and_brackets_survive(tmp_path: Path) -> None:
    import numpy as np

    mask = Mask.from_array(np.eye(40, 60, dtype=bool), frame=PICTURE.frame)
    given = [answer("[A] dog \\ {x}.", "", question="What is {a}?", regions=(("a", mask),))]
    samples = unpacked(records_zip([(PICTURE, "日本.png", given), (PICTURE, "日本.png", given)]), tmp_path)
    first, second = read_records(samples)
    assert (first.picture, second.picture) == ("picture.png", "picture-2.png")
    assert first.turns[0].answer == "[A] dog \\ {x}."
    assert open_picture(tmp_path / "picture-2.png").frame.content == PICTURE.frame.content


def test_an_answer_without_words_is_refused() -> None:
    with pytest.raises(UsageError, match="no words"):
        record_of(PICTURE, [answer(" ", "")], name="x.png")
    with pytest.raises(UsageError, match="no question"):
        record_of(PICTURE, [answer(question="")], name="x.png")
