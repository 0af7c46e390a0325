"""A system is asked every question of a file about LVIS objects, and scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deixis.answers.grounded import Answer
from deixis.errors import BadPicture, RecordError
from deixis.evaluation.benchmarks.lvis_asking import ask_lvis, opened
from deixis.evaluation.benchmarks.lvis_objects import choose_lvis_objects
from deixis.evaluation.benchmarks.lvis_questions import ClassificationRecord, Form
from deixis.evaluation.metrics.referring_classification import NamedObject
from deixis.pictures.opening import Picture, open_picture
from deixis.regions.shapes import Box, Mask, Point, Region
from tests.data.turned import RED, write_turned
from tests.evaluation.answering import Fake, said
from tests.evaluation.lvis_files import lvis_content, lvis_file


class First(Fake):
    """Says the first of the two names; keeps what it was asked with."""

    def __init__(self) -> None:
        super().__init__(name="first")
        self.regions: list[Region] = []

    def answer(self, picture: Picture, question: str, regions: Mapping[str, Region]) -> Answer:
        assert question.startswith("Is the object {it} of the image a ") and set(regions) == {"it"}
        self.regions.append(regions["it"])
        name = question.removeprefix("Is the object {it} of the image a ").split(" or a ")[0]
        return said(picture, f"It is a {name.replace('_', ' ')}.")


@pytest.fixture
def records(tmp_path: Path) -> list[ClassificationRecord]:
    (tmp_path / "val2017").mkdir()
    for number in range(1, 11):
        Image.new("RGB", (80, 40)).save(tmp_path / f"val2017/{number}.jpg")
    return choose_lvis_objects(lvis_file(tmp_path, lvis_content(pictures=10)))


@pytest.mark.parametrize(("form", "kind"), [("point", Point), ("box", Box), ("free_shape", Mask)])
def test_always_the_first_name_earns_one_half(
    records: list[ClassificationRecord], tmp_path: Path, form: Form, kind: type
) -> None:
    system = First()
    result = ask_lvis(system, records, form=form, pictures=tmp_path)
    assert (result.form, result.scores.n, result.scores.value) == (form, 10, 0.5)
    assert result.scores.right == (True, False) * 5 and result.scores.parse_failures == 0
    assert list(result.answers) == [record.id for record in records]
    assert {type(region) for region in system.regions} == {kind}


def test_questions_about_one_picture_are_asked_together(
    records: list[ClassificationRecord], tmp_path: Path
) -> None:
    again = [replace(record, id=f"{record.id} again") for record in records]
    system = First()
    result = ask_lvis(system, records + again, form="point", pictures=tmp_path)
    assert system.batches == [2] * 10
    # In the order of the records, not of the pictures.
    assert list(result.answers) == [record.id for record in records + again]
    assert result.scores.right == (True, False) * 10


def test_records_that_do_not_fit(records: list[ClassificationRecord], tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="20 records have 10 different ids"):
        ask_lvis(First(), records * 2, form="box", pictures=tmp_path)
    with pytest.raises(RecordError, match="has no region of form 'point'"):
        ask_lvis(First(), [replace(records[0], point=None)], form="point", pictures=tmp_path)
    with pytest.raises(RecordError, match=r"has 80 x 40 pixels, record .* says 80 x 41"):
        ask_lvis(First(), [replace(records[0], height=41)], form="box", pictures=tmp_path)
    with pytest.raises(RecordError, match="leads out of"):
        ask_lvis(First(), [replace(records[0], picture="../1.jpg")], form="box", pictures=tmp_path)
    with pytest.raises(BadPicture, match="there is no picture file"):
        ask_lvis(First(), [replace(records[0], picture="val2017/99.jpg")], form="box", pictures=tmp_path)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["point", "box", "free_shape"])
def test_regions_are_carried_to_pictures_that_a_camera_held_askew(
    tmp_path: Path, orientation: int, form: Form
) -> None:
    """Every region lies within the red thing of the upright picture; the box is the whole of it."""
    x0, y0, x1, y1 = RED
    stroke = np.zeros((40, 64), dtype=bool)
    stroke[y0 + 2 : y1 - 4, x0 + 1 : x1 - 9] = True
    record = ClassificationRecord(
        "1",
        "a.jpg",
        width=64,
        height=40,
        called=NamedObject("thing", other="cup"),
        point=(x0, y1 - 1),
        box=(x0 / 64, y0 / 40, x1 / 64, y1 / 40),
        stroke_box=(x0 + 1, y0 + 2, x1 - 10, y1 - 5),
        stroke=Mask.from_array(stroke),
    )
    write_turned(tmp_path / "a.jpg", orientation)
    system = First()
    ask_lvis(system, [record], form=form, pictures=tmp_path)
    picture = open_picture(tmp_path / "a.jpg")
    red = picture.pixels[..., 0] > 150
    _, (shown,) = opened([record], folder=tmp_path)
    left, top, right, bottom = shown.stroke_box or (0, 0, 0, 0)
    bounds = shown.stroke.bounds() if shown.stroke else None
    assert bounds is not None and bounds.as_tuple() == (left, top, right + 1, bottom + 1)
    (region,) = system.regions
    if isinstance(region, Point):
        assert red[int(region.y), int(region.x)]
    else:
        covered = region.rasterise()
        assert red[covered].all()
        assert covered.sum() == (stroke.sum() if form == "free_shape" else red.sum())
