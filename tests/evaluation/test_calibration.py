import math

import numpy as np
import pytest

from deixis.answers.grounded import Answer
from deixis.data.scene import Scene
from deixis.data.sources.pack import read_pack
from deixis.evaluation.evaluating import evaluate
from deixis.evaluation.task import Columns, Item
from deixis.evaluation.tasks import TASKS
from deixis.evaluation.tasks.calibration import CALIBRATION, measure, score
from deixis.pictures.opening import Picture, open_picture
from deixis.regions.shapes import Box, Region
from tests.evaluation.answering import Fake, Nowhere, Truthful, located, said
from tests.toy.pack import write_toy_pack

PICTURE = open_picture(np.zeros((50, 100, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Scene]:
    return read_pack(write_toy_pack(tmp_path_factory.mktemp("toy"), pictures=15, shards=True), "val")


def box(*edges: float) -> Box:
    return Box(*edges, frame=PICTURE.frame)


def columns(*rows: tuple[float, float, float]) -> Columns:
    table = np.array(rows)
    return {name: table[:, index] for index, name in enumerate(("score", "right", "placed"))}


ITEM = Item("1", "where is a dog?", (box(0, 0, 10, 10), box(40, 0, 60, 20)))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (located(PICTURE, [box(0, 0, 10, 9), box(80, 0, 90, 9)], scores=[0.7, 0.2]), (0.7, 1.0, 1.0)),
        (located(PICTURE, [box(80, 0, 90, 9), box(0, 0, 10, 9)], scores=[0.7, 0.2]), (0.7, 0.0, 1.0)),
        (located(PICTURE, [box(40, 0, 60, 20)], scores=[0.0]), (0.0, 1.0, 1.0)),
        (located(PICTURE, []), (0.0, 0.0, 0.0)),
        (said(PICTURE, "", parse_failures=("cut",)), (0.0, 0.0, 0.0)),
    ],
    ids=["right", "wrong", "unsure and right", "nowhere", "parse failure"],
)
def test_the_top_place_and_its_score_count(answer: Answer, expected: tuple[float, float, float]) -> None:
    outcome = score(answer, ITEM)
    assert tuple(outcome.numbers[name] for name in ("score", "right", "placed")) == expected
    assert outcome.parse_failed == bool(answer.parse_failures)


def test_items_without_a_place_are_in_neither_number() -> None:
    placed = ((0.9, 1.0, 1.0), (0.9, 0.0, 1.0), (0.3, 0.0, 1.0))
    numbers = measure(columns(*placed, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)))
    assert numbers == pytest.approx(
        {
            "calibration_error": (0.8 + 0.3) / 3,
            "auroc": 0.75,
            "placed": 0.6,
            "mean_score": 0.7,
            "right": 1 / 3,
        }
    )
    assert measure(columns(*placed)) == pytest.approx({**numbers, "placed": 1.0})


@pytest.mark.parametrize("right", [0.0, 1.0])
def test_where_all_places_are_alike_only_the_area_is_undefined(right: float) -> None:
    numbers = measure(columns((0.9, right, 1.0), (0.5, right, 1.0)))
    assert math.isnan(numbers["auroc"])
    assert numbers["calibration_error"] == pytest.approx(abs(0.7 - right))


def test_the_items_are_those_of_grounding(scenes: list[Scene]) -> None:
    assert CALIBRATION.items(scenes, 3) == TASKS["grounding"].items(scenes, 3)


def test_without_any_place_the_report_says_so(scenes: list[Scene]) -> None:
    report = evaluate(Nowhere(), scenes, [CALIBRATION], data="toy", split="val")
    row = report.to_dict()["tasks"]["calibration"]
    assert (row["value"], row["ci95"], row["auroc"], row["placed"]) == (None, None, None, 0.0)
    assert "NaN" not in report.to_json()
    assert "undefined" in report.to_markdown().splitlines()[2]
    assert "nan" not in report.to_markdown().splitlines()[2]


def test_a_sure_system_that_is_always_right_has_no_error(scenes: list[Scene]) -> None:
    result = evaluate(Truthful(scenes), scenes, [CALIBRATION], data="toy", split="val").tasks["calibration"]
    assert result.value == 0.0
    assert math.isnan(result.others["auroc"])


class Sometimes(Fake):
    """Points in one answer of five, always wrongly and surely."""

    def answer(self, picture: Picture, question: str, regions: dict[str, Region]) -> Answer:  # type: ignore[override]
        self.name = "sometimes"
        corner = Box(0, 0, 1, 1, frame=picture.frame)
        return located(
            picture, [corner] if "two" in question else [], scores=[1.0] if "two" in question else []
        )


def test_resamples_without_a_place_are_left_out(scenes: list[Scene]) -> None:
    asked_once = CALIBRATION.items(scenes, 0)
    two = next(item for item in asked_once if "two" in item.question)
    others = [item for item in asked_once if item.picture != two.picture and "two" not in item.question]
    task = type(CALIBRATION)(**{**vars(CALIBRATION), "items": lambda _, seed: [two, *others]})
    result = evaluate(Sometimes(), scenes, [task], data="toy", split="val").tasks["calibration"]
    assert result.value == 1.0
    assert 0 < result.ci95[0] < result.ci95[1] == 1.0
